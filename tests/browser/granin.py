"""The customer of scenario C4 as everybody knows him, told through REST; days count from today as in the story."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.browser import clock
from tests.browser.workplace import Workplace

AGE = 48
PHONE = "8 (495) 765-43-21"
PHONE_SHOWN = "+7 495 765-43-21"


@dataclass(frozen=True)
class Granin:
    """What the story made; `left` is the day Pyotr Kuzmin left, `birth` Granin's birthday."""

    id: str
    portnoy: str
    epoch: str
    own_firm: str
    birth: date
    left: date
    signed: date
    next_call: str


def tell_granin(workplace: Workplace) -> Granin:
    """Make the story on a platform."""
    post, today = workplace.office.rest.post, clock.today()
    moscow, tula = workplace.units["moscow"], workplace.units["tula"]
    people = workplace.people

    def make(path: str, **body: Any) -> Any:
        return post(path, body, key=str(uuid4()))

    birthday = today - timedelta(days=67)
    birth, signed = birthday.replace(year=birthday.year - AGE), birthday.replace(year=birthday.year - 3)
    left_epoch, left = today - timedelta(days=840), today - timedelta(days=61)
    epoch = make("/organizations", display_name="Epoch", unit_id=moscow)["organization"]["id"]
    firm = make("/organizations", display_name="Granin & Co", unit_id=moscow)["organization"]["id"]
    jobs = [
        {"organization_id": epoch, "role": "architect", "end_date": str(left_epoch)},
        {"organization_id": firm, "role": "architect", "start_date": str(left_epoch)},
    ]
    granin = make(
        "/persons", display_name="Vsevolod Borisovich Granin", birth_date=str(birth), unit_id=moscow,
        owner_id=people["natasha"], affiliations=jobs,
        channels=[{"kind": "email", "value": "v@granin.example"}],
    )["person"]["id"]  # fmt: skip
    director = [{"organization_id": epoch, "role": "director", "start_date": str(left_epoch)}]
    portnoy = make("/persons", display_name="Pavel Portnoy", unit_id=moscow, affiliations=director)["person"]["id"]
    alexander = workplace.office.user("Alexander Belov", moscow)
    kuzmin = workplace.hire("kuzmin", "Pyotr Kuzmin", "tula")
    won = {"title": "Facade panels", "business_line": "Line B", "organization_id": epoch, "owner_id": alexander}
    lost = {"title": "Materials", "loss_reason": "price", "organization_id": firm, "owner_id": kuzmin}
    make(
        "/deals", **won, person_id=granin, unit_id=moscow, stage_name="Won", close_date=str(signed),
        open_date=str(signed - timedelta(days=30)), amount={"amount": "1200000", "currency_code": "RUB"},
    )  # fmt: skip
    a_year_ago = today - timedelta(days=366)
    make(
        "/deals", **lost, person_id=granin, unit_id=tula, stage_name="Lost", close_date=str(a_year_ago),
        open_date=str(a_year_ago - timedelta(days=30)), amount={"amount": "300000", "currency_code": "RUB"},
    )  # fmt: skip
    said = {"kind": "call", "author_id": people["natasha"], "unit_id": moscow}
    for days, outcome in ((56, "away"), (42, "busy"), (28, "away"), (14, "busy")):
        when = datetime.now(UTC) - timedelta(days=days)
        make("/interactions", **said, person_id=granin, occur_time=when.isoformat(), outcome=outcome, summary=outcome)
    note = {"kind": "note", "author_id": people["anna"], "unit_id": moscow}
    when = datetime.now(UTC) - timedelta(days=5)
    make("/interactions", **note, person_id=granin, occur_time=when.isoformat(), summary=f"Left a new phone: {PHONE}")
    _add_phone(workplace, granin)
    again = {"every": 2, "unit": "week"}
    step = make(
        "/activities", kind="call", person_id=granin, owner_id=people["natasha"], unit_id=moscow, repetition=again,
        due_date=str(today),
    )["id"]  # fmt: skip
    user = workplace.office.rest.get(f"/users/{kuzmin}")
    _patch(workplace, f"/users/{kuzmin}", user["etag"], active=False, leave_date=str(left))
    workplace.office.settle()
    return Granin(granin, portnoy, epoch, firm, birth, left, signed, step)


def _add_phone(workplace: Workplace, person_id: str) -> None:
    person = workplace.office.rest.get(f"/persons/{person_id}")
    known = [{"kind": one["kind"], "value": one["value"]} for one in person["channels"]]
    channels = [*known, {"kind": "phone", "value": PHONE}]
    _patch(workplace, f"/persons/{person_id}", person["etag"], channels=channels)


def _patch(workplace: Workplace, path: str, etag: str, **body: Any) -> None:
    answer = workplace.office.rest.call("PATCH", path, json=body, headers={"If-Match": f'"{etag}"'})
    assert answer.status_code == 200, answer.text
