"""Reporting is made anew from all events while the platform runs, and is then what it was."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from branchline.platform.folder import DataFolder
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


def test_without_the_first_events_nothing_is_thrown_away(platform: DataFolder, filled: Office) -> None:
    before = digest(filled)
    with psycopg.connect(contacts_database(platform)) as contacts:
        contacts.execute("DELETE FROM event_log WHERE position = 1")
    refused = CommandLine(platform.path).run("rebuild", "reporting", "--json")
    assert (refused.status, refused.data["error"]["reason"]) == (1, "EVENTS_GONE")
    assert digest(filled) == before
