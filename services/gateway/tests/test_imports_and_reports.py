"""From a file to a report over REST: chunks, a run to its end, its result, and the reports' answers."""

from __future__ import annotations

import hashlib
import itertools
from typing import Any

import pytest

from chassis.testing.eventually import eventually
from imports import undoing

from .conftest import Platform, Rest, a_code
from .web.conftest import Browser

ROWS = 200


def upload(rest: Rest, name: str, content: bytes, by_range: bool = False) -> dict[str, Any]:
    """Send a file in chunks and complete it."""
    begun = rest.post("/files", {"name": name, "size_bytes": len(content)}, headers={"Idempotency-Key": a_code("key")})
    file_id, size = begun["file"]["id"], begun["chunk_bytes"]
    for offset in range(0, len(content), size):
        data = content[offset : offset + size]
        where = f"bytes {offset}-{offset + len(data) - 1}/{len(content)}"
        headers = {"Content-Type": "application/octet-stream", **({"Content-Range": where} if by_range else {})}
        params = {} if by_range else {"offset": offset}
        for _ in range(2):  # a chunk that comes twice is one chunk
            answer = rest.ask("PUT", f"/files/{file_id}/chunks", content=data, params=params, headers=headers)
            assert answer.status_code == 200, answer.text
    digest = hashlib.sha256(content).hexdigest()
    complete: dict[str, Any] = rest.post(f"/files/{file_id}/complete", {"sha256": digest})
    return complete


def a_table() -> bytes:
    """A CSV of persons nobody knows yet."""
    mark = a_code("x")
    lines = [f"Anna {mark} {n},{mark}.{n}@example.com" for n in range(ROWS)]
    return ("\n".join(["Name,E-mail", *lines]) + "\n").encode()


@pytest.mark.parametrize("by_range", [False, True])
def test_a_file_comes_in_chunks(admin: Rest, by_range: bool) -> None:
    content = b"a,b\n" + b"1,2\n" * 400_000
    done = upload(admin, "numbers.csv", content, by_range)
    assert (done["complete"], done["size_bytes"]) == (True, len(content))


def test_a_chunk_that_does_not_fit_is_refused(admin: Rest) -> None:
    begun = admin.post("/files", {"name": "a.csv", "size_bytes": 10})
    path = f"/files/{begun['file']['id']}/chunks"
    headers = {"Content-Type": "application/octet-stream"}
    for params, more, reason in (
        ({}, {}, "FIELD_INVALID"),
        ({"offset": 0}, {"Content-Range": "bytes 0-99/100"}, "FIELD_INVALID"),
        ({}, {"Content-Range": "bytes 0-"}, "FIELD_INVALID"),
        ({"offset": 5}, {"Content-Range": "bytes 0-9/10"}, "FIELD_INVALID"),
        ({"offset": 3}, {}, "CHUNK_INVALID"),
    ):
        answer = admin.ask("PUT", path, content=b"0123456789", params=params, headers={**headers, **more})
        assert (answer.status_code, answer.json()["reason"]) == (400, reason), answer.text
    large = admin.ask("PUT", path, content=b"0" * (4 * 1024 * 1024 + 1), params={"offset": 0}, headers=headers)
    assert large.status_code == 413


