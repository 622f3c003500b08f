"""Two changes of one record: what only one of them changed is taken from that one, what both changed is asked."""

from __future__ import annotations

from gateway.web.conflicts import make_conflict, settle_fields


def test_a_field_that_only_one_changed_is_taken_from_that_one() -> None:
    before = {"name": "Anna", "town": "Tula", "street": "Main"}
    theirs = {"name": "Anna", "town": "Moscow", "street": "Main"}
    mine = {"name": "Anne", "town": "Tula", "street": "Main"}
    assert settle_fields(before, theirs, mine) == ({"name": "Anne", "town": "Moscow", "street": "Main"}, [])


def test_a_field_that_both_changed_alike_is_no_conflict() -> None:
    assert settle_fields({"name": "Anna"}, {"name": "Anne"}, {"name": "Anne"}) == ({"name": "Anne"}, [])


def test_a_field_that_both_changed_is_shown_as_before_theirs_and_mine() -> None:
    values = ({"name": "Anna", "town": ""}, {"name": "Anne", "town": "Moscow"}, {"name": "Hanna", "town": ""})
    conflict = make_conflict("/save", "7", "#fact", {"name": "Name"}, values, lambda _, value: value.upper())
    assert conflict is not None
    [clash] = conflict.clashes
    assert (clash.label, clash.before_shown, clash.theirs_shown, clash.mine_shown) == ("Name", "ANNA", "ANNE", "HANNA")
    assert (conflict.settled, conflict.stored) == ({"town": "Moscow"}, {"name": "Anne", "town": "Moscow"})
