"""Cards of one customer on the workplace's page: side by side, made one with the values chosen, and two again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

HIDDEN = re.compile(r'name="(\w+)" value="([^"]*)"')
MERGED = re.compile(r"^/(customers|organizations)/([0-9a-f-]+)\?merged=([0-9a-f-]+)$")


@dataclass(frozen=True)
class Pair:
    """Two cards of one person in a branch, and its head at a browser."""

    admin: Any
    head: Any
    unit: dict[str, Any]
    older: str
    younger: str

    @property
    def path(self) -> str:
        """Where they stand side by side."""
        return f"/merge?kind=person&id={self.younger}&id={self.older}"

    def form(self, **changes: Any) -> dict[str, Any]:
        """The page's form with what it has hidden, and these changes."""
        page = self.head.get(self.path).text.split('id="merge"')[1]
        hidden = HIDDEN.findall(page.split("<section")[0])
        cards = [value for name, value in hidden if name == "card"]
        return {**dict(hidden), "card": cards, "stays": self.older, **changes}

    def merge(self, **changes: Any) -> str:
        """Make them one and answer the merge's id."""
        done = self.head.post("/merge", self.form(step="do", **changes), "form#merge")
        found = MERGED.match(done.headers.get("hx-redirect", ""))
        assert found, done.text
        return found[3]


@pytest.fixture
def pair(admin: Any, a_branch: Any, a_visitor: Any) -> Pair:
    """One birthday differs; a telephone is on the younger card alone."""
    mark = "".join(chr(97 + int(digit, 16)) for digit in uuid4().hex[:8])
    unit = a_branch(name=f"Mill {mark}")
    shared = {"given_name": "Irina", "family_name": f"Merg{mark}", "unit_id": unit["id"]}
    older = admin.post("/persons", {**shared, "birth_date": "1980-02-03", "attributes": {"hat": "7"}})["person"]["id"]
    younger = admin.post("/persons", {
        **shared, "given_name": "Irena", "birth_date": "1980-03-02",
        "channels": [{"kind": "email", "value": f"{mark}@mill.example"}],
    })["person"]["id"]  # fmt: skip
    admin.post("/interactions", {"kind": "note", "person_id": younger, "summary": "Wants oak", "unit_id": unit["id"]})
    return Pair(admin, a_visitor(unit, "head"), unit, older, younger)


def test_what_differs_is_chosen_and_the_page_says_what_will_happen(pair: Pair) -> None:
    page = pair.head.get(pair.path).text
    assert [one for one in ("1 interaction comes along", "Make 2 cards one", "hat: 7") if one not in page] == []
    assert page.count('name="choice.birth_date"') == 2
    assert 'name="choice.attributes"' not in page  # one card alone says something
    assert re.search(rf'name="stays" value="{pair.older}" checked', page)
    chosen = {"choice.birth_date": pair.younger}
    preview = pair.head.post("/merge/preview", pair.form(**chosen), "form#merge").text
    assert re.search(rf'name="choice.birth_date" value="{pair.younger}" checked', preview)
    assert "Mar 2, 1980" in preview.split('id="merge-result"')[1]
    entered = pair.head.post("/merge", pair.form(step="look", **chosen), "form#merge")
    assert (entered.status_code, entered.headers["hx-retarget"]) == (200, "#merge")
    assert pair.admin.get(f"/persons/{pair.younger}")["id"] == pair.younger  # nothing happened yet


def test_the_cards_are_one_with_a_way_back_on_the_card_and_in_its_history(pair: Pair) -> None:
    merge_id = pair.merge(note="Entered twice", **{"choice.birth_date": pair.younger})
    card = pair.head.get(f"/customers/{pair.younger}")
    assert (card.status_code, card.headers["location"]) == (303, f"/customers/{pair.older}")
    person = pair.admin.get(f"/persons/{pair.older}")
    assert (person["birth_date"], len(person["channels"])) == ("1980-03-02", 1)
    assert merge_id in pair.head.get(f"/customers/{pair.older}?merged={merge_id}").text
    history = pair.head.part(f"/customers/{pair.older}/merges").text
    assert [one for one in ("Irena", "Entered twice", merge_id, "Undo") if one not in history] == []
    undone = pair.head.post("/merge/undo", {"request_id": uuid4().hex, "merge_id": merge_id})
    assert (undone.status_code, "Each has what was its own." in undone.text) == (200, True)
    assert pair.admin.get(f"/persons/{pair.younger}")["birth_date"] == "1980-03-02"
    assert pair.admin.get(f"/persons/{pair.older}")["birth_date"] == "1980-02-03"
    assert "undone" in pair.head.part(f"/customers/{pair.older}/merges").text


def test_what_changed_in_between_stays_and_is_told(pair: Pair) -> None:
    merge_id = pair.merge(**{"choice.birth_date": pair.younger})
    now = pair.admin.get(f"/persons/{pair.older}")
    match = {"If-Match": f'"{now["etag"]}"'}
    pair.admin.patch(f"/persons/{pair.older}", {"birth_date": "1981-01-01"}, headers=match)
    told = pair.head.post("/merge/undo", {"request_id": uuid4().hex, "merge_id": merge_id}).text
    assert "Birthday – was changed since" in re.sub(r"<[^>]+>", "", told)


def test_a_card_that_changed_since_it_was_read_is_not_merged(pair: Pair) -> None:
    form = pair.form(step="do")
    now = pair.admin.get(f"/persons/{pair.younger}")
    pair.admin.patch(f"/persons/{pair.younger}", {"given_name": "Ira"}, headers={"If-Match": f'"{now["etag"]}"'})
    refused = pair.head.post("/merge", form, "form#merge")
    assert (refused.status_code, refused.headers["hx-retarget"]) == (412, "#merge [data-problem]")
    assert pair.admin.get(f"/persons/{pair.younger}")["given_name"] == "Ira"


def test_another_survivor_takes_its_own_values_with_it(pair: Pair) -> None:
    form = pair.form(**{"choice.birth_date": pair.older, "stayed": pair.older, "stays": pair.younger})
    preview = pair.head.post("/merge/preview", form, "form#merge").text
    assert re.search(rf'name="choice.birth_date" value="{pair.younger}" checked', preview)


def test_chosen_rows_a_card_and_a_pair_lead_to_the_page(pair: Pair) -> None:
    rows = {"act": "merge", "record": [f"{one}||" for one in (pair.older, pair.younger)]}
    chosen = pair.head.post("/lists/customers/chosen", rows)
    assert chosen.headers["hx-redirect"] == f"/merge?kind=person&id={pair.older}&id={pair.younger}"
    alone = pair.head.post("/lists/customers/chosen", {"act": "merge", "record": rows["record"][:1]})
    assert (alone.status_code, "2 to 20" in alone.text) == (400, True)
    assert "Which other card" in pair.head.get(f"/merge?kind=person&id={pair.older}").text
    assert f"/merge?kind=person&amp;id={pair.older}" in pair.head.get(f"/customers/{pair.older}").text


def test_who_may_not_change_a_card_does_not_merge_it(pair: Pair, a_branch: Any, a_visitor: Any) -> None:
    stranger = a_visitor(a_branch())
    nothing = stranger.get(pair.path)
    assert (nothing.status_code, nothing.headers["location"]) == (303, "/duplicates")
    refused = stranger.post("/merge", pair.form(step="do"))
    assert refused.status_code == 404
    assert pair.admin.get(f"/persons/{pair.younger}")["id"] == pair.younger
