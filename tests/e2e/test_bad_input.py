"""What cannot be right is refused with its reason and its field, and nothing of it is half done."""

from __future__ import annotations

import uuid
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from branchline.exits import Failure
from branchline.runs import upload_file
from tests.e2e.office import Office, Run, all_of, signed_in

pytestmark = pytest.mark.timeout(300)

TEN_GIGABYTES = 10 * 2**30
CHUNK = 2**20
NOBODY = "0190a5b0-0000-7000-8000-000000000000"  # an id that nothing has
Answer = tuple[int, dict[str, Any]]


@pytest.fixture(scope="module")
def unit(office: Office) -> str:
    """A branch for all that goes wrong."""
    made = office.unit("trouble", "Trouble", country_code="RU", area_code="495", currency_code="RUB")
    office.settle()
    return made


@pytest.fixture(scope="module")
def person(office: Office, unit: str) -> dict[str, Any]:
    """A card that is in order."""
    body = {"display_name": "Anna Adler", "unit_id": unit}
    found: dict[str, Any] = office.rest.post("/persons", body, key=str(uuid.uuid4()))["person"]
    return found


def ask(office: Office, method: str, path: str, key: str = "", etag: str = "", **more: Any) -> Answer:
    """What REST answers, refusals too."""
    given = {"Idempotency-Key": key, "If-Match": f'"{etag}"' if etag else ""}
    headers = signed_in(office.rest) | {name: value for name, value in given.items() if value}
    answer = office.rest.client.request(method, path, headers=headers, **more)
    return answer.status_code, answer.json()


def fields_of(problem: dict[str, Any]) -> list[str]:
    """The fields a problem names."""
    return [one["field"] for one in problem.get("errors", [])]


