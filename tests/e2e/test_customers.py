"""One customer base out of many files: each customer once, reachable, in whatever writing."""

from __future__ import annotations

import csv
import io
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from branchline.rest import Rest
from branchline.runs import download_result, list_rows
from tests.e2e.market import ORGANIZATIONS, PERSONS, companies, market, write_parts
from tests.e2e.office import Office, all_of

pytestmark = pytest.mark.timeout(400)

FATES = ("created", "updated", "unchanged", "merged", "refused")
RUSSIA = {"country_code": "RU", "currency_code": "RUB", "time_zone": "Europe/Moscow"}


def squeeze(text: str) -> str:
    """A name without case and superfluous blanks."""
    return " ".join(text.casefold().split())


def columns(**fields: str) -> list[dict[str, str]]:
    """A mapping for a file without a header: `c3="given_name"` feeds the field from the third column."""
    return [{"column": f"column {name[1:]}", "field": field} for name, field in fields.items()]


class TestMarket:
    """5,000 persons and 700 organizations in ten parts that overlap, in an order of chance, part 3 twice."""

    @pytest.fixture(scope="class")
    def unit(self, office: Office, tmp_path_factory: pytest.TempPathFactory) -> str:
        unit = office.unit("market", "Market", area_code="495", **RUSSIA)
        for kind, file in write_parts(tmp_path_factory.mktemp("parts"), seed=42):
            counts = office.load(file, unit, kind)
            assert counts["rows_read"] == sum(counts[fate] for fate in FATES) in (600, 84)
            assert counts["refused"] == 0
        office.settle()
        return unit

    def test_each_is_in_the_base_once(self, office: Office, unit: str) -> None:
        counted = office.rest.get("/customers/count", unit=unit)
        assert (int(counted["persons"]), int(counted["organizations"])) == (PERSONS, ORGANIZATIONS)
        reported = office.total("customers", unit=unit)
        assert (int(reported["persons"]), int(reported["organizations"])) == (PERSONS, ORGANIZATIONS)

    def test_nobody_lost_the_link_to_the_organization(self, office: Office, unit: str) -> None:
        wanted = Counter((squeeze(one.name), f"+7{one.digits}", squeeze(one.company)) for one in market())
        found = Counter(
            (squeeze(person["display_name"]), channel["value"], squeeze(link["organization_name"]))
            for person in all_of(office.rest, "persons", unit=unit)
            for channel in person["channels"]
            for link in person["affiliations"]
        )
        assert found == wanted

    def test_organizations_keep_their_towns(self, office: Office, unit: str) -> None:
        found = {
            squeeze(one["display_name"]): one["address"]["city"]
            for one in all_of(office.rest, "organizations", unit=unit)
        }
        assert found == {squeeze(name): town for name, town in companies()}

    def test_a_name_is_found_in_its_script_and_a_phone_in_any_spelling(self, office: Office, unit: str) -> None:
        one = market()[3]
        for asked in (one.name, one.name.split()[1].lower(), f"8 (916) {one.digits[3:6]}-{one.digits[6:]}", one.digits):
            hits = office.rest.get("/search", query=asked)["hits"]
            assert one.name.casefold() in [squeeze(hit["display_name"]) for hit in hits], asked


