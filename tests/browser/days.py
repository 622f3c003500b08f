"""A working day of a branch: five calls of one, a meeting of another, three entries of a third, none of a fourth.

Everybody enters for themselves, through REST.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from branchline.rest import Rest, connect
from tests.browser import clock
from tests.browser.workplace import PASSWORD, Workplace


@dataclass(frozen=True)
class Day:
    """What the day is about: ids of the customer, the company and the deal."""

    person: str
    organization: str
    deal: str


@contextmanager
def rest_of(workplace: Workplace, login: str) -> Iterator[Rest]:
    """REST as one of the people."""
    with connect(workplace.folder, login, PASSWORD) as rest:
        yield rest


def post(rest: Rest, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Create something, once."""
    found: dict[str, Any] = rest.post(path, body, key=str(uuid.uuid4()))
    return found


def fill_day(
    workplace: Workplace,
    company: str,
    phone: str,
    unit: str = "moscow",
    people: tuple[str, str, str] = ("natasha", "vlad", "mikhail"),
) -> Day:
    """Let the day happen today in a branch, with a company of its own name and its buyer's telephone."""
    branch, (caller, visitor, writer) = workplace.units[unit], people
    with rest_of(workplace, caller) as rest:
        organization = post(rest, "/organizations", {"display_name": company, "unit_id": branch})
        organization_id = organization["organization"]["id"]
        person = post(rest, "/persons", {
            "given_name": "Viktor", "family_name": f"{company}ov", "unit_id": branch,
            "channels": [{"kind": "phone", "value": phone}],
            "affiliations": [{"organization_id": organization_id, "role": "buyer"}],
        })["person"]["id"]  # fmt: skip
        stairs = {"title": f"Stairs for {company}", "organization_id": organization_id, "unit_id": branch}
        deal = post(rest, "/deals", stairs | {"amount": {"amount": "120000", "currency_code": "RUB"}})
        for number in range(5):
            say(rest, person, "call", f"Call {number + 1} about the {company} stairs", branch)
    with rest_of(workplace, visitor) as rest:
        say(rest, person, "meeting", f"Met the buyer of {company}; wants oak", branch)
    with rest_of(workplace, writer) as rest:
        for number in range(3):
            say(rest, person, "note", f"Old line, mail {number + 1}", branch)
    return Day(person, organization_id, deal["id"] if "id" in deal else deal["deal"]["id"])


def say(rest: Rest, person: str, kind: str, summary: str, unit: str, when: datetime | None = None) -> None:
    """Log an interaction, at a moment other than now where one is given."""
    body = {"kind": kind, "person_id": person, "summary": summary, "unit_id": unit}
    post(rest, "/interactions", body | ({"occur_time": when.isoformat()} if when else {}))


def put_on_leave(workplace: Workplace, user_id: str, unit: str) -> None:
    """Let somebody be on leave today; `unit` is a code."""
    today = clock.today()
    body = {
        "user_id": user_id, "unit_id": workplace.units[unit], "reason": "vacation",
        "start_date": str(today - timedelta(days=1)), "end_date": str(today + timedelta(days=3)),
    }  # fmt: skip
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    assert workplace.office.rest.call("PUT", "/absences", json=body, headers=headers).status_code == 200


def plan(rest: Rest, kind: str, subject: str, unit: str, due: datetime, **more: Any) -> str:
    """Plan an activity and answer its id."""
    body = {"kind": kind, "subject": subject, "unit_id": unit, "due_time": due.isoformat(), **more}
    return str(post(rest, "/activities", body)["id"])
