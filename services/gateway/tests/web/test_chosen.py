"""Many records of a list at once: looked at first, each decided by itself, and taken back by one button."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest

from services.gateway.tests.web.records import a_new_branch, make_records, make_user

RECORD = re.compile(r'name="record" value="([^"]+)"')
UNDO = re.compile(r'name="undo" value="([^"]+)"')
REQUEST = re.compile(r'name="request_id" value="([^"]+)"')
OF_LIST = {"customers": "person", "organizations": "organization", "deals": "deal"}
REST = {"customers": "persons", "organizations": "organizations", "deals": "deals"}


@dataclass(frozen=True)
class Floor:
    """A branch with one record of each kind, a head at a browser, and a colleague."""

    admin: Any
    head: Any
    made: dict[str, str]
    heir: str

    def records(self, name: str) -> list[str]:
        """What the boxes of the list's rows hold."""
        page = self.head.get(f"/{name}?view={'table' if name == 'deals' else 'all'}&unit={self.made['unit']}").text
        return RECORD.findall(page)

    def post(self, name: str, step: str, **fields: Any) -> Any:
        """A step of an act as the panel's form asks for it."""
        return self.head.post(f"/lists/{name}/chosen", {"step": step, **fields}, "form#chosen-form")

    def owner(self, name: str) -> str:
        """Who is responsible for the record now."""
        return str(self.admin.get(f"/{REST[name]}/{self.made[OF_LIST[name]]}")["owner_id"])


def backs(answer: Any) -> list[str]:
    """What the button that takes back would send."""
    return [unescape(one) for one in UNDO.findall(answer.text)]


@pytest.fixture
def floor(platform: Any, a_visitor: Callable[..., Any]) -> Floor:
    """A branch of its own."""
    unit = a_new_branch(platform, "Choosing")
    made = make_records(platform, unit, f"Chosen {unit['code']}")
    heir = make_user(platform.admin(), unit, "Sofia Heir")["user"]
    return Floor(platform.admin(), a_visitor(unit, "head"), made, heir)


@pytest.mark.parametrize("name", ["customers", "organizations", "deals"])
def test_what_is_given_is_looked_at_first_and_can_be_taken_back(floor: Floor, name: str) -> None:
    records = floor.records(name)
    assert [one.split("|")[:2] for one in records] == [[floor.made[OF_LIST[name]], floor.made["user"]]]
    fields = {"act": "give", "record": records, "to_owner_id": floor.heir}
    form = floor.post(name, "", act="give", record=records)
    assert "1 record is chosen." in form.text
    look = floor.post(name, "look", **fields)
    assert (look.status_code, "1 record will change." in look.text, "Sofia Heir" in look.text) == (200, True, True)
    assert floor.owner(name) == floor.made["user"]
    done = floor.post(name, "do", **fields, request_id=REQUEST.findall(look.text)[0])
    assert "1 record was changed." in done.text
    assert done.headers["hx-trigger"] == "list-changed"
    assert floor.owner(name) == floor.heir
    again = floor.post(name, "do", **fields)
    assert ("0 records were changed." in again.text, "is so already" in again.text) == (True, True)
    undone = floor.post(name, "back", act="give", undo=UNDO.findall(done.text))
    assert "1 record is as it was." in undone.text
    assert floor.owner(name) == floor.made["user"]


def test_a_record_that_went_elsewhere_meanwhile_stays_there_and_says_so(floor: Floor) -> None:
    records = floor.records("deals")
    other = make_user(floor.admin, {"id": floor.made["unit"]}, "Third Colleague")["user"]
    assignment = {"deal_id": floor.made["deal"], "from_owner_id": floor.made["user"], "to_owner_id": other}
    floor.admin.post("/deals/assign", {"assignments": [assignment]})
    look = floor.post("deals", "look", act="give", record=records, to_owner_id=floor.heir)
    assert "somebody else is responsible by now" in look.text
    assert 'value="do"' not in look.text