class TestUnattended:
    """Imports that nobody looks at between check and load, as by `branchline import --yes`."""

    @pytest.fixture(scope="class")
    def unit(self, office: Office) -> str:
        return office.unit("night", "Night", area_code="495", **RUSSIA)

    @staticmethod
    def write(path: Path, *lines: str) -> Path:
        path.write_text("\n".join(("ID,Name,Phone,Birth date", *lines)) + "\n", encoding="utf-8")
        return path

    def test_one_with_nothing_against_it_is_loaded_and_tells_what_was_refused(
        self, office: Office, unit: str, tmp_path: Path
    ) -> None:
        people = [f"N{number},Night Guest {number},+7916777{number:04d},1990-05-01" for number in range(1500)]
        nameless, another = "N9999,,+79167790002,1990-05-01", "N1,Entirely Another,+79167790001,1961-01-01"
        file = self.write(tmp_path / "night.csv", nameless, *people, another)
        run = office.check(file, unit, "persons", unattended=True)
        counts = {fate: int(run["actual"][fate] or 0) for fate in FATES}
        assert (run["state"], counts["created"], counts["refused"]) == ("finished", 1500, 2)
        assert sum(counts.values()) == int(run["actual"]["rows_read"]) == 1502
        assert not int(run["expected"]["rows_read"])
        told = {one["code"]: one for one in office.findings(run)}
        assert {"missing_value", "birth_date_differs"} <= told.keys()
        assert (told["birth_date_differs"]["severity"], int(told["birth_date_differs"]["row"])) == ("warning", 1503)
        again = office.check(file, unit, "persons", unattended=True)
        assert int(again["actual"]["unchanged"]) == 1500

    def test_what_only_the_end_of_a_file_tells_holds_from_its_first_row_on(
        self, office: Office, unit: str, tmp_path: Path
    ) -> None:
        people = [f"D{number},Day Guest {number},+7916776{number:04d},02/01/1990" for number in range(2100)]
        people.append("D9999,Day Guest Last,+79167769999,31/12/1985")
        run = office.check(self.write(tmp_path / "days.csv", *people), unit, "persons", unattended=True)
        assert (run["state"], int(run["actual"]["created"])) == ("finished", 2101), office.findings(run)[:3]
        first = next(list_rows(office.rest, run["id"]))
        shown = office.rest.get(f"/persons/{first['record_id']}")
        assert (shown["display_name"], shown["birth_date"]) == ("Day Guest 0", "1990-01-02")

    def test_one_with_a_cell_that_forbids_it_waits_and_nothing_is_loaded(
        self, office: Office, unit: str, tmp_path: Path
    ) -> None:
        before = office.rest.get("/customers/count", unit=unit)
        file = self.write(tmp_path / "vague.csv", "V1,Vague Guest,+79167770001,01/02/1990")
        run = office.check(file, unit, "persons", unattended=True)
        assert (run["state"], run["blocked"]) == ("waiting", True)
        assert "ambiguous_dates" in {one["code"] for one in office.findings(run)}
        assert office.rest.get("/customers/count", unit=unit) == before


