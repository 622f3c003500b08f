"""A running platform as its users have it: units, users, workbooks in and reports out, all through REST."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from branchline.exits import Failure
from branchline.rest import Rest
from branchline.runs import Wanted, check_file, confirm_run, list_findings
from chassis.testing.eventually import eventually
from reporting.subscriptions import HANDLERS

BEGINNING = "1990-01-01"
PAGE = 500
REPORTED = {kind.DESCRIPTOR.full_name for kind in HANDLERS}
Run = dict[str, Any]


def quiet(message: str, share: float | None) -> None:
    """Tell nothing."""


class Office:
    """The organization of one test module on a platform of its own."""

    def __init__(self, rest: Rest) -> None:
        self.rest = rest
        self.company: str = rest.get("/units")["units"][0]["id"]

    def unit(self, code: str, name: str, parent: str = "", kind: str = "branch", **more: str) -> str:
        """Make a unit, or find it, and answer its id."""
        try:
            return str(self.rest.get(f"/units/{code}")["id"])
        except Failure:
            body = {"code": code, "name": name, "parent_id": parent or self.company, "kind": kind}
            return str(self.rest.post("/units", {**body, "start_date": BEGINNING, **more}, key=str(uuid.uuid4()))["id"])

    def user(self, name: str, unit: str, role: str = "none", login: str = "", password: str = "") -> str:
        """Make a user with a position and answer the id."""
        position = {"unit_id": unit, "title": role, "role": role, "start_date": BEGINNING}
        body: dict[str, Any] = {"display_name": name, "positions": [position]}
        if login:
            body |= {"login": login, "password": password}
        return str(self.rest.post("/users", body, key=str(uuid.uuid4()))["id"])

    def check(self, file: Path, unit: str, kind: str, **how: Any) -> Run:
        """Upload and check a file; the run waits, or has failed."""
        found: Run = eventually(lambda: self._check(Wanted(file, unit, kind, **how)) or {}, within=60)
        return found

    def _check(self, wanted: Wanted) -> Run | None:
        try:
            return check_file(self.rest, wanted, quiet)
        except Failure as trouble:
            if trouble.reason != "UNIT_NOT_KNOWN":  # news of a new unit is still on its way to imports
                raise
            return None

    def load(self, file: Path, unit: str, kind: str, **how: Any) -> dict[str, int]:
        """Import a file to its end and answer the counts; what blocks it fails the test with the findings."""
        run = self.check(file, unit, kind, **how)
        if run["state"] != "waiting" or run["blocked"]:
            raise AssertionError(f"{file.name}: {run['state']}, {run['message']}: {self.findings(run)[:5]}")
        done = confirm_run(self.rest, run["id"], quiet)
        assert done["state"] == "finished", done["message"]
        return {name: int(count or 0) for name, count in done["actual"].items()}

    def findings(self, run: Run) -> list[dict[str, Any]]:
        """What the check found, worst first."""
        return list_findings(self.rest, run["id"])

    def report(self, name: str, **parameters: Any) -> list[dict[str, str]]:
        """The rows of a report, each cell by its column."""
        answer = self.rest.get(f"/reports/{name}", **parameters)
        return [_by_column(answer, row) for row in answer["rows"]]

    def total(self, name: str, **parameters: Any) -> dict[str, str]:
        """The only total of a report."""
        answer = self.rest.get(f"/reports/{name}", **parameters)
        assert len(answer["totals"]) == 1, answer["totals"]
        return _by_column(answer, answer["totals"][0])

    def settle(self, within: float = 120.0) -> None:
        """Wait until every event is published and handled by everybody."""
        eventually(self._is_settled, within=within, every=0.2)

    def _is_settled(self) -> bool:
        handled = self.rest.get("/freshness")["positions"]
        for service in ("directory", "contacts", "deals", "imports"):
            lag = self.rest.get(f"/services/{service}/lag")
            done = int(handled.get(lag["source"], 0))
            if int(lag["unnumbered"]) or lag["waiting"]:
                return False
            if done < int(lag["last_position"]) and self._is_awaited(service, done):
                return False
        return True

    def _is_awaited(self, service: str, done: int) -> bool:
        """Whether reports are told anything that comes after a position: of some facts they never hear."""
        events = self.rest.get(f"/services/{service}/events", after_position=done, page_size=PAGE)["events"]
        return len(events) == PAGE or any(one["type"] in REPORTED for one in events)


def _by_column(answer: dict[str, Any], row: dict[str, Any]) -> dict[str, str]:
    return {column["name"]: cell["value"] for column, cell in zip(answer["columns"], row["cells"], strict=True)}


def all_of(rest: Rest, what: str, **parameters: Any) -> list[dict[str, Any]]:
    """Every record of a list."""
    return list(rest.pages(f"/{what}", what, page_size=500, **parameters))


def signed_in(rest: Rest) -> dict[str, str]:
    """The header of who is signed in, for answers that are looked at whole."""
    return {"Authorization": f"Bearer {rest._token}"}


def figures(rows: Sequence[dict[str, str]], key: str, value: str) -> dict[str, Decimal]:
    """One figure by its group."""
    return {row[key]: Decimal(row[value] or 0) for row in rows}