def test_each_chosen_record_gets_its_task_and_undo_cancels_them(floor: Floor) -> None:
    fields = {"act": "task", "record": floor.records("customers"), "subject": "Ask about spring", "whose": "owner"}
    done = floor.post("customers", "do", **fields, request_id="tasks")
    assert "1 record was changed." in done.text
    path = f"/activities?person_id={floor.made['person']}"
    tasks = [one for one in floor.admin.get(path)["activities"] if one["subject"] == "Ask about spring"]
    assert [(one["owner_id"], one["kind"]) for one in tasks] == [(floor.made["user"], "task")]
    floor.post("customers", "do", **fields, request_id="tasks")  # sent twice
    undone = floor.post("customers", "back", act="task", undo=UNDO.findall(done.text))
    assert "1 record is as it was." in undone.text
    states = [one["state"] for one in floor.admin.get(path)["activities"] if one["subject"] == "Ask about spring"]
    assert states == ["cancelled"]


def test_deals_move_to_a_stage_and_back(floor: Floor) -> None:
    pipeline = next(one for one in floor.admin.get("/pipelines")["pipelines"] if one.get("is_default"))
    stages = {one["name"]: one["id"] for one in pipeline["stages"]}
    fields = {"act": "move", "record": floor.records("deals"), "stage_id": stages["Proposal"]}
    assert "1 record will change." in floor.post("deals", "look", **fields).text
    done = floor.post("deals", "do", **fields)
    assert floor.admin.get(f"/deals/{floor.made['deal']}")["stage_name"] == "Proposal"
    stale = floor.post("deals", "look", **{**fields, "stage_id": stages["Lead"]})
    assert "somebody changed it in the meantime" in stale.text
    floor.post("deals", "back", act="move", undo=UNDO.findall(done.text))
    assert floor.admin.get(f"/deals/{floor.made['deal']}")["stage_name"] == "Lead"


@pytest.mark.parametrize("name", ["customers", "organizations"])
def test_tags_are_given_taken_away_and_taken_back(floor: Floor, name: str) -> None:
    path = f"/{REST[name]}/{floor.made[OF_LIST[name]]}"
    before = floor.admin.get(path)["tags"]
    fields = {"act": "tag", "record": floor.records(name), "tag": "Spring fair, second"}
    assert 'name="tag"' in floor.post(name, "", act="tag", record=fields["record"]).text
    look = floor.post(name, "look", **fields)
    assert ("1 record will change." in look.text, "Spring fair, second" in look.text) == (True, True)
    assert floor.admin.get(path)["tags"] == before
    done = floor.post(name, "do", **fields, request_id=REQUEST.findall(look.text)[0])
    assert done.headers["hx-trigger"] == "list-changed"
    assert floor.admin.get(path)["tags"] == [*before, "Spring fair", "second"]
    assert "is so already" in floor.post(name, "look", **fields).text
    taken = floor.post(name, "do", act="untag", record=fields["record"], tag="SPRING FAIR")
    assert floor.admin.get(path)["tags"] == [*before, "second"]
    stale = floor.post(name, "back", act="tag", undo=backs(done))
    assert "somebody changed it in the meantime" in stale.text
    floor.post(name, "back", act="untag", undo=backs(taken))
    assert set(floor.admin.get(path)["tags"]) == {*before, "Spring fair", "second"}


@pytest.mark.parametrize(
    ("name", "field", "value", "kept"),
    [("customers", "individual_customer", "yes", True), ("organizations", "industry", "glass", "glass")],
)
def test_a_field_is_filled_in_where_nobody_changed_the_card(
    floor: Floor, name: str, field: str, value: str, kept: object
) -> None:
    path = f"/{REST[name]}/{floor.made[OF_LIST[name]]}"
    before = floor.admin.get(path)[field]
    fields = {"act": "field", "record": floor.records(name), "field": field, "value": value}
    assert f'value="{field}"' in floor.post(name, "", act="field", record=fields["record"]).text
    assert "1 record will change." in floor.post(name, "look", **fields).text
    done = floor.post(name, "do", **fields)
    assert floor.admin.get(path)[field] == kept
    assert "somebody changed it in the meantime" in floor.post(name, "look", **fields).text  # ticked before
    undone = floor.post(name, "back", act="field", undo=backs(done))
    assert "1 record is as it was." in undone.text
    assert floor.admin.get(path)[field] == before
    assert floor.post(name, "look", **{**fields, "field": "display_name"}).status_code == 400
    unknown = floor.post(name, "look", **{**fields, "field": "own:no such", "record": floor.records(name)})
    assert "no field of the company" in unknown.text