def test_a_run_is_checked_confirmed_loaded_and_downloaded(platform: Platform, admin: Rest, a_branch: Any) -> None:
    unit = a_branch()
    file = upload(admin, "people.csv", a_table())
    key = {"Idempotency-Key": a_code("key")}
    run = admin.post("/runs", {"file_id": file["id"], "kind": "persons", "unit_id": unit["code"]}, headers=key)
    assert run["state"] == "queued"
    platform.run_jobs()
    run = admin.get(f"/runs/{run['id']}")
    assert (run["state"], run["expected"]["created"]) == ("waiting", ROWS), run["message"]
    assert {one["column"]: one["field"] for one in run["mapping"]}["E-mail"] == "email"
    saved = admin.post(f"/runs/{run['id']}/template", {"name": a_code("template")})
    assert saved["version"] == 1
    assert saved["name"] in [one["name"] for one in admin.get("/templates", kind="persons")["templates"]]
    admin.post(f"/runs/{run['id']}/confirm", headers={"If-Match": f'"{run["etag"]}"'})
    platform.run_jobs()
    run = admin.get(f"/runs/{run['id']}")
    assert (run["state"], run["actual"]["created"]) == ("finished", ROWS), run["message"]
    assert admin.get("/customers/count", unit=unit["id"])["persons"] == ROWS
    rows = admin.get(f"/runs/{run['id']}/rows", fate="created", page_size=50)
    assert (len(rows["rows"]), bool(rows["next_page_token"])) == (50, True)
    assert run["id"] in [one["id"] for one in admin.get("/runs", unit=unit["path"])["runs"]]
    assert isinstance(admin.get(f"/runs/{run['id']}/findings")["findings"], list)
    with admin.client.stream(
        "GET", f"/api/v1/runs/{run['id']}/result?format=csv", headers={"Authorization": f"Bearer {admin.token}"}
    ) as result:
        assert result.headers["content-type"].startswith("text/csv")
        assert "content-length" not in result.headers  # goes out piece by piece
        assert f"result-{run['id']}.csv" in result.headers["content-disposition"]
        text = b"".join(result.iter_bytes()).decode("utf-8-sig")
    assert text.count("created") >= ROWS


def test_a_saved_mapping_is_used_in_its_newest_version_or_a_named_one(
    platform: Platform, admin: Rest, a_branch: Any
) -> None:
    unit, name = a_branch(), a_code("template")
    file = upload(admin, "people.csv", a_table())
    asked = {"file_id": file["id"], "kind": "persons", "unit_id": unit["code"]}
    run = admin.post("/runs", {**asked, "choices": [{"field": "owner", "text": "Petya", "meaning": "none"}]})
    platform.run_jobs()
    admin.post(f"/runs/{run['id']}/template", {"name": name})
    changed = admin.ask("PATCH", f"/runs/{run['id']}", json={"mapping": [{"column": "E-mail", "field": ""}]})
    assert changed.status_code == 200, changed.text
    platform.run_jobs()
    admin.post(f"/runs/{run['id']}/template", {"name": name})
    versions = admin.get("/templates", kind="persons", name=name)["templates"]
    assert [(one["version"], fields_of(one)["E-mail"]) for one in versions] == [(2, ""), (1, "email")]
    first = admin.get("/templates", kind="persons", name=name, page_size=1)
    rest = admin.get("/templates", kind="persons", name=name, page_token=first["next_page_token"])
    assert [one["version"] for one in (*first["templates"], *rest["templates"])] == [2, 1]
    newest = admin.post("/runs", {**asked, "template_name": name})
    older = admin.post("/runs", {**asked, "template_name": name, "template_version": 1})
    assert [one["template_version"] for one in (newest, older)] == [2, 1]
    assert [fields_of(one)["E-mail"] for one in (newest, older)] == ["", "email"]
    assert [one["text"] for one in older["choices"]] == ["Petya"]


def test_a_version_that_is_not_there_is_refused_and_says_which_is_the_newest(
    platform: Platform, admin: Rest, a_branch: Any
) -> None:
    unit, name = a_branch(), a_code("template")
    file = upload(admin, "people.csv", a_table())
    asked = {"file_id": file["id"], "kind": "persons", "unit_id": unit["code"]}
    run = admin.post("/runs", asked)
    platform.run_jobs()
    admin.post(f"/runs/{run['id']}/template", {"name": name})
    for given, status, reason, told in (
        ({"template_name": name, "template_version": 2}, 404, "TEMPLATE_NOT_FOUND", "its newest is 1"),
        ({"template_name": name, "template_version": -1}, 400, "FIELD_INVALID", "template_version"),
        ({"template_version": 1}, 400, "FIELD_INVALID", "name the template"),
    ):
        answer = admin.ask("POST", "/runs", json={**asked, **given})
        assert (answer.status_code, answer.json()["reason"], told in answer.text) == (status, reason, True), answer.text
    answer = admin.ask("GET", "/templates", params={"name": name})
    assert (answer.status_code, answer.json()["reason"]) == (400, "FIELD_INVALID")


