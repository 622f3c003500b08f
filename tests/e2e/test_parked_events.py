"""What a handler really failed at is looked at, mended, tried anew or let go, over REST and by command."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from branchline.exits import Failure
from branchline.platform.folder import DataFolder
from chassis.testing.eventually import eventually
from tests.e2e.office import Office
from tests.e2e.parked import CHECK_VIOLATED, PATIENCE, Refusal, refusing
from tests.e2e.platforms import CommandLine

Settle = Callable[..., Any]


@pytest.fixture(scope="module")
def refusal(office: Office, platform: DataFolder) -> Iterator[Refusal]:
    """Reporting refuses a name."""
    with refusing(office, platform) as made:
        yield made


@pytest.fixture(params=["rest", "command"])
def settle(request: pytest.FixtureRequest, office: Office, platform: DataFolder, tmp_path: Path) -> Settle:
    """Acts on an event of reporting by its number: `settle("edit", 7, message)`."""

    def over_rest(act: str, number: int, message: Any = None) -> Any:
        path = f"/services/reporting/parked_events/{number}"
        if act == "show":
            return office.rest.get(path)
        return office.rest.post(f"{path}/{act}", {} if message is None else {"message": message}, str(uuid.uuid4()))

    def by_command(act: str, number: int, message: Any = None) -> Any:
        words = ["events", "parked", act, "reporting", str(number)]
        if message is not None:
            file = tmp_path / "message.json"
            file.write_text(json.dumps(message))
            words.append(str(file))
        return CommandLine(platform.path).json(*words)

    return over_rest if request.param == "rest" else by_command


def test_what_cannot_be_handled_holds_up_its_record_only_and_tells_why(
    refusal: Refusal, office: Office, platform: DataFolder
) -> None:
    person, number = refusal.park_person()
    refusal.rename(person, "Later")
    other = refusal.make_person("Somebody else")

    eventually(lambda: refusal.reported_name(other), within=PATIENCE)
    eventually(lambda: refusal.states(person) == [(1, "parked"), (2, "behind")], within=PATIENCE)
    assert refusal.reported_name(person) == ""
    listed = office.rest.get("/services/reporting/parked_events", state="parked")["parked"]
    [told] = [one for one in listed if int(one["number"]) == number]
    assert (told["aggregate_id"], told["error_code"], told["consumer"]) == (person, CHECK_VIOLATED, "reporting")
    assert number in [int(one["number"]) for one in CommandLine(platform.path).json("events", "parked", "list")]


def test_an_event_that_is_edited_is_handled_and_then_what_waited_behind_it(refusal: Refusal, settle: Settle) -> None:
    person, number = refusal.park_person()
    message = settle("show", number)["message"]
    assert message["person"]["personal"]["display_name"].startswith(refusal.name)
    message["person"]["personal"]["display_name"] = "Mended"

    assert settle("edit", number, message)["state"] == "retry"

    eventually(lambda: refusal.reported_name(person) == "Mended", within=PATIENCE)
    assert refusal.states(person) == [(1, "resolved")]
    [before] = settle("show", number)["edits"]
    assert before["message"]["person"]["personal"]["display_name"].startswith(refusal.name)


def test_an_event_that_is_edited_wrongly_stays_as_it_is(refusal: Refusal, office: Office) -> None:
    person, number = refusal.park_person()
    with pytest.raises(Failure) as refused:
        office.rest.post(
            f"/services/reporting/parked_events/{number}/edit", {"message": {"no_field": 1}}, str(uuid.uuid4())
        )
    assert refused.value.reason == "FIELD_INVALID"
    assert refusal.states(person) == [(1, "parked")]


def test_an_event_that_is_let_go_lets_later_ones_through(refusal: Refusal, settle: Settle) -> None:
    person, number = refusal.park_person()
    refusal.rename(person, "Later")

    assert settle("skip", number)["state"] == "skipped"

    eventually(lambda: refusal.reported_name(person) == "Later", within=PATIENCE)
    assert refusal.states(person)[0] == (1, "skipped")


def test_an_event_that_is_tried_anew_fails_until_its_cause_is_mended(refusal: Refusal, settle: Settle) -> None:
    person, number = refusal.park_person()
    assert settle("retry", number)["state"] == "retry"
    assert refusal.await_parked(person) == number, "it failed again, with all tries before it"
    assert refusal.reported_name(person) == ""

    refusal.mend()
    try:
        settle("retry", number)
        eventually(lambda: refusal.reported_name(person).startswith(refusal.name), within=PATIENCE)
        assert refusal.states(person) == [(1, "resolved")]
    finally:
        refusal.begin()
