"""Exports from the request to the file: rights, budget and second person, stops, the mark, and the way back in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import openpyxl
import pytest
import sqlalchemy as sa

from imports.exporting import running
from imports.exporting.lists import PERSONS
from imports.exporting.storing import forget_expired
from imports.tables import export, export_page, export_piece

from .conftest import Platform, Rest, a_code
from .test_imports_and_reports import upload

SHOWN = ["full_name", "phone", "email", "organization", "owner"]


@pytest.fixture
def branch(a_branch: Callable[..., Any]) -> Any:
    """A branch of its own for every test, since what its people export is counted."""
    return a_branch()


@pytest.fixture
def steward(branch: Any, a_user: Callable[..., Rest]) -> Rest:
    """Somebody who may export what the branch has."""
    return a_user(branch, "steward")


def fill(rest: Rest, unit: Any, count: int, stem: str = "Person") -> list[str]:
    """Persons of a unit; answers their names."""
    names = [f"{stem} {number:03} {uuid4().hex[:6]}" for number in range(count)]
    for name in names:
        address = f"{uuid4().hex[:10]}@example.com"
        channels = [{"kind": "email", "raw": address}, {"kind": "phone", "raw": f"+49 30 {uuid4().int % 10**7:07}"}]
        rest.post("/persons", {"display_name": name, "unit_id": unit["id"], "channels": channels})
    return names


def ask(rest: Rest, unit: Any, list_: str = "persons", **more: Any) -> Any:
    """An export of a unit's list."""
    filters = {"unit_id": unit["id"], **more.pop("filters", {})}
    return rest.post("/exports", {"list": list_, "filters": filters, **more})


def take(rest: Rest, made: Any) -> bytes:
    """The file of an export."""
    answer = rest.ask("GET", f"/exports/{made['id']}/file")
    assert answer.status_code == 200, answer.text
    return answer.content