def fields_of(mapped: dict[str, Any]) -> dict[str, str]:
    """The field of each column of a run or a template."""
    return {one["column"]: one.get("field", "") for one in mapped["mapping"]}


def test_columns_become_own_fields_read_by_what_these_hold(platform: Platform, admin: Rest, a_branch: Any) -> None:
    unit, elsewhere, mark = a_branch(currency_code="EUR"), a_branch(), a_code("x")

    def own(label: str, kind: str, **more: Any) -> str:
        body = {"record_type": "person", "label": f"{label} {mark}", "type": kind, **more}
        made: dict[str, Any] = admin.post("/customer_fields", body)["customer_field"]
        return str(made["key"])

    height = own("Height", "number", labels={"ru": f"Рост {mark}"})
    limit, since, club = own("Limit", "money"), own("Since", "date"), own("Club", "yes_no")
    there = own("Only there", "text", unit_id=elsewhere["id"])
    lines = [
        f"Name;Рост {mark};How much;Since {mark};Member;Only there {mark};Hobby",
        f'Ann {mark};1,85;"1.200,50";03/04/2021;да;said;golf',
        f'Bob {mark};;"$2.000,25";25/12/2024;no;;',
    ]
    file = upload(admin, "people.csv", "\n".join(lines).encode())
    asked = {"file_id": file["id"], "kind": "persons", "unit_id": unit["code"], "options": {"delimiter": ";"}}
    chosen = {"How much": f"attributes.{limit}", "Member": f"attributes.{club}"}
    given = [{"column": column, "field": field} for column, field in chosen.items()]
    run = admin.post("/runs", {**asked, "mapping": given})
    platform.run_jobs()
    run = admin.get(f"/runs/{run['id']}")
    assert (run["state"], run["expected"]["created"]) == ("waiting", 2), (run["message"], findings_of(admin, run))
    assert fields_of(run) == {
        "Name": "full_name", f"Рост {mark}": f"attributes.{height}", **chosen,
        f"Since {mark}": f"attributes.{since}", f"Only there {mark}": "attribute", "Hobby": "attribute",
    }  # fmt: skip
    browser = Browser(platform.url)
    browser.sign_in("admin")
    page = browser.get(f"/imports/{run['id']}?step=columns").text
    browser.client.close()
    assert f'<option value="attributes.{height}" selected title="">Height {mark}</option>' in page
    assert f'value="attributes.{there}"' not in page  # of another unit
    admin.post(f"/runs/{run['id']}/confirm")
    platform.run_jobs()
    names = {one["display_name"]: one["id"] for one in admin.get("/persons", unit=unit["id"])["persons"]}
    cards = [admin.get(f"/persons/{names[f'{name} {mark}']}")["attributes"] for name in ("Ann", "Bob")]
    assert cards == [
        {height: "1.85", limit: "1200.5 EUR", since: "2021-04-03", club: "yes", there: "said", "Hobby": "golf"},
        {limit: "2000.25 USD", since: "2024-12-25", club: "no"},
    ]


def test_a_column_for_an_own_field_that_is_retired_stops_the_run(
    platform: Platform, admin: Rest, a_branch: Any
) -> None:
    unit, mark = a_branch(), a_code("x")
    file = upload(admin, "people.csv", f"Name,Shoes\nAnn {mark},43\n".encode())
    asked = {"file_id": file["id"], "kind": "persons", "unit_id": unit["code"]}
    run = admin.post("/runs", {**asked, "mapping": [{"column": "Shoes", "field": f"attributes.{mark}"}]})
    platform.run_jobs()
    run = admin.get(f"/runs/{run['id']}")
    [found] = findings_of(admin, run)
    assert (run["blocked"], found["code"], found["column"]) == (True, "own_field_gone", "Shoes")
    twice = {"mapping": [{"column": one, "field": f"attributes.{mark}"} for one in ("Name", "Shoes")]}
    answer = admin.ask("PATCH", f"/runs/{run['id']}", json=twice)
    assert (answer.status_code, answer.json()["reason"]) == (400, "MAPPING_INVALID")


