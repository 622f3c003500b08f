"""What a branch has, the seller of another cannot read, find, count or change, whichever way is tried."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from branchline.exits import Failure
from branchline.platform.folder import DataFolder
from branchline.rest import Rest, connect
from branchline.runs import download_result
from chassis.testing.eventually import eventually
from tests.e2e.office import Office, all_of, signed_in

pytestmark = pytest.mark.timeout(300)

RUSSIA = {"country_code": "RU", "currency_code": "RUB", "time_zone": "Europe/Moscow"}


@dataclass(frozen=True)
class Secret:
    """What branch A has and the seller of branch B must not see."""

    unit: str
    person: str
    organization: str
    deal: str
    run: str


@pytest.fixture(scope="module")
def secret(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Secret:
    unit = office.unit("side_a", "Side A", **RUSSIA)
    file = tmp_path_factory.mktemp("a") / "a.csv"
    file.write_text("Name,Phone,Company\nQuirin Geheim,+7 916 888-00-01,Verborgen Trade\n", encoding="utf-8")
    office.load(file, unit, "persons")
    (person,) = all_of(office.rest, "persons", unit=unit)
    organization = person["affiliations"][0]["organization_id"]
    body = {
        "title": "hidden",
        "unit_id": unit,
        "person_id": person["id"],
        "amount": {"amount": "77", "currency_code": "RUB"},
    }
    deal = office.rest.post("/deals", {**body, "open_date": "2024-01-05"}, key=str(uuid.uuid4()))["id"]
    run = office.rest.get("/runs", unit=unit)["runs"][0]["id"]
    return Secret(unit, person["id"], organization, deal, run)


@pytest.fixture(scope="module")
def seller(office: Office, platform: DataFolder, secret: Secret) -> Iterator[Rest]:
    unit = office.unit("side_b", "Side B", **RUSSIA)
    office.user("Bruno Seller", unit, "seller", login="bruno", password="only for this test")
    office.settle()
    with connect(platform, "bruno", "only for this test") as rest:
        own = {
            "display_name": "Olga Offen",
            "channels": [{"kind": "phone", "raw": "+7 916 888-00-02"}],
            "unit_id": unit,
        }
        eventually(lambda: rest.post("/persons", own, key="bruno-1"), within=20)
        office.settle()
        yield rest


@pytest.mark.parametrize("what", ["persons", "organizations", "deals"])
def test_a_record_cannot_be_read_by_its_id(seller: Rest, secret: Secret, what: str) -> None:
    record = getattr(secret, what.rstrip("s"))
    with pytest.raises(Failure) as refused:
        seller.get(f"/{what}/{record}")
    assert refused.value.reason == f"{what.rstrip('s').upper()}_NOT_FOUND"


def test_lists_hold_the_own_branch_only(seller: Rest, secret: Secret) -> None:
    assert [one["display_name"] for one in all_of(seller, "persons")] == ["Olga Offen"]
    assert all_of(seller, "organizations") == []
    assert all_of(seller, "deals") == []
    assert seller.get("/runs")["runs"] == []


@pytest.mark.parametrize("what", ["persons", "organizations", "deals", "runs"])
def test_a_foreign_unit_is_no_way_round(seller: Rest, secret: Secret, what: str) -> None:
    answer = seller.client.get(f"/{what}", params={"unit": secret.unit}, headers=signed_in(seller))
    found = answer.json()
    assert found.get(what) == [] or found["reason"] in ("UNIT_NOT_FOUND", "UNIT_NOT_KNOWN", "NOT_PERMITTED")


@pytest.mark.parametrize("asked", ["Quirin", "Geheim", "8 916 888 00 01", "Verborgen"])
def test_search_finds_nothing_of_it(office: Office, seller: Rest, secret: Secret, asked: str) -> None:
    assert office.rest.get("/search", query=asked)["hits"]
    assert seller.get("/search", query=asked)["hits"] == []


def test_counts_and_timelines_are_those_of_the_own_branch(seller: Rest, secret: Secret) -> None:
    counted = seller.get("/customers/count")
    assert (int(counted["persons"]), int(counted["organizations"])) == (1, 0)
    with pytest.raises(Failure) as refused:
        seller.get("/interactions", person_id=secret.person)
    assert refused.value.reason == "PERSON_NOT_FOUND"


def test_a_run_its_rows_and_its_result_are_not_there(seller: Rest, secret: Secret, tmp_path: Path) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: seller.get(f"/runs/{secret.run}"),
        lambda: seller.get(f"/runs/{secret.run}/rows"),
        lambda: seller.get(f"/runs/{secret.run}/findings"),
        lambda: download_result(seller, secret.run, tmp_path / "result.csv"),
    ]
    for call in calls:
        with pytest.raises(Failure) as refused:
            call()
        assert refused.value.reason == "RUN_NOT_FOUND"


def test_reports_and_their_records_count_the_own_branch_only(office: Office, seller: Rest) -> None:
    own = seller.get("/reports/customers")
    values = {
        column["name"]: cell["value"] for column, cell in zip(own["columns"], own["totals"][0]["cells"], strict=True)
    }
    assert (values["persons"], values["organizations"]) == ("1", "0")
    whole = office.rest.get("/reports/customers")
    for cell in whole["totals"][0]["cells"]:  # a key of somebody who sees more
        if cell["drill_key"]:
            page = seller.get("/reports/customers/records", drill_key=cell["drill_key"])
            assert [row["cells"][1]["value"] for row in page["rows"]] in (["Olga Offen"], [])
    assert seller.get("/reports/pipeline")["rows"] == []


def test_events_and_lag_are_for_administrators(seller: Rest) -> None:
    for path in ("events", "lag", "parked_events"):
        with pytest.raises(Failure) as refused:
            seller.get(f"/services/contacts/{path}")
        assert refused.value.reason == "NOT_PERMITTED"


def test_nothing_of_it_can_be_changed(seller: Rest, secret: Secret) -> None:
    for path in (f"/persons/{secret.person}", f"/organizations/{secret.organization}", f"/deals/{secret.deal}"):
        with pytest.raises(Failure) as refused:
            seller.call("PATCH", path, json={"attributes": {"mine": "now"}}, headers={"If-Match": '"1"'})
        assert refused.value.reason.endswith("_NOT_FOUND")