class TestProspects:
    """Exports without headers, with separators of their own."""

    @pytest.fixture(scope="class")
    def unit(self, office: Office) -> str:
        return office.unit("prospects", "Prospects", country_code="US", currency_code="USD")

    @pytest.fixture(scope="class")
    def folder(self, shared_data: Callable[[str], Path]) -> Path:
        return shared_data("contacts-adventureworks-prospects")

    def test_2059_prospects_are_2058_cards(self, office: Office, unit: str, folder: Path) -> None:
        named = columns(
            c1="external_id", c3="given_name", c4="middle_name", c5="family_name", c6="birth_date", c9="email",
            c17="street", c18="street", c19="city", c20="region", c21="postal_code", c22="phone",
        )  # fmt: skip
        counts = office.load(folder / "ProspectiveBuyer.csv", unit, "persons", mapping=named)
        assert (counts["rows_read"], counts["created"], counts["merged"]) == (2059, 2058, 1)
        again = office.load(folder / "ProspectiveBuyer.csv", unit, "persons", mapping=named)
        assert again["unchanged"] + again["merged"] == 2059

    def test_an_address_that_is_none_is_told_and_kept_as_written(self, office: Office, unit: str, folder: Path) -> None:
        named = columns(c1="external_id", c3="given_name", c5="family_name", c9="email")
        run = office.check(folder / "ProspectiveBuyer.csv", unit, "persons", mapping=named)
        (found,) = [one for one in office.findings(run) if one["code"] == "not_an_email"]
        assert (found["severity"], found["count"], run["blocked"]) == ("warning", 105, False)
        problems = [
            channel["raw"]
            for person in all_of(office.rest, "persons", unit=unit)
            for channel in person["channels"]
            if channel["problem"] == "not_an_email"
        ]
        assert len(problems) == 105

    def test_701_resellers_stay_apart_by_their_numbers(self, office: Office, unit: str, folder: Path) -> None:
        named = columns(c1="external_id", c4="phone", c5="industry", c6="name", c13="street", c14="street")
        counts = office.load(folder / "DimReseller.csv", unit, "organizations", mapping=named)
        assert (counts["rows_read"], counts["created"]) == (701, 701)
        again = office.load(folder / "DimReseller.csv", unit, "organizations", mapping=named)
        assert again["unchanged"] == 701
        lines = Counter(one["industry"] for one in all_of(office.rest, "organizations", unit=unit))
        assert lines == {"Value Added Reseller": 238, "Warehouse": 232, "Specialty Bike Shop": 231}

    def test_quotas_add_up(self, office: Office, unit: str, folder: Path, tmp_path: Path) -> None:
        with (folder / "FactSalesQuota.csv").open(encoding="utf-8") as file:
            numbers = sorted({line.split("|")[1] for line in file})
        staff = tmp_path / "staff.csv"
        staff.write_text("Name,Number\n" + "".join(f"Seller No {one},{one}\n" for one in numbers), encoding="utf-8")
        office.load(staff, unit, "employees")
        named = columns(c2="owner", c6="amount", c7="period")
        counts = office.load(folder / "FactSalesQuota.csv", unit, "plans", mapping=named)
        assert (counts["rows_read"], counts["created"]) == (163, 163)
        office.settle()
        assert float(office.total("plan-fact", unit=unit)["plan"]) == 95_714_000

    def test_separators_of_two_signs_are_found(self, office: Office, unit: str, folder: Path) -> None:
        run = office.check(
            folder / "PersonPhone.csv", unit, "persons", mapping=columns(c1="full_name", c2="phone", c3="", c4="")
        )
        assert run["detected"]["delimiter"] == "+|"
        assert (int(run["expected"]["rows_read"]), int(run["expected"]["refused"])) == (19_972, 0)
        assert run["mapping"][1]["samples"][0] == "697-555-0142"


class TestAddressBooks:
    """vCard files, as telephones and mail programs export them."""

    def test_of_thirty_cards_one_is_a_company_and_none_is_new_the_second_time(
        self, office: Office, shared_data: Callable[[str], Path]
    ) -> None:
        unit = office.unit("cards", "Address books", country_code="DE", currency_code="EUR")
        file = shared_data("vcard-ical4j") / "vcard-vCards-SAP.vcf"
        counts = office.load(file, unit, "persons")
        assert (counts["rows_read"], counts["created"], counts["refused"]) == (30, 29, 1)
        again = office.load(file, unit, "persons")
        assert again["unchanged"] == 29
        reachable = [one for one in all_of(office.rest, "persons", unit=unit) if one["channels"]]
        assert len(reachable) == 29


class TestPhones:
    """Phones as branches write them, in the branch's area code."""

    @pytest.mark.parametrize(
        ("code", "area", "written", "dialled"),
        [
            ("moscow", "495", ["+7 (495) 123-45-67", "8 495 123 45 67", "84951234567", "4951234567", "123-45-67"],
             "+74951234567"),
            ("tula", "4872", ["25-67-89", "8 (4872) 25-67-89", "+7 4872 256789"], "+74872256789"),
        ],
    )  # fmt: skip
    def test_every_spelling_is_one_number_of_one_card(
        self, office: Office, tmp_path: Path, code: str, area: str, written: list[str], dialled: str
    ) -> None:
        unit = office.unit(code, code.title(), area_code=area, **RUSSIA)
        file = tmp_path / "phones.csv"
        file.write_text("ФИО;Телефон\n" + "".join(f"Пётр {area};{one}\n" for one in written), encoding="utf-8")
        counts = office.load(file, unit, "persons")
        assert counts["created"] == 1
        (person,) = all_of(office.rest, "persons", unit=unit)
        assert [one["value"] for one in person["channels"]] == [dialled]

    def test_a_local_number_without_area_code_is_kept_and_told_apart(self, office: Office, tmp_path: Path) -> None:
        unit = office.unit("nowhere", "Nowhere", **RUSSIA)
        file = tmp_path / "phones.csv"
        file.write_text("ФИО;Телефон\nПётр Безместный;25-67-89\n", encoding="utf-8")
        office.load(file, unit, "persons")
        (person,) = all_of(office.rest, "persons", unit=unit)
        (channel,) = person["channels"]
        assert (channel["value"], channel["raw"], channel["problem"]) == ("", "25-67-89", "area_code_unknown")