def test_columns_that_a_card_has_no_room_for_are_named(platform: Platform, admin: Rest, a_branch: Any) -> None:
    unit, mark = a_branch(), a_code("x")
    heads, cells = ",".join(f"Zz{n}q" for n in range(52)), ",".join(f"v{n}" for n in range(52))
    file = upload(admin, "people.csv", f"Name,{heads}\nAnn {mark},{cells}\n".encode())
    run = admin.post("/runs", {"file_id": file["id"], "kind": "persons", "unit_id": unit["code"]})
    platform.run_jobs()
    [found] = findings_of(admin, run)
    assert (found["code"], found["severity"], "Zz50q, Zz51q" in found["message"]) == ("too_many_facts", "warning", True)


def findings_of(rest: Rest, run: dict[str, Any]) -> list[dict[str, Any]]:
    """What the check of a run found."""
    found: list[dict[str, Any]] = rest.get(f"/runs/{run['id']}/findings")["findings"]
    return found


def test_a_run_over_a_file_that_the_scanner_refuses_fails_and_says_so(
    platform: Platform, admin: Rest, a_branch: Any
) -> None:
    unit = a_branch()
    file = upload(admin, "people.csv", a_table())
    run = admin.post("/runs", {"file_id": file["id"], "kind": "persons", "unit_id": unit["code"]})
    platform.run_jobs(scan_command="false")
    run = admin.get(f"/runs/{run['id']}")
    assert (run["state"], "the scanner for uploaded files refuses it" in run["message"]) == ("failed", True)


def test_a_result_that_cannot_be_had_is_a_problem_answer(admin: Rest) -> None:
    unknown = "00000000-0000-7000-8000-000000000000"
    answer = admin.ask("GET", f"/runs/{unknown}/result")
    assert (answer.status_code, answer.json()["reason"]) == (404, "RUN_NOT_FOUND")
    assert admin.ask("GET", f"/runs/{unknown}/result", params={"format": "exe"}).status_code == 400


def test_a_seller_may_not_import(a_branch: Any, a_user: Any) -> None:
    unit = a_branch()
    seller: Rest = a_user(unit)
    answer = seller.ask("POST", "/files", json={"name": "a.csv", "size_bytes": 1})
    if answer.status_code == 201:  # who may upload may still not load
        body = {"file_id": answer.json()["file"]["id"], "kind": "persons", "unit_id": unit["id"]}
        answer = seller.ask("POST", "/runs", json=body)
    assert answer.status_code in (403, 404, 409), answer.text


def test_the_kinds_of_data_are_listed_with_their_fields(admin: Rest) -> None:
    kinds = {one["name"]: one["fields"] for one in admin.get("/kinds")["kinds"]}
    assert {"organizations", "persons", "products", "deals", "plans", "interactions", "employees"} <= set(kinds)
    assert all(kinds.values())


def test_reports_are_listed_and_run(admin: Rest, a_branch: Any) -> None:
    unit = a_branch()
    names = {one["name"] for one in admin.get("/reports")["reports"]}
    assert {"funnel", "won", "win-rate", "cycle", "plan-fact", "customers"} <= names
    params = {"unit": unit["code"], "from": "2026-01-01", "to": "2026-03-31"}
    for groups in ("unit,month", ["unit", "month"]):
        answer = admin.get("/reports/won", **params, group_by=groups)
        assert (answer["name"], answer["rows"]) == ("won", [])
        assert [one["name"] for one in answer["columns"]][:2] == ["unit", "month"]


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/reports/nothing", {}, 404),
        ("/reports/won", {"from": "2026-02-30"}, 400),
        ("/reports/won", {"form": "2026-02-01"}, 400),
        ("/reports/won", {"group_by": "moon"}, 400),
        ("/reports/won", {"unit": "nowhere"}, 404),
    ],
)
def test_a_wrong_question_to_a_report_is_refused(admin: Rest, path: str, params: dict[str, str], status: int) -> None:
    assert admin.ask("GET", path, params=params).status_code == status


