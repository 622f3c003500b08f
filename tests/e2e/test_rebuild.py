"""Reporting is made anew from all events while the platform runs, and is then what it was."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import psycopg
import pytest

from branchline.platform.folder import DataFolder
from chassis.bus.event_days import keep_event_days
from chassis.database import Database
from chassis.testing.eventually import eventually
from tests.e2e.office import Office
from tests.e2e.platforms import CommandLine

pytestmark = pytest.mark.timeout(600)
PERSONS = 12
BUSY_SECONDS = 60.0  # of a machine that does much else


def make_person(office: Office, number: int) -> None:
    """Record a person."""
    body = {"display_name": f"Person {number}", "unit_id": office.company, "birth_date": "1990-05-17"}
    office.rest.post("/persons", body, key=str(uuid.uuid4()))


def persons(office: Office) -> int:
    """How many persons reporting has."""
    return int(office.rest.get("/freshness")["counts"]["person"])


def digest(office: Office) -> str:
    """The digest of all read models."""
    return str(office.rest.get("/freshness", with_digest="true")["digest"])


def contacts_database(platform: DataFolder) -> str:
    """How to reach the database of contacts."""
    port, password = ((platform.postgres / name).read_text().strip() for name in ("port", "password"))
    return f"host=127.0.0.1 port={port} user=postgres password={password} dbname=contacts"


def sqlalchemy_url(platform: DataFolder, name: str) -> str:
    """The address of a service's database for SQLAlchemy."""
    port, password = ((platform.postgres / part).read_text().strip() for part in ("port", "password"))
    return f"postgresql+psycopg://postgres:{password}@127.0.0.1:{port}/{name}"


@pytest.fixture(scope="module")
def filled(office: Office) -> Office:
    """The platform with some persons whom reporting knows."""
    for number in range(PERSONS):
        make_person(office, number)
    eventually(lambda: persons(office) == PERSONS, within=BUSY_SECONDS)
    return office


def test_a_rebuild_makes_the_same_read_models(platform: DataFolder, filled: Office) -> None:
    before = digest(filled)
    with psycopg.connect(contacts_database(platform).replace("dbname=contacts", "dbname=reporting")) as reporting:
        reporting.execute("DELETE FROM person WHERE id IN (SELECT id FROM person LIMIT 5)")  # what a fault may do
    assert digest(filled) != before
    told = CommandLine(platform.path).json("rebuild", "reporting")
    assert (told["digest"], told["records"]["person"]) == (before, PERSONS)
    assert digest(filled) == before


def test_after_a_rebuild_news_goes_on_to_arrive(platform: DataFolder, filled: Office) -> None:
    known = persons(filled)
    make_person(filled, 1_000)
    eventually(lambda: persons(filled) == known + 1, within=BUSY_SECONDS)


@pytest.mark.parametrize("service", ["contacts", "deals", "scheduling", "imports"])
def test_the_copies_of_every_service_are_made_again_in_place(
    platform: DataFolder, filled: Office, service: str
) -> None:
    line = CommandLine(platform.path)
    first, again = line.json("rebuild", service), line.json("rebuild", service)
    assert (again["digest"], again["records"]) == (first["digest"], first["records"])
    assert again["records"]["unit"] > 0


def test_a_rebuild_needs_no_events_that_are_kept_no_longer(platform: DataFolder, filled: Office) -> None:
    before = digest(filled)
    with psycopg.connect(contacts_database(platform)) as contacts:
        contacts.execute("UPDATE event_log SET day = day - 40")
    for name in ("directory", "contacts"):
        database = Database(sqlalchemy_url(platform, name), name)
        keep_event_days(database, datetime.now(UTC).date())
        database.close()
    with psycopg.connect(contacts_database(platform)) as contacts:
        assert contacts.execute("SELECT count(*) FROM event_log").fetchone() == (0,)
    assert CommandLine(platform.path).json("rebuild", "reporting")["digest"] == before


def test_one_consumer_alone_is_told_again_from_a_position(platform: DataFolder, filled: Office) -> None:
    line = CommandLine(platform.path)
    known = persons(filled)
    make_person(filled, 2_000)
    eventually(lambda: persons(filled) == known + 1, within=BUSY_SECONDS)
    last = int(filled.rest.get("/services/contacts/lag")["last_position"])
    told = line.json("events", "replay", "--consumer", "reporting", "--from", str(last), "--again")
    assert told == {"consumer": "reporting", "source": "contacts", "events": 1}
    refused = line.run("events", "replay", "--consumer", "reporting", "--from", "1", "--json")
    assert (refused.status, refused.data["error"]["reason"]) == (1, "EVENTS_GONE")
    unknown = line.run("events", "replay", "--consumer", "nobody", "--from", "1", "--json")
    assert (unknown.status, unknown.data["error"]["reason"]) == (2, "NO_CONSUMER")


def test_a_new_epoch_is_begun_on_purpose_only_and_told_to_everybody(platform: DataFolder, filled: Office) -> None:
    line = CommandLine(platform.path)
    before = digest(filled)
    assert line.run("events", "new-epoch", "contacts", "--json").data["error"]["reason"] == "NOT_CONFIRMED"
    begun = line.json("events", "new-epoch", "contacts", "--yes")
    assert begun["epoch"] == 2
    assert {one["service"] for one in begun["rebuilt"]} == {"deals", "scheduling", "reporting"}
    assert digest(filled) != before, "states are of the new epoch"
    known = persons(filled)
    make_person(filled, 3_000)
    eventually(lambda: persons(filled) == known + 1, within=BUSY_SECONDS)
    assert filled.rest.get("/services/contacts/lag")["epoch"] == 2