def test_own_fields_are_filled_in_by_their_rules(floor: Floor) -> None:
    made = floor.admin.post("/customer_fields", {"record_type": "person", "label": "Chosen height", "type": "number"})
    fields = {"act": "field", "record": floor.records("customers"), "field": "own:Chosen height"}
    assert "Chosen height" in floor.post("customers", "", **fields).text
    assert "Chosen height: " in floor.post("customers", "look", **fields, value="tall").text
    floor.post("customers", "do", **fields, value="0180")
    person = floor.admin.get(f"/persons/{floor.made['person']}")
    assert person["attributes"]["Chosen height"] == "180"
    one, path = made["customer_field"], f"/customer_fields/{made['customer_field']['id']}"
    floor.admin.ask("PATCH", path, json={"retired": True}, headers={"If-Match": one["etag"]}).raise_for_status()


def test_a_way_back_that_somebody_made_up_is_refused(floor: Floor) -> None:
    record = floor.records("customers")[0].split("|")[0]
    for back in ("nothing", '{"etag": 5', '{"shoe": "42"}'):
        answer = floor.post("customers", "back", act="tag", undo=f"{record}||/{back}")
        assert (answer.status_code, "nothing to take back" in answer.text) == (400, True)


def test_tags_of_another_branch_are_not_changed(floor: Floor, platform: Any, a_visitor: Callable[..., Any]) -> None:
    stranger = a_visitor(a_new_branch(platform, "Elsewhere too"), "head")
    before = floor.admin.get(f"/persons/{floor.made['person']}")["tags"]
    fields = {"act": "tag", "step": "do", "record": f"{floor.made['person']}||", "tag": "mine now"}
    stranger.post("/lists/customers/chosen", fields, "form#chosen-form")
    back = {"act": "tag", "step": "back", "undo": f"{floor.made['person']}||/" + '{"addTags": ["mine now"]}'}
    stranger.post("/lists/customers/chosen", back, "form#chosen-form")
    assert floor.admin.get(f"/persons/{floor.made['person']}")["tags"] == before


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"act": "give", "step": "look"}, "choose 1 to 200 records"),
        ({"act": "give", "step": "look", "record": "x"}, "choose 1 to 200 records"),
        ({"act": "give", "step": "back"}, "nothing to take back"),
    ],
)
def test_a_form_without_records_is_refused(floor: Floor, fields: dict[str, str], says: str) -> None:
    answer = floor.head.post("/lists/customers/chosen", fields, "form#chosen-form")
    assert (answer.status_code, says in answer.text) == (400, True)


def test_an_act_that_a_list_does_not_offer_is_no_page(floor: Floor) -> None:
    records = floor.records("customers")
    assert floor.post("customers", "look", act="move", record=records).status_code == 404
    assert floor.post("customers", "look", act="burn", record=records).status_code == 404


def test_records_of_another_branch_are_left_out(floor: Floor, platform: Any, a_visitor: Callable[..., Any]) -> None:
    stranger = a_visitor(a_new_branch(platform, "Elsewhere"), "head")
    answer = stranger.post(
        "/lists/customers/chosen",
        {"act": "give", "step": "look", "record": f"{floor.made['person']}||", "to_owner_id": floor.heir},
        "form#chosen-form",
    )
    assert "Chosen" not in answer.text
    assert floor.owner("customers") == floor.made["user"]