def test_exchange_rates_and_freshness(admin: Rest) -> None:
    rate = {"from_currency": "USD", "to_currency": "EUR", "rate": "0.91", "start_date": "2026-01-01", "source": "ECB"}
    assert admin.post("/exchange_rates", rate)["rate"] == "0.91"
    assert any(one["from_currency"] == "USD" for one in admin.get("/exchange_rates")["rates"])
    assert len(admin.get("/freshness", with_digest=True)["digest"]) == 64


def test_events_are_for_administrators(admin: Rest, a_branch: Any, a_user: Any) -> None:
    unit = a_branch()
    feed = admin.get("/services/directory/events", page_size=5)
    assert feed["last_position"] >= 0
    assert admin.get("/services/contacts/parked_events")["parked"] == []
    assert admin.get("/services/contacts/lag")["source"].endswith("contacts")
    unknown = admin.ask("GET", "/services/contacts/parked_events/99")
    assert (unknown.status_code, unknown.json()["reason"]) == (404, "PARKED_EVENT_NOT_FOUND")
    seller: Rest = a_user(unit)
    for path in ("events", "parked_events", "lag"):
        assert seller.ask("GET", f"/services/contacts/{path}").status_code == 403


def loaded(platform: Platform, rest: Rest, unit: str, text: str, kind: str = "persons") -> Any:
    """A run of a file, loaded to its end."""
    file = upload(rest, f"{kind}.csv", text.encode())
    run = rest.post("/runs", {"file_id": file["id"], "kind": kind, "unit_id": unit, "unattended": True})
    platform.run_jobs()
    run = rest.get(f"/runs/{run['id']}")
    assert run["state"] == "finished", run["message"]
    return run


def counts_of(run: Any) -> tuple[int, ...]:
    """What became of the records, as the run's undo tells it."""
    return tuple(int(run["undo"].get(name) or 0) for name in ("removed", "restored", "kept"))


def test_a_run_is_undone_as_a_whole_and_what_stays_is_listed(platform: Platform, admin: Rest, a_branch: Any) -> None:
    unit, mark = a_branch(), a_code("undo")
    head = "Number,Name,E-mail,Organization\n"
    old = loaded(platform, admin, unit["code"], f"{head}0,Zero {mark},{mark}.0@example.com,\n")
    lines = [f"{n},Anna {mark} {n},{mark}.{n}@example.com,Firm {mark}" for n in range(1, 6)]
    text = head + "\n".join([f"0,Zero {mark},{mark}.0@example.com,Firm {mark}", *lines]) + "\n"
    run = loaded(platform, admin, unit["code"], text)
    assert run["actual"]["created"] == 5
    [zero] = admin.get(f"/runs/{old['id']}/rows")["rows"]
    made = admin.get(f"/runs/{run['id']}/rows", fate="created")["rows"]
    deal = {"title": mark, "person_id": made[0]["record_id"], "unit_id": unit["id"]}
    admin.post("/deals", deal)
    task = {
        "kind": "task",
        "subject": mark,
        "person_id": made[1]["record_id"],
        "unit_id": unit["id"],
        "due_date": "2030-01-01",
    }
    admin.post("/activities", task)
    asked = admin.post(f"/runs/{run['id']}/undo", {"dry_run": True})
    assert (asked["state"], asked["undo"]["dry_run"], asked["undo"]["done"]) == ("finished", True, False)
    refused = admin.ask("POST", f"/runs/{run['id']}/undo", json={})
    assert (refused.status_code, refused.json()["reason"]) == (409, "RUN_NOT_UNDOABLE"), refused.text
    platform.run_jobs()
    foretold = admin.get(f"/runs/{run['id']}")
    assert (foretold["state"], foretold["undo"]["done"]) == ("finished", True)
    assert counts_of(foretold)[1:] == (1, 2)
    assert admin.get("/customers/count", unit=unit["id"])["persons"] == 6
    assert admin.post(f"/runs/{run['id']}/undo", {})["state"] == "undoing"
    platform.run_jobs()
    undone = admin.get(f"/runs/{run['id']}")
    assert undone["state"] == "undone", undone["message"]
    assert counts_of(undone) == (3, 1, 3)
    assert admin.get("/customers/count", unit=unit["id"])["persons"] == 3
    kept = admin.get(f"/runs/{run['id']}/kept", page_size=2)
    kept["kept"] += admin.get(f"/runs/{run['id']}/kept", page_token=kept["next_page_token"])["kept"]
    reasons = {one["display_name"]: one["reason"] for one in kept["kept"]}
    assert reasons == {f"Anna {mark} 1": "in_use", f"Anna {mark} 2": "in_use", f"Firm {mark}": "has_members"}
    assert admin.get(f"/persons/{zero['record_id']}")["affiliations"] == []
    again = admin.ask("POST", f"/runs/{run['id']}/undo", json={})
    assert (again.status_code, again.json()["reason"]) == (409, "RUN_NOT_UNDOABLE")
    assert "undone already" in again.json()["detail"]
    assert loaded(platform, admin, unit["code"], text)["actual"]["created"] == 3