def make_workbook(path: Path) -> Path:
    """A workbook in order."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ("Name", "Phone"))
        sheet.write_row(1, 0, ("Otto Ordner", "+7 916 555-00-01"))
    return path


def make_bomb(path: Path) -> Path:
    """A workbook of a few hundred kilobytes whose sheet unpacks to 400 million."""
    good = make_workbook(path.with_name("good.xlsx"))
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            if name != "xl/worksheets/sheet1.xml":
                target.writestr(name, source.read(name))
        with target.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _ in range(400):
                sheet.write(b" " * 1_000_000)
    return path


def make_macro(path: Path) -> Path:
    """A workbook with a project of macros inside."""
    make_workbook(path)
    with zipfile.ZipFile(path, "a") as book:
        book.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0 not run by anybody")
    return path


def make_bytes(content: bytes) -> Callable[[Path], Path]:
    """A file of these bytes."""

    def make(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return make


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "make", "says"),
        [
            ("empty.xlsx", make_bytes(b""), "empty"),
            ("empty.csv", make_bytes(b""), "empty"),
            ("picture.xlsx", make_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40), ""),
            ("paper.csv", make_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(range(256)) * 40), ""),
            ("program.xls", make_bytes(b"MZ\x90\x00" + bytes(range(256)) * 40), ""),
            ("noise.xlsx", make_bytes(b"PK\x03\x04" + bytes(range(256)) * 40), "damaged"),
            ("bomb.xlsx", make_bomb, "unpack"),
        ],
    )
    def test_no_table_ends_the_run_with_a_reason(
        self, office: Office, unit: str, tmp_path: Path, name: str, make: Callable[[Path], Path], says: str
    ) -> None:
        run = office.check(make(tmp_path / name), unit, "persons")
        assert (run["state"], int(run["actual"]["created"]) if run["actual"] else 0) == ("failed", 0)
        assert says in run["message"]
        assert len(run["message"].split("; ")) > 1, "what can be done is not said"

    @pytest.mark.parametrize("name", ["pass_protected.xlsx", "pass_protected.xlsb", "pass_protected.ods"])
    def test_a_file_with_a_password_says_so(
        self, office: Office, unit: str, shared_data: Callable[[str], Path], name: str
    ) -> None:
        run = office.check(shared_data("xls-calamine") / name, unit, "persons")
        assert run["state"] == "failed"
        assert "password" in run["message"]

    def test_a_half_of_a_workbook_is_damaged(self, office: Office, unit: str, tmp_path: Path) -> None:
        whole = make_workbook(tmp_path / "whole.xlsx").read_bytes()
        run = office.check(make_bytes(whole[: len(whole) // 2])(tmp_path / "half.xlsx"), unit, "persons")
        assert run["state"] == "failed"

    @pytest.mark.parametrize("name", ["renamed.csv", "renamed.xls", "no ending"])
    def test_a_workbook_under_another_name_is_read_by_its_content(
        self, office: Office, unit: str, tmp_path: Path, name: str
    ) -> None:
        file = make_workbook(tmp_path / "right.xlsx").rename(tmp_path / name)
        run = office.check(file, unit, "persons")
        assert (run["state"], run["blocked"], int(run["expected"]["rows_read"])) == ("waiting", False, 1)

    def test_macros_are_left_alone_and_told(self, office: Office, unit: str, tmp_path: Path) -> None:
        run = office.check(make_macro(tmp_path / "macros.xlsm"), unit, "persons")
        assert (run["state"], run["blocked"]) == ("waiting", False)
        assert "macros_ignored" in [one["code"] for one in office.findings(run)]

    @pytest.mark.parametrize("content", [b"Name,Phone\n", b"\n\n\n", b"Name,Phone\n,\n,\n"])
    def test_a_table_without_rows_cannot_be_loaded(
        self, office: Office, unit: str, tmp_path: Path, content: bytes
    ) -> None:
        run = office.check(make_bytes(content)(tmp_path / "header.csv"), unit, "persons")
        assert run["state"] == "failed" or run["blocked"]

    def test_ten_gigabytes_are_refused_before_a_byte_is_sent(self, office: Office, tmp_path: Path) -> None:
        huge = tmp_path / "huge.csv"
        with huge.open("wb") as file:
            file.truncate(TEN_GIGABYTES)  # a sparse file: it holds no block of the disk
        with pytest.raises(Failure) as refused:
            upload_file(office.rest, huge, lambda _: None)
        assert refused.value.reason == "FILE_TOO_LARGE"


class TestUploads:
    @pytest.fixture
    def begun(self, office: Office) -> str:
        answer = office.rest.post("/files", {"name": "two.csv", "size_bytes": CHUNK + 5}, key=str(uuid.uuid4()))
        return str(answer["file"]["id"])

    @pytest.mark.parametrize(
        ("offset", "size"), [(0, 10), (5, CHUNK), (CHUNK, 6), (2 * CHUNK, 1), (2**61, 1), (0, CHUNK + 1)]
    )
    def test_a_chunk_that_does_not_fit_is_refused(self, office: Office, begun: str, offset: int, size: int) -> None:
        status, problem = ask(office, "PUT", f"/files/{begun}/chunks", params={"offset": offset}, content=b"x" * size)
        assert (status, problem["reason"]) == (400, "CHUNK_INVALID")

    def test_what_is_missing_or_other_than_sent_is_named(self, office: Office, begun: str) -> None:
        office.rest.put_bytes(f"/files/{begun}/chunks", b"x" * CHUNK, offset=0)
        status, problem = ask(office, "POST", f"/files/{begun}/complete", json={})
        assert (status, problem["reason"], problem["metadata"]) == (409, "CHUNK_MISSING", {"offset": str(CHUNK)})
        office.rest.put_bytes(f"/files/{begun}/chunks", b"y" * 5, offset=CHUNK)
        status, problem = ask(office, "POST", f"/files/{begun}/complete", json={"sha256": "0" * 64})
        assert (status, problem["reason"]) == (400, "CHECKSUM_WRONG")

    def test_a_run_needs_the_whole_file_a_kind_and_a_unit(self, office: Office, unit: str, begun: str) -> None:
        for body, reason, field in (
            ({"file_id": begun, "kind": "persons", "unit_id": unit}, "FIELD_INVALID", "file_id"),
            ({"file_id": begun, "kind": "ghosts", "unit_id": unit}, "FIELD_INVALID", "kind"),
            ({"file_id": NOBODY, "kind": "persons", "unit_id": unit}, "FILE_NOT_FOUND", ""),
            ({"file_id": begun, "kind": "persons", "unit_id": NOBODY}, "UNIT_NOT_KNOWN", ""),
        ):
            _, problem = ask(office, "POST", "/runs", json=body)
            assert problem["reason"] == reason
            assert fields_of(problem) == ([field] if field else [])


LONG = "x" * 20_000


class TestFields:
    @pytest.mark.parametrize(
        ("path", "body", "field"),
        [
            ("/persons", {"display_name": LONG}, "display_name"),
            ("/persons", {"display_name": "a\x00b"}, "display_name"),
            ("/persons", {"display_name": " "}, "display_name"),
            ("/persons", {"display_name": "A B", "attributes": {"fact": LONG}}, "attributes"),
            ("/persons", {"display_name": "A B", "attributes": {"fact": "a\x00b"}}, "attributes"),
            ("/persons", {"display_name": "A B", "birth_date": "2023-02-30"}, "birth_date"),
            ("/persons", {"display_name": "A B", "birth_date": "yesterday"}, "birth_date"),
            ("/organizations", {"display_name": LONG}, "display_name"),
            ("/organizations", {"display_name": "A", "industry": "a\x00b"}, "industry"),
            ("/organizations", {"display_name": "A", "address": {"city": LONG}}, "address"),
            ("/deals", {"title": LONG}, "title"),
            ("/deals", {"title": "a\x00b"}, "title"),
            ("/deals", {"title": "A", "open_date": "2023-13-01"}, "open_date"),
            ("/deals", {"title": "A", "amount": {"amount": "NaN", "currency_code": "USD"}}, "amount.amount"),
            ("/deals", {"title": "A", "amount": {"amount": "1", "currency_code": "dollars"}}, "amount.currency_code"),
            ("/deals", {"title": "A", "line_items": [{"product_name": "x", "quantity": "ten"}]},
             "line_items[0].quantity"),
            ("/products", {"name": LONG}, "name"),
            ("/products", {"name": "a\x00b"}, "name"),
            ("/units", {"name": "A", "kind": "branch", "code": "no code!"}, "code"),
        ],
    )  # fmt: skip
    def test_a_value_that_cannot_be_names_its_field(
        self, office: Office, unit: str, path: str, body: dict[str, Any], field: str
    ) -> None:
        own = {"unit_id": unit} if path in ("/persons", "/organizations", "/deals") else {}
        own |= {"parent_id": office.company} if path == "/units" else {}
        status, problem = ask(office, "POST", path, json={**own, **body})
        assert (status, problem["reason"]) == (400, "FIELD_INVALID"), problem
        assert any(name.startswith(field) for name in fields_of(problem)), problem

    def test_an_interaction_too(self, office: Office, unit: str, person: dict[str, Any]) -> None:
        right = {"kind": "call", "person_id": person["id"], "unit_id": unit, "summary": "spoke"}
        for wrong, field in (
            ({"summary": LONG}, "summary"), ({"summary": "a\x00b"}, "summary"),
            ({"occur_time": "2024-02-30T10:00:00Z"}, "occur_time"), ({"outcome": LONG}, "outcome"),
        ):  # fmt: skip
            status, problem = ask(office, "POST", "/interactions", json={**right, **wrong})
            assert (status, fields_of(problem)) == (400, [field]), problem
        assert office.rest.get("/interactions", person_id=person["id"])["interactions"] == []

    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"[]", b"null", b'"text"', b'{"display_name": 5}', b'{"display_name":"\xff"}', b"{" * 50_000],
    )
    def test_a_body_that_is_none_is_refused(self, office: Office, body: bytes) -> None:
        headers = signed_in(office.rest) | {"Content-Type": "application/json"}
        answer = office.rest.client.post("/persons", content=body, headers=headers)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"

    @pytest.mark.parametrize(
        ("path", "parameters"),
        [
            ("/reports/won", {"from": "2024-02-30"}),
            ("/reports/won", {"from": "2024-03-01", "to": "2024-02-01"}),
            ("/reports/won", {"group_by": "colour"}),
            ("/reports/won", {"colour": "red"}),
            ("/reports/won/records", {"drill_key": "no key of ours"}),
            ("/persons", {"page_token": "no token of ours"}),
            ("/persons", {"page_size": "many"}),
            ("/search", {"query": "x"}),
        ],
    )
    def test_a_question_that_cannot_be_is_refused(self, office: Office, path: str, parameters: dict[str, str]) -> None:
        status, problem = ask(office, "GET", path, params=parameters)
        assert status == 400, problem
        assert problem["reason"] in ("FIELD_INVALID", "PAGE_TOKEN_INVALID")


class TestRecords:
    @pytest.mark.parametrize("what", ["persons", "organizations", "deals", "runs", "users", "units"])
    @pytest.mark.parametrize("record", [NOBODY, "nonsense", "1' OR '1'='1", "..%2F..%2Fetc%2Fpasswd"])
    def test_an_unknown_id_is_not_found(self, office: Office, what: str, record: str) -> None:
        status, problem = ask(office, "GET", f"/{what}/{record}")
        assert status == 404, problem

    def test_a_unit_nobody_knows_is_refused(self, office: Office, unit: str) -> None:
        for path, body in (
            ("/persons", {"display_name": "A B"}),
            ("/organizations", {"display_name": "A"}),
            ("/deals", {"title": "A"}),
        ):
            status, problem = ask(office, "POST", path, json={**body, "unit_id": NOBODY})
            assert (status, problem["reason"]) == (404, "UNIT_NOT_KNOWN")

    def test_a_stale_version_changes_nothing(self, office: Office, person: dict[str, Any]) -> None:
        path = f"/persons/{person['id']}"
        status, problem = ask(office, "PATCH", path, etag="99", json={"given_name": "Stale"})
        assert (status, problem["reason"]) == (412, "STALE_ETAG")
        status, problem = ask(office, "PATCH", path, json={"given_name": "Unseen"})
        assert (status, fields_of(problem)) == (400, ["If-Match"])
        assert office.rest.get(path) == person

    def test_the_same_request_sent_by_many_at_once_makes_one(self, office: Office, unit: str) -> None:
        body = {"title": "only once", "unit_id": unit}
        key = str(uuid.uuid4())
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: ask(office, "POST", "/deals", key=key, json=body), range(16)))
        assert {status for status, _ in answers} <= {201, 409, 503}
        made = {answer["id"] for status, answer in answers if status == 201}
        assert len(made) == 1
        assert len([one for one in all_of(office.rest, "deals", unit=unit) if one["title"] == "only once"]) == 1

    def test_a_request_id_for_other_content_is_refused(self, office: Office, unit: str) -> None:
        key = str(uuid.uuid4())
        office.rest.post("/deals", {"title": "first", "unit_id": unit}, key=key)
        status, problem = ask(office, "POST", "/deals", key=key, json={"title": "second", "unit_id": unit})
        assert (status, problem["reason"]) == (422, "REQUEST_ID_REUSED")

    def test_nothing_of_all_this_is_in_the_base(self, office: Office, unit: str, person: dict[str, Any]) -> None:
        office.settle()
        assert [one["display_name"] for one in all_of(office.rest, "persons", unit=unit)] == ["Anna Adler"]
        assert all_of(office.rest, "organizations", unit=unit) == []
        assert sorted(one["title"] for one in all_of(office.rest, "deals", unit=unit)) == ["first", "only once"]
        runs: list[Run] = list(office.rest.pages("/runs", "runs", unit=unit))
        assert {run["state"] for run in runs} <= {"waiting", "failed"}
