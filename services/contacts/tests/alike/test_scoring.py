"""What agreements add up to, what a base teaches of them, and which cards are one group."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from contacts.alike.comparing import AGREES, DIFFERS, MISSING
from contacts.alike.describing import FAMILY, describe_card
from contacts.alike.grouping import MOST_IN_GROUP, group_cards
from contacts.alike.learning import learn_weights
from contacts.alike.scoring import Scorer
from contacts.alike.weights import PERSON, default_model, pack_model, unpack_model
from services.contacts.tests.alike.test_comparing import a_card

CARDS = 10_000
MODEL = default_model(PERSON, CARDS)
ANNA = describe_card(a_card("Smirnova, Anna", born="1980-05-06", email="anna@a.org"), ())


def test_the_reasons_add_up_to_the_score_and_name_what_is_missing() -> None:
    other = describe_card(a_card("Smirnova, Ana", born="1980-06-05"), ())
    told = Scorer(MODEL).explain(ANNA, other)
    by_field = {one.field: one for one in told.reasons}
    assert abs(told.bits - Scorer(MODEL).score(ANNA, other).bits) < 1e-9
    assert (by_field["email"].level, by_field["email"].bits) == (MISSING, 0.0)
    assert by_field["family_name"].bits > by_field["given_name"].bits > 0
    assert 0.5 < told.probability < 1


def test_a_common_name_is_worth_less_than_a_rare_one() -> None:
    common = default_model(PERSON, CARDS, shares={FAMILY: {"smirnova": 0.02}})
    rare = default_model(PERSON, CARDS, shares={FAMILY: {"ivanova": 0.02}})
    other = describe_card(a_card("Smirnova, Anna"), ())
    assert Scorer(common).score(ANNA, other).bits < Scorer(rare).score(ANNA, other).bits - 4


def test_nothing_is_certain_where_the_day_of_birth_differs() -> None:
    scorer = Scorer(MODEL)
    same = describe_card(a_card("Smirnova, Anna", born="1980-05-06", email="anna@a.org"), ())
    mother = describe_card(a_card("Smirnova, Anna", born="1953-11-21", email="anna@a.org"), ())
    assert scorer.is_certain(scorer.score(ANNA, same))
    assert not scorer.is_certain(scorer.score(ANNA, mother))


def test_a_base_teaches_that_its_people_move() -> None:
    """Pairs that agree in name, day and e-mail disagree in town, nine in ten: the town then says little."""
    town, at = MODEL.fields.index("place"), [MODEL.fields.index(name) for name in ("given_name", "birth_date", "email")]

    def levels(same: int, place: int) -> tuple[int, ...]:
        found = [MISSING] * len(MODEL.fields)
        for one in at:
            found[one] = same
        found[town] = place
        return tuple(found)

    candidates = {levels(AGREES, DIFFERS): 900.0, levels(AGREES, AGREES): 100.0, levels(DIFFERS, AGREES): 5_000.0}
    at_random = {levels(DIFFERS, DIFFERS): 19_000.0, levels(DIFFERS, AGREES): 1_000.0}
    learned = learn_weights(MODEL, candidates, at_random)
    pairs = CARDS * (CARDS - 1) / 2
    assert 800 < learned.chance * pairs < 1_200
    assert learned.bits()[town][DIFFERS] > MODEL.bits()[town][DIFFERS] + 1.5
    assert learn_weights(MODEL, {}, at_random) == MODEL


def test_a_model_is_kept_whole() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    kept = unpack_model(PERSON, pack_model(MODEL), now)
    assert (kept.fields, kept.m, kept.u, kept.chance) == (MODEL.fields, MODEL.m, MODEL.u, MODEL.chance)
    assert kept.learn_time == now


def test_cards_that_agree_only_through_a_third_one_are_one_group_when_they_agree_on_the_whole() -> None:
    assert group_cards({("a", "b"): 20.0, ("b", "c"): 12.0}) == [frozenset("abc")]
    assert sorted(map(sorted, group_cards({("a", "b"): 20.0, ("b", "c"): 1.0, ("c", "d"): 9.0}))) == [
        ["a", "b"],
        ["c", "d"],
    ]


@given(st.dictionaries(st.tuples(st.integers(0, 90), st.integers(0, 90)), st.floats(-10, 40), max_size=200))
def test_groups_never_share_a_card_and_never_grow_without_bound(drawn: dict[tuple[int, int], float]) -> None:
    pairs = {(f"{min(pair):02}", f"{max(pair):02}"): bits for pair, bits in drawn.items() if pair[0] != pair[1]}
    groups = group_cards(pairs)
    cards = [card for group in groups for card in group]
    assert len(cards) == len(set(cards))
    assert all(2 <= len(group) <= MOST_IN_GROUP for group in groups)
