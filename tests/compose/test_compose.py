"""`docker compose up` from a clean checkout serves the workplace, and its containers are good citizens."""

from __future__ import annotations

import time
import uuid
from datetime import datetime

import httpx2
import pytest

from branchline.rest import Rest
from chassis.testing.eventually import eventually
from tests.compose.platforms import Composed, run

pytestmark = pytest.mark.timeout(1_800)  # the first build installs what the images need

KINDS = ("gateway", "contacts-api", "contacts-worker", "imports-jobs")
STOP_SECONDS = 20.0
CHANGES = 40


def a_person(rest: Rest, name: str) -> str:
    """Make a person of the company and answer the id."""
    unit = rest.get("/units")["units"][0]["id"]
    return str(rest.post("/persons", {"display_name": name, "unit_id": unit}, key=str(uuid.uuid4()))["person"]["id"])


def counted(composed: Composed) -> int:
    """How many persons reporting knows."""
    return int(composed.sql("reporting", "SELECT count(*) FROM person")[0][0])


def test_every_container_comes_up_well_and_every_preparation_ends_well(composed: Composed) -> None:
    def troubles() -> list[str]:
        states = [(one["Name"], one["State"]) for one in composed.containers()]
        running = [(name, state) for name, state in states if state["Running"]]
        unwell = [name for name, state in running if state.get("Health", {}).get("Status", "healthy") != "healthy"]
        return unwell + [name for name, state in states if not state["Running"] and state["ExitCode"] != 0]

    eventually(lambda: not troubles(), within=120)
    assert len(composed.containers()) >= 24


def test_the_administrator_signs_in_at_the_workplace(composed: Composed) -> None:
    with httpx2.Client(base_url=composed.url, timeout=30) as browser:
        form = {"login": "admin", "password": composed.password}
        signed_in = browser.post("/sign-in", data=form, headers={"Origin": composed.url})
        assert signed_in.status_code == 303, signed_in.text[:500]
        page = browser.get("/today")
        assert page.status_code == 200
        script = next(part.split('"')[0] for part in page.text.split('src="')[1:] if ".js" in part.split('"')[0])
        assert browser.get(script).status_code == 200, "also what others wrote for the browser is in the image"


def test_a_person_entered_by_rest_is_known_to_reporting(composed: Composed, rest: Rest) -> None:
    before = counted(composed)

    a_person(rest, "Ada Lovelace")

    eventually(lambda: counted(composed) == before + 1, within=60)


def test_three_workers_of_a_service_handle_each_records_events_in_their_order(composed: Composed, rest: Rest) -> None:
    person = a_person(rest, "Grace Hopper")
    scaled = ("--no-deps", "--no-recreate", "--scale", "reporting-worker=3", "reporting-worker")
    composed.compose("up", "--detach", *scaled)
    for change in range(CHANGES):
        etag = rest.call("GET", f"/persons/{person}").headers["etag"]
        last = f"Grace Hopper {change}"
        rest.call("PATCH", f"/persons/{person}", json={"display_name": last}, headers={"If-Match": etag})
        if change == CHANGES // 2:
            run("docker", "kill", composed.containers("reporting-worker")[0]["Id"])
    spoken = f"SELECT event_id FROM event_log WHERE aggregate_id = '{person}' ORDER BY version"
    eventually(lambda: len(composed.sql("contacts", spoken)) == CHANGES + 1, within=60)
    order = [row[0] for row in composed.sql("contacts", spoken)]
    ids = ",".join(f"'{one}'" for one in order)
    heard = f"SELECT event_id, handle_time FROM inbox WHERE consumer = 'reporting' AND event_id IN ({ids})"

    eventually(lambda: len(composed.sql("reporting", heard)) == len(order), within=90)
    times = dict(composed.sql("reporting", heard))
    in_order = [datetime.fromisoformat(times[one]) for one in order]
    assert in_order == sorted(in_order)
    assert len(set(in_order)) > 1, "a single batch would show nothing"
    assert composed.sql("reporting", f"SELECT display_name FROM person WHERE id = '{person}'") == [[last]]
    assert composed.sql("reporting", "SELECT count(*) FROM parked_event") == [["0"]]


def test_no_container_of_ours_is_root_or_can_write_its_own_code(composed: Composed) -> None:
    for kind in KINDS:
        assert composed.inside(kind, "id", "-u") == "10001"
        with pytest.raises(AssertionError, match=r"Read-only|Permission"):
            composed.inside(kind, "touch", "/srv/branchline/x")


def test_an_image_holds_its_service_and_no_other(composed: Composed) -> None:
    assert composed.inside("contacts-api", "ls", "/srv/branchline/services") == "contacts"
    told = composed.inside("contacts-api", "python", "-c", "import importlib.util as u; print(u.find_spec('fastapi'))")
    assert told == "None"


@pytest.mark.parametrize("database", ["deals", "postgres"])
def test_the_role_of_a_service_is_refused_by_the_others_databases(database: str, composed: Composed) -> None:
    look = (
        "import psycopg; url = open('/run/branchline/database_url').read().replace('+psycopg', '');"
        f"psycopg.connect(url.rpartition('/')[0] + '/{database}')"
    )
    with pytest.raises(AssertionError, match="permission denied for database"):
        composed.inside("contacts-api", "python", "-c", look)


def test_the_role_of_a_service_changes_nothing_in_its_trail(composed: Composed) -> None:
    deeds = ("UPDATE audit_entry SET reason = ''", "DELETE FROM audit_seal", "TRUNCATE audit_entry")
    for deed in deeds:
        tried = (
            "import psycopg; url = open('/run/branchline/database_url').read().replace('+psycopg', '');"
            f'psycopg.connect(url, autocommit=True).execute("{deed}")'
        )
        with pytest.raises(AssertionError, match="only ever added to"):
            composed.inside("contacts-api", "python", "-c", tried)


@pytest.mark.parametrize("kind", KINDS)
def test_a_container_that_is_asked_to_stop_ends_well_in_time(kind: str, composed: Composed) -> None:
    start = time.monotonic()
    composed.compose("stop", kind)
    took = time.monotonic() - start

    (container,) = composed.containers(kind)
    assert container["State"]["ExitCode"] == 0
    assert took < STOP_SECONDS
    composed.compose("start", kind)


@pytest.mark.parametrize("more", [("-f", "infra/compose/split.yml"), ("--profile", "telemetry")])
def test_the_other_ways_to_compose_it_are_whole(more: tuple[str, ...], composed: Composed) -> None:
    words = [str(composed.folder / word) if word.endswith(".yml") else word for word in more]

    told = composed.compose(*words, "config", "--services").split()

    assert {"contacts-postgres", "gateway-postgres"} <= set(told) or "otel-collector" in told