def rows_of(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV, the mark below them left out."""
    return [row for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"))) if None not in row.values()]


def test_a_list_comes_out_with_its_rows_columns_and_mark_in_every_format(
    platform: Platform, branch: Any, steward: Rest
) -> None:
    names = sorted(fill(steward, branch, 3))
    for form in ("csv", "xlsx", "json", "vcf"):
        made = ask(steward, branch, columns=["full_name", "email"], format=form)
        assert (made["state"], made["own"]) == ("queued", True)
        platform.run_jobs()
        made = steward.get(f"/exports/{made['id']}")
        assert (made["state"], made["row_count"]) == ("ready", 3), made["message"]
        content = take(steward, made)
        if form == "csv":
            assert [row["full_name"] for row in rows_of(content)] == names
            mark = content.decode()
        elif form == "xlsx":
            book: Any = openpyxl.load_workbook(io.BytesIO(content))
            assert [row[0].value for row in book.worksheets[0].iter_rows(min_row=2, max_row=4)] == names
            mark = str(book.properties.description)
        elif form == "vcf":
            mark = content.decode().replace("\r\n ", "")
            assert [line[3:] for line in mark.splitlines() if line.startswith("FN:")] == names
        else:
            told = json.loads(content)
            assert [row["full_name"] for row in told["rows"]] == names
            mark = json.dumps(told["export"])
        assert [part for part in (made["id"], made["user_id"], "3") if part not in mark] == []


def test_deals_activities_and_reports_come_out_as_well(platform: Platform, branch: Any, admin: Rest) -> None:
    stage = admin.get("/pipelines")["pipelines"][0]["stages"][0]["id"]
    deal = {"title": "=Deal", "unit_id": branch["id"], "stage_id": stage}
    admin.post("/deals", {**deal, "amount": {"amount": "12.5", "currency_code": "EUR"}})
    task = {"kind": "task", "subject": "Call", "unit_id": branch["id"], "due_date": "2026-12-01"}
    admin.post("/activities", task)
    asked = {
        "deals": ask(admin, branch, "deals", format="csv", filters={"status": "open", "order": "amount"}),
        "activities": ask(admin, branch, "activities", format="csv", filters={"kind": "task"}),
        "report:customers": ask(admin, branch, "report:customers", format="csv"),
    }
    platform.run_jobs()
    for name, one in asked.items():
        found = admin.get(f"/exports/{one['id']}")
        assert found["state"] == "ready", (name, found["message"])
    [row] = rows_of(take(admin, asked["deals"]))
    assert (row["title"], row["amount"], row["currency"], row["status"]) == ("'=Deal", "12.5", "EUR", "open")
    [row] = rows_of(take(admin, asked["activities"]))
    assert (row["subject"], row["due_date"], row["kind"]) == ("Call", "2026-12-01", "task")


def test_only_rows_that_may_be_read_and_exported_come_out(
    platform: Platform, branch: Any, a_branch: Callable[..., Any], steward: Rest, admin: Rest
) -> None:
    mine, other = fill(steward, branch, 2), a_branch()
    theirs = fill(admin, other, 2, "Foreign")
    made = steward.post("/exports", {"list": "persons", "format": "csv"})
    platform.run_jobs()
    names = {row["full_name"] for row in rows_of(take(steward, made))}
    assert (set(mine) <= names, names & set(theirs)) == (True, set())


def test_who_may_read_and_not_export_gets_no_file(branch: Any, a_user: Callable[..., Rest]) -> None:
    for role in ("seller", "head"):
        answer = a_user(branch, role).ask("POST", "/exports", json={"list": "persons"})
        assert (answer.status_code, answer.json()["metadata"]["action"]) == (403, "export")


def test_another_ones_export_is_as_if_there_were_none(
    platform: Platform, branch: Any, steward: Rest, admin: Rest
) -> None:
    made = ask(steward, branch)
    platform.run_jobs()
    for path in ("", "/file"):
        answer = admin.ask("GET", f"/exports/{made['id']}{path}")
        assert (answer.status_code, answer.json()["reason"]) == (404, "EXPORT_NOT_FOUND")
    assert admin.ask("POST", f"/exports/{made['id']}/cancel").status_code == 404
    assert made["id"] not in {one["id"] for one in admin.get("/exports")["exports"]}


@pytest.fixture
def small_budget(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> int:
    """Four rows a day."""
    settings = platform.job_settings(export_rows_a_day=4)
    monkeypatch.setattr(platform.doors["imports"], "settings", settings)
    return 4


def test_more_rows_than_the_budget_wait_for_a_second_person(
    platform: Platform, branch: Any, steward: Rest, a_user: Callable[..., Rest], small_budget: int
) -> None:
    fill(steward, branch, small_budget + 1)
    made = ask(steward, branch, format="csv", reason="letters for New Year")
    platform.run_jobs()
    asked = steward.get(f"/exports/{made['id']}")
    assert (asked["state"], asked["row_count"], asked["can_decide"]) == ("asked", 5, False)
    alarms = a_user(branch, "head").get("/audit", actions="alarm")["entries"]
    assert [one["record_ids"] for one in alarms if one["actor_id"] == asked["user_id"]] == [[made["id"]]]
    decision = {"approve": True, "answer": "go on"}
    assert steward.ask("POST", f"/exports/{made['id']}/decide", json=decision).status_code == 404
    assert a_user(branch, "seller").ask("POST", f"/exports/{made['id']}/decide", json=decision).status_code == 404
    head = a_user(branch, "branch_head")
    [seen] = head.get("/exports", to_decide=True)["exports"]
    assert (seen["id"], seen["reason"], seen["can_decide"]) == (made["id"], "letters for New Year", True)
    assert head.post(f"/exports/{made['id']}/decide", decision)["state"] == "queued"
    platform.run_jobs()
    ready = steward.get(f"/exports/{made['id']}")
    assert (ready["state"], ready["decider_id"]) == ("ready", seen["decider_id"] or ready["decider_id"])
    assert len(rows_of(take(steward, ready))) == 5
    assert head.ask("GET", f"/exports/{made['id']}/file").status_code == 404
    assert "agreed by" in take(steward, ready).decode()


def test_exports_within_the_budget_add_up_until_it_is_used(
    platform: Platform, branch: Any, steward: Rest, a_user: Callable[..., Rest], small_budget: int
) -> None:
    fill(steward, branch, small_budget - 1)
    first, second = ask(steward, branch), ask(steward, branch)
    platform.run_jobs()
    states = [steward.get(f"/exports/{one['id']}")["state"] for one in (first, second)]
    assert states == ["ready", "asked"]
    assert steward.get("/export_lists")["used_rows"] == small_budget - 1
    said = {"approve": False, "answer": "once is enough"}
    assert a_user(branch, "branch_head").post(f"/exports/{second['id']}/decide", said)["state"] == "declined"
    platform.run_jobs()
    assert steward.get(f"/exports/{second['id']}")["answer"] == "once is enough"
    assert steward.ask("GET", f"/exports/{second['id']}/file").json()["reason"] == "EXPORT_NOT_READY"


def when_the_second_page_comes(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Any]) -> None:
    """Pages of one row, before the second of which something happens, once."""
    monkeypatch.setattr("imports.exporting.asking.PAGE", 1)
    monkeypatch.setattr("imports.peers.NARROW_AGE", 0.0)
    usual, waiting = running._read_page, [happens]

    def read(one: Any, token: str) -> Any:
        if token and waiting:
            waiting.pop()()
        return usual(one, token)

    monkeypatch.setattr("imports.exporting.running._read_page", read)


def kept_of(platform: Platform, made: Any) -> int:
    """How many pages and pieces are kept of an export."""
    with platform.databases["imports"].transaction() as work:
        counts = [sa.select(sa.func.count()).where(t.c.export_id == made["id"]) for t in (export_page, export_piece)]
        return sum(work.execute(one).scalar_one() for one in counts)


def test_a_freeze_stops_an_export_that_runs_and_nothing_is_kept_of_it(
    platform: Platform, branch: Any, steward: Rest, admin: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("units.freezing.READ_AGAIN", 0.0)
    fill(steward, branch, 3)
    made = ask(steward, branch)

    def freeze() -> None:
        admin.post(f"/units/{branch['id']}/freeze", {"reason": "a colleague leaves"})
        platform.spread_units()

    when_the_second_page_comes(monkeypatch, freeze)
    platform.run_jobs()
    found = steward.get(f"/exports/{made['id']}")
    assert (found["state"], "a colleague leaves" in found["message"]) == ("failed", True)
    assert (found["row_count"], kept_of(platform, made)) == (2, 0)
    assert steward.ask("POST", "/exports", json={"list": "persons"}).status_code == 403


def test_who_is_locked_out_takes_nothing_away_with_an_export_that_runs(
    platform: Platform, branch: Any, steward: Rest, admin: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(steward, branch, 3)
    made = ask(steward, branch)
    etag = admin.get(f"/users/{made['user_id']}")["etag"]
    close = {"headers": {"If-Match": f'"{etag}"'}}
    when_the_second_page_comes(
        monkeypatch, lambda: admin.patch(f"/users/{made['user_id']}", {"active": False}, **close)
    )
    platform.run_jobs()
    with platform.databases["imports"].transaction() as work:
        state = work.execute(sa.select(export.c.state).where(export.c.id == made["id"])).scalar_one()
    assert (state, kept_of(platform, made)) == ("failed", 0)


def test_an_export_goes_on_after_its_process_was_killed(
    platform: Platform, branch: Any, steward: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imports.exporting.asking.PAGE", 2)
    names = fill(steward, branch, 5)
    made = ask(steward, branch, format="csv")
    usual, calls = running._read_page, list[str]()

    def falls_once(one: Any, token: str) -> Any:
        calls.append(token)
        if len(calls) == 2:
            raise RuntimeError("killed")
        return usual(one, token)

    monkeypatch.setattr("imports.exporting.running._read_page", falls_once)
    monkeypatch.setattr("chassis.jobs._pause_after", lambda _: 0.0)
    platform.run_jobs()
    assert steward.get(f"/exports/{made['id']}")["state"] == "ready"
    assert sorted(row["full_name"] for row in rows_of(take(steward, made))) == sorted(names)
    assert calls.count("") == 1


def test_a_file_is_deleted_when_its_time_is_over(platform: Platform, branch: Any, steward: Rest) -> None:
    made = ask(steward, branch)
    platform.run_jobs(export_days=0)
    with platform.databases["imports"].transaction() as work:
        assert forget_expired(work) >= 1
    found = steward.get(f"/exports/{made['id']}")
    assert found["state"] == "expired"
    assert steward.ask("GET", f"/exports/{made['id']}/file").json()["reason"] == "EXPORT_NOT_READY"


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_exported_file_imports_back_with_no_difference(
    platform: Platform, branch: Any, steward: Rest, form: str
) -> None:
    fill(steward, branch, 5, "+Plus")
    before, made = ask(steward, branch, format="json"), ask(steward, branch, format=form)
    platform.run_jobs()
    file = upload(steward, f"again.{form}", take(steward, made))
    preset = [{"column": one.name, "field": one.import_field} for one in PERSONS.columns]
    body = {"file_id": file["id"], "kind": "persons", "unit_id": branch["id"], "mapping": preset, "unattended": True}
    run = steward.post("/runs", body, headers={"Idempotency-Key": a_code("key")})
    after = ask(steward, branch, format="json")
    platform.run_jobs()
    run = steward.get(f"/runs/{run['id']}")
    counts = run["actual"]
    assert (run["state"], counts["rows_read"], counts["created"], counts["refused"]) == ("finished", 5, 0, 0), run
    rows, again = (json.loads(take(steward, one))["rows"] for one in (before, after))
    assert len(rows) == 5
    assert rows == again


def test_what_is_done_with_an_export_stands_in_the_trail(
    platform: Platform, branch: Any, steward: Rest, admin: Rest
) -> None:
    made = ask(steward, branch)
    platform.run_jobs()
    take(steward, made)
    with platform.databases["imports"].transaction() as work:
        told = sa.text("SELECT action, method, reason FROM audit_entry WHERE CAST(:id AS uuid) = ANY(record_ids)")
        entries = {(row.action, row.method): row.reason for row in work.execute(told, {"id": made["id"]})}
    assert entries[("act", "imports/CreateExport")] == "persons xlsx"
    assert entries[("file", "imports/Export")] == "0 rows of persons as xlsx"


def test_own_fields_are_columns_of_a_file(platform: Platform, branch: Any, admin: Rest, steward: Rest) -> None:
    label = f"Height, bare {uuid4().hex[:6]}"
    body = {"record_type": "person", "type": "number", "label": label, "unit_id": branch["id"]}
    old = {"display_name": f"Old {label}", "unit_id": branch["id"], "attributes": {label: "=tall"}}
    admin.post("/persons", old)  # before there were rules
    column = f"own.{admin.post('/customer_fields', body)['customer_field']['id']}"
    admin.post("/persons", {**old, "display_name": f"New {label}", "attributes": {label: "-180.5"}})
    chosen = ask(steward, branch, columns=["full_name", column], format="csv")
    whole = ask(steward, branch, format="xlsx", filters={"field_conditions": f"{label}<=0\n{label}=*"})
    platform.run_jobs()
    assert rows_of(take(steward, chosen)) == [
        {"full_name": f"New {label}", label: "-180.5"},
        {"full_name": f"Old {label}", label: "'=tall"},
    ]
    sheet: Any = openpyxl.load_workbook(io.BytesIO(take(steward, whole))).worksheets[0]
    heading, first, *_rest = sheet.iter_rows(values_only=True)
    values = dict(zip(heading, first, strict=True))
    assert (values[label], values["full_name"], sheet.cell(3, 1).value) == (-180.5, f"New {label}", None)


def test_a_column_that_is_no_field_is_refused(platform: Platform, branch: Any, steward: Rest) -> None:
    for columns in (["own.height"], ["own."]):
        answer = steward.ask("POST", "/exports", json={"list": "persons", "columns": columns})
        assert (answer.status_code, "own.<id of a field>" in answer.text) == (400, True)
    made = ask(steward, branch, columns=[f"own.{branch['id']}"])
    platform.run_jobs()
    found = steward.get(f"/exports/{made['id']}")
    assert (found["state"], "no field any more" in found["message"]) == ("failed", True)
