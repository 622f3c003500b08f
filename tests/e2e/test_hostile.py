"""Text that breaks other systems goes through every field, by REST and by file, and comes back byte for byte."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import xlsxwriter

from branchline.platform.folder import DataFolder, read_json
from branchline.runs import download_result, list_rows
from imports.cell_values import NOTHING
from tests.e2e.office import Office, Run, all_of, signed_in

pytestmark = pytest.mark.timeout(400)

NAME, SHORT, LABEL = 300, 200, 50  # characters the contracts allow
LIVE = tuple("=+-@\t\r＝＋－＠")
HEADER = ("Number", "Name", "Role", "Company", "Remark")


@pytest.fixture(scope="module")
def folder(shared_data: Callable[[str], Path]) -> Path:
    """Where the hostile strings are."""
    return shared_data("strings-hostile")


@pytest.fixture(scope="module")
def naughty(folder: Path) -> list[str]:
    """The 515 naughty strings."""
    found: list[str] = json.loads((folder / "blns.json").read_text(encoding="utf-8"))
    assert len(found) == 515
    return found


@pytest.fixture(scope="module")
def texts(folder: Path, naughty: list[str]) -> list[str]:
    """Those and the lines that attack spreadsheets, databases and browsers."""
    files = ("csv-payload.txt", "sqli_Auth_Bypass.txt", "sqli_Generic_SQLI.txt", "xss_300.txt")
    lines = [line for name in files for line in (folder / name).read_text(encoding="utf-8").splitlines() if line]
    return [*naughty, *lines]


@pytest.fixture(scope="module")
def unit(office: Office) -> str:
    """The branch that gets them all by REST."""
    made = office.unit("hostile", "Hostile", country_code="US", currency_code="USD")
    office.settle()
    return made


class Sender:
    """Sends records one after another over one connection."""

    def __init__(self, office: Office, platform: DataFolder) -> None:
        office.rest.get("/users/me")
        url = read_json(platform.credentials)["url"]
        self.client = httpx2.Client(base_url=f"{url}/api/v1", headers=signed_in(office.rest), timeout=30)

    def send(self, path: str, text: str, body: dict[str, Any], **parameters: str) -> dict[str, Any] | None:
        """The answer; None where a blank text was refused for naming nothing."""
        answer = self.client.post(path, json=body, params=parameters)
        if not text.strip():
            assert (answer.status_code, answer.json()["reason"]) == (400, "FIELD_INVALID"), repr(text)
            return None
        assert answer.status_code == 201, (text, answer.text)
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module")
def sender(office: Office, platform: DataFolder) -> Sender:
    """A client of this module."""
    return Sender(office, platform)


def texts_of(record: Any) -> set[str]:
    """Every text anywhere in a record."""
    if isinstance(record, dict):
        return set().union(*(texts_of(one) for one in record.values()), set())
    if isinstance(record, list):
        return set().union(*(texts_of(one) for one in record), set())
    return {record} if isinstance(record, str) else set()


def events_of(office: Office) -> Iterator[dict[str, Any]]:
    """Every event of contacts so far."""
    position, path = 0, "/services/contacts/events"
    while events := office.rest.get(path, after_position=position, page_size=500)["events"]:
        yield from events
        position = int(events[-1]["position"])


def person_of(text: str, unit: str) -> dict[str, Any]:
    """A person with the text in every field that takes one."""
    name = text[:NAME]
    return {
        "display_name": name, "given_name": name, "middle_name": name, "family_name": name, "unit_id": unit,
        "address": dict.fromkeys(("street", "city", "region", "postal_code", "country"), text),
        "channels": [{"kind": "messenger", "value": text, "raw": text, "label": text[:LABEL]}],
        "attributes": {"fact": text}, "affiliations": [{"organization_name": "Hostile Inc", "role": text[:SHORT]}],
    }  # fmt: skip


class TestRest:
    """Each string in every text field of a record; what comes back is what was sent, blanks around names aside."""

    def test_persons(self, office: Office, sender: Sender, naughty: list[str], unit: str) -> None:
        sent: dict[str, str] = {}
        for text in naughty:
            answer = sender.send("/persons", text, person_of(text, unit), allow_duplicate="true")
            if answer:
                sent[answer["person"]["id"]] = text
        found = {one["id"]: one for one in all_of(office.rest, "persons", unit=unit)}
        assert found.keys() == sent.keys()
        for record, text in sent.items():
            one = found[record]
            assert one["attributes"] == {"fact": text}
            names = [one[name] for name in ("display_name", "given_name", "middle_name", "family_name")]
            assert {name.strip() for name in names} == {text[:NAME].strip()}
            assert {value.strip() for value in one["address"].values()} == {text.strip()}
            assert [way["raw"].strip() for way in one["channels"]] == [text.strip()]
            assert one["affiliations"][0]["role"].strip() == text[:SHORT].strip()

    def test_organizations(self, office: Office, sender: Sender, naughty: list[str], unit: str) -> None:
        sent: dict[str, str] = {}
        for text in naughty:
            body = {
                "display_name": text[:NAME],
                "industry": text[:SHORT],
                "attributes": {"fact": text},
                "unit_id": unit,
            }
            answer = sender.send("/organizations", text, body, allow_duplicate="true")
            if answer:
                sent[answer["organization"]["id"]] = text
        found = {one["id"]: one for one in all_of(office.rest, "organizations", unit=unit)}
        for record, text in sent.items():
            assert found[record]["attributes"] == {"fact": text}
            assert found[record]["display_name"].strip() == text[:NAME].strip()
            assert found[record]["industry"].strip() == text[:SHORT].strip()

    def test_deals(self, office: Office, sender: Sender, naughty: list[str], unit: str) -> None:
        sent: dict[str, str] = {}
        for text in naughty:
            lines = [{"product_name": text, "quantity": "1"}] if text.strip() else []
            body = {"title": text, "business_line": text, "attributes": {"fact": text}, "line_items": lines}
            answer = sender.client.post("/deals", json={**body, "unit_id": unit})
            assert answer.status_code == 201, (text, answer.text)
            sent[answer.json()["id"]] = text
        found = {one["id"]: one for one in all_of(office.rest, "deals", unit=unit)}
        for record, text in sent.items():
            one = found[record]
            assert one["attributes"] == {"fact": text}
            lines = [line["product_name"] for line in one["line_items"]]
            assert {each.strip() for each in (one["title"], one["business_line"], *lines)} == {text.strip()}

    def test_interactions(self, office: Office, sender: Sender, naughty: list[str], unit: str) -> None:
        person = office.rest.post("/persons", {"display_name": "Otto Ohr", "unit_id": unit}, key="otto")["person"]["id"]
        sent: dict[str, str] = {}
        for text in naughty:
            body = {
                "kind": "note",
                "person_id": person,
                "summary": text if text.strip() else "-",  # one that says nothing is refused
                "outcome": text[:SHORT],
                "unit_id": unit,
            }
            answer = sender.client.post("/interactions", json=body)
            assert answer.status_code == 201, (text, answer.text)
            sent[answer.json()["id"]] = text
        pages = office.rest.pages("/interactions", "interactions", person_id=person, page_size=200)
        found = {one["id"]: one for one in pages}
        assert {record: one["summary"].strip() for record, one in found.items()} == {
            record: text.strip() or "-" for record, text in sent.items()
        }
        assert {record: one["outcome"].strip() for record, one in found.items()} == {
            record: text[:SHORT].strip() for record, text in sent.items()
        }

    def test_events_and_reports_carry_them_unchanged(self, office: Office, naughty: list[str], unit: str) -> None:
        office.settle()
        wanted = {text.strip() for text in naughty} - {""}
        told = {text.strip() for one in events_of(office) for text in texts_of(one["message"])}
        assert wanted <= told
        totals = office.rest.get("/reports/customers", unit=unit)["totals"][0]["cells"]
        shown: set[str] = set()
        for key in (cell["drill_key"] for cell in totals if cell["drill_key"]):
            rows = office.rest.pages("/reports/customers/records", "rows", unit=unit, drill_key=key, page_size=1000)
            shown |= {text.strip() for row in rows for text in texts_of(row)}
        assert wanted <= shown

    def test_searching_for_them_is_never_a_fault(self, sender: Sender, texts: list[str]) -> None:
        for text in texts:
            answer = sender.client.get("/search", params={"query": text})
            assert answer.status_code in (200, 400), (text, answer.text)


def write_csv(path: Path, rows: list[tuple[str, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    return path


def write_xlsx(path: Path, rows: list[tuple[str, ...]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Hostile")
        for line, row in enumerate(rows):
            for column, text in enumerate(row):
                sheet.write_string(line, column, text)
    return path


class TestFiles:
    """The same by a file, through mapping, staging and load; and out again without a live formula."""

    @pytest.fixture(scope="class", params=[write_csv, write_xlsx], ids=["csv", "xlsx"])
    def loaded(
        self, request: pytest.FixtureRequest, office: Office, texts: list[str], tmp_path_factory: pytest.TempPathFactory
    ) -> Run:
        kind = request.param.__name__.removeprefix("write_")
        unit = office.unit(f"hostile_{kind}", f"Hostile {kind}", country_code="US", currency_code="USD")
        rows = [
            (f"N{place}", f"Person {kind} {place}", text[:SHORT], text[:NAME], text) for place, text in enumerate(texts)
        ]
        file = request.param(tmp_path_factory.mktemp("hostile") / f"hostile.{kind}", [HEADER, *rows])
        mapping = [{"column": "Remark", "field": "attribute"}]
        counts = office.load(file, unit, "persons", mapping=mapping)
        assert counts["created"] == counts["rows_read"] == len(texts)
        newest: Run = office.rest.get("/runs", unit=unit)["runs"][0]
        return newest

    def test_the_cells_are_kept_as_they_were(self, office: Office, loaded: Run, texts: list[str]) -> None:
        cells = [row["cells"][4] for row in list_rows(office.rest, loaded["id"])]
        assert cells == texts

    def test_the_cards_have_them(self, office: Office, loaded: Run, texts: list[str]) -> None:
        cards = {one["display_name"]: one for one in all_of(office.rest, "persons", unit=loaded["unit_id"])}
        kind = loaded["file"]["name"].partition(".")[2]
        for place, text in enumerate(texts):
            card = cards[f"Person {kind} {place}"]
            if text.strip().lower() in NOTHING:
                assert card["attributes"] == {}
                assert card["affiliations"] == []
                continue
            assert card["attributes"] == {"Remark": text}
            (link,) = card["affiliations"] or [{"role": text[:SHORT], "organization_name": ""}]
            assert link["role"] == text[:SHORT].strip()

    def test_the_result_file_says_them_without_a_live_formula(
        self, office: Office, loaded: Run, texts: list[str], tmp_path: Path
    ) -> None:
        download_result(office.rest, loaded["id"], tmp_path / "result.csv")
        rows = list(csv.reader(io.StringIO((tmp_path / "result.csv").read_bytes().decode("utf-8-sig"), newline="")))
        column = rows[0].index("Remark")
        shown = [row[column] for row in rows[1:]]
        assert [
            text.removeprefix("'") if text != kept else kept for text, kept in zip(shown, texts, strict=True)
        ] == texts
        assert [text for row in rows for text in row if text.lstrip(" \u00a0\u3000").startswith(LIVE)] == []

    def test_the_workbook_of_the_result_holds_no_formula(self, office: Office, loaded: Run, tmp_path: Path) -> None:
        from openpyxl import load_workbook

        download_result(office.rest, loaded["id"], tmp_path / "result.xlsx")
        sheet = load_workbook(tmp_path / "result.xlsx").worksheets[0]
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
        assert not [cell for row in sheet.iter_rows() for cell in row if cell.hyperlink]