def test_an_undoing_that_is_cut_off_goes_on_and_counts_each_record_once(
    platform: Platform, admin: Rest, a_branch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit, mark = a_branch(), a_code("cut")
    lines = [f"Anna {mark} {n},{mark}.{n}@example.com,Firm {mark} {n % 3}" for n in range(25)]
    run = loaded(platform, admin, unit["code"], "\n".join(["Name,E-mail,Organization", *lines]) + "\n")
    monkeypatch.setattr("imports.undoing.MOST_RECORDS", 10)
    takes, keep = itertools.count(1), undoing._keep

    def fall(*given: Any, **named: Any) -> None:
        if next(takes) in (1, 3):
            raise ConnectionError("the process fell after contacts had taken the set back")
        keep(*given, **named)

    monkeypatch.setattr("imports.undoing._keep", fall)
    admin.post(f"/runs/{run['id']}/undo", {})
    platform.run_jobs()
    undone = eventually(lambda: after_jobs(platform, admin, run["id"]), within=60)
    assert counts_of(undone) == (28, 0, 0)
    assert next(takes) > 6
    assert admin.get("/customers/count", unit=unit["id"])["persons"] == 0


def after_jobs(platform: Platform, rest: Rest, run_id: str) -> Any:
    """The run once it is undone, having whatever is due worked off."""
    platform.run_jobs()
    run = rest.get(f"/runs/{run_id}")
    return run if run["state"] == "undone" else None


def test_who_may_not_import_in_the_unit_undoes_nothing_and_other_kinds_say_why(
    platform: Platform, admin: Rest, a_branch: Any, a_user: Any
) -> None:
    unit, other, mark = a_branch(), a_branch(), a_code("foreign")
    run = loaded(platform, admin, unit["code"], f"Name,E-mail\nAnna {mark},{mark}@example.com\n")
    stranger = a_user(other, "branch_head")
    for method, path in (("POST", "undo"), ("GET", "kept")):
        answer = stranger.ask(method, f"/runs/{run['id']}/{path}", **({"json": {}} if method == "POST" else {}))
        assert (answer.status_code, answer.json()["reason"]) == (404, "RUN_NOT_FOUND"), answer.text
    products = loaded(platform, admin, unit["code"], f"Name,Code\nRoof {mark},{mark}\n", "products")
    refused = admin.ask("POST", f"/runs/{products['id']}/undo", json={})
    assert (refused.status_code, refused.json()["reason"]) == (409, "RUN_NOT_UNDOABLE")
    assert "only those of persons and organizations" in refused.json()["detail"]