JAPANESE = (
    "氏名,電話番号,会社名\n"
    "山田太郎,03-1234-5678,株式会社山田\n"
    "佐藤花子,03-1234-5679,佐藤商店\n"
    "鈴木一郎,03-1234-5680,鈴木工業\n"
)
RUSSIAN = "ФИО;Телефон;Компания\nИванов Пётр Ильич;8 495 123 45 67;ООО Ромашка\nСидорова Анна;8 495 123 45 68;Лютик\n"
CLEAN = {
    "Юлия Ёлкина": "ООО «Ель и Ко»",
    "佐藤 花子": "株式会社 桜",
    "محمد بن عبد الله": "شركة النور",
    "زهرا رضایی‌نیا": "شرکت گل‌ها",
}


class TestScripts:
    """Text in any writing, whole or damaged."""

    @pytest.fixture(scope="class")
    def unit(self, office: Office) -> str:
        return office.unit("scripts", "Scripts", **RUSSIA)

    @pytest.mark.parametrize(("encoding", "text"), [("cp1251", RUSSIAN), ("cp932", JAPANESE)])
    def test_an_older_encoding_is_named_and_read(
        self, office: Office, unit: str, tmp_path: Path, encoding: str, text: str
    ) -> None:
        file = tmp_path / f"{encoding}.csv"
        file.write_bytes(text.encode(encoding))
        run = office.check(file, unit, "persons")
        assert (run["detected"]["encoding"], run["blocked"]) == (encoding, False)
        cells = [row["cells"] for row in list_rows(office.rest, run["id"])]
        assert cells == [line.replace(";", ",").split(",") for line in text.splitlines()[1:]]

    def test_whole_names_stand_apart_on_the_cards_where_the_mapping_says_so(
        self, office: Office, tmp_path: Path
    ) -> None:
        unit = office.unit("whole_names", "Whole names", **RUSSIA)
        file = tmp_path / "whole.csv"
        file.write_text("ФИО;Телефон\nг-жа Лунёва Вера Ильинична;+7 916 111-22-33\n", encoding="utf-8")
        mapping = [{"column": "ФИО", "field": "parted_name"}, {"column": "Телефон", "field": "phone"}]
        assert office.load(file, unit, "persons", mapping=mapping)["created"] == 1
        [hit] = office.rest.get("/search", query="Лунёва")["hits"]
        card = office.rest.get(f"/persons/{hit['id']}")
        names = (card["family_name"], card["given_name"], card["middle_name"], card["display_name"])
        assert names == ("Лунёва", "Вера", "Ильинична", "г-жа Лунёва Вера Ильинична")

    def test_damaged_text_is_told_with_what_it_may_have_been(self, office: Office, unit: str, tmp_path: Path) -> None:
        file = tmp_path / "damaged.csv"
        file.write_bytes(JAPANESE.encode().decode("iso-8859-15").encode())
        run = office.check(file, unit, "persons")
        found = [one for one in office.findings(run) if one["code"] == "damaged_text"]
        assert found[0]["severity"] == "warning"
        assert found[0]["cell"].endswith("A2")
        assert found[0]["suggestions"] == ["山田太郎"]

    def test_clean_text_goes_the_whole_way_byte_equal(self, office: Office, unit: str, tmp_path: Path) -> None:
        file = tmp_path / "clean.csv"
        lines = [
            f"{name},+7 916 000-00-{number:02d},{company}\n" for number, (name, company) in enumerate(CLEAN.items())
        ]
        file.write_text("Name,Phone,Company\n" + "".join(lines), encoding="utf-8")
        run = office.check(file, unit, "persons")
        begin = office.rest.get("/services/contacts/lag")["last_position"]
        office.load(file, unit, "persons")
        office.settle()
        assert dict(names_in_base(office.rest, unit)) == CLEAN
        assert names_in_events(office.rest, int(begin)) == {*CLEAN, *CLEAN.values()}
        assert names_behind_figures(office.rest, unit) == {*CLEAN, *CLEAN.values()}
        newest = office.rest.get("/runs", unit=unit)["runs"][0]["id"]
        assert newest != run["id"]
        assert names_in_result(office.rest, newest, tmp_path / "result.csv") == CLEAN
        assert names_in_result(office.rest, newest, tmp_path / "result.xlsx") == CLEAN

    def test_names_are_found_in_their_script(self, office: Office, unit: str) -> None:
        for asked, name in (("ёлкина", "Юлия Ёлкина"), ("елкина", "Юлия Ёлкина"), ("花子", "佐藤 花子"),
                            ("محمد", "محمد بن عبد الله"), ("زهرا", "زهرا رضایی‌نیا")):  # fmt: skip
            hits = office.rest.get("/search", query=asked)["hits"]
            assert name in [hit["display_name"] for hit in hits], asked


def names_in_base(rest: Rest, unit: str) -> Iterator[tuple[str, str]]:
    for person in all_of(rest, "persons", unit=unit):
        yield person["display_name"], person["affiliations"][0]["organization_name"]


def names_in_events(rest: Rest, after: int) -> set[str]:
    events = rest.get("/services/contacts/events", after_position=after, page_size=500)["events"]
    records = [one["message"].get("organization") or one["message"]["person"]["personal"] for one in events]
    return {one["display_name"] for one in records}


def names_behind_figures(rest: Rest, unit: str) -> set[str]:
    answer = rest.get("/reports/customers", unit=unit)
    keys = [cell["drill_key"] for cell in answer["totals"][0]["cells"] if cell["drill_key"]]
    rows = [
        row
        for key in keys
        for row in rest.pages("/reports/customers/records", "rows", unit=unit, drill_key=key, page_size=1000)
    ]
    return {row["cells"][1]["value"] for row in rows}


def names_in_result(rest: Rest, run_id: str, path: Path) -> dict[str, str]:
    download_result(rest, run_id, path)
    if path.suffix == ".csv":
        rows = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))
    else:
        rows = [
            list(map(str, row)) for row in load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True)
        ]
    header = rows[0]
    return {row[header.index("Name")]: row[header.index("Company")] for row in rows[1:]}


class TestTimeline:
    """What was said to a customer, wherever it comes from."""

    def test_interactions_of_a_file_and_of_today_are_one_story(self, office: Office, tmp_path: Path) -> None:
        unit = office.unit("talks", "Talks", **RUSSIA)
        people, talks = tmp_path / "people.csv", tmp_path / "talks.csv"
        people.write_text("Name,Phone,Company\nVsevolod Granin,+7 916 777-00-01,Epoch Bureau\n", encoding="utf-8")
        talks.write_text(
            "Date,Type,Person,Phone,Summary\n"
            "2021-05-06 10:00,call,Vsevolod Granin,+7 916 777-00-01,asked for materials\n"
            "2022-05-06 10:00,meeting,Vsevolod Granin,8 916 777 00 01,price too high\n"
            "2023-05-06 10:00,call,Nobody Known,+7 916 777-99-99,who is this\n", encoding="utf-8",
        )  # fmt: skip
        office.load(people, unit, "persons")
        counts = office.load(talks, unit, "interactions")
        assert (counts["created"], counts["refused"]) == (2, 1)
        assert office.load(talks, unit, "interactions")["unchanged"] == 2
        (person,) = all_of(office.rest, "persons", unit=unit)
        today = {"kind": "call", "person_id": person["id"], "summary": "left his new phone", "unit_id": unit}
        office.rest.post("/interactions", today, key=str(uuid.uuid4()))
        story = ["left his new phone", "price too high", "asked for materials"]
        for who in ({"person_id": person["id"]}, {"organization_id": person["affiliations"][0]["organization_id"]}):
            found = office.rest.get("/interactions", **who)["interactions"]
            assert [one["summary"] for one in found] == story, who
