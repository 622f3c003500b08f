"""What positions allow is decided by whole words of a unit's path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.access import ALL, OWN, READ, SUBTREE, WRITE, Access, Grant, service_access
from chassis.errors import NotPermitted

GRANTS = st.builds(Grant, st.sampled_from([READ, WRITE]), st.sampled_from([OWN, SUBTREE, ALL]), st.text(max_size=8))


@given(st.builds(Access, st.text(min_size=1), st.text(), st.text(), st.lists(GRANTS).map(tuple), st.text()))
def test_an_access_comes_back_from_its_claims(access: Access) -> None:
    assert Access.from_claims(access.to_claims()) == access


def test_a_subtree_is_the_unit_and_what_is_below_it_by_whole_words() -> None:
    access = Access("u", grants=(Grant(READ, SUBTREE, "hq.ru"),))
    assert access.allows_in(READ, "hq.ru")
    assert access.allows_in(READ, "hq.ru.moscow")
    for path in ("hq", "hq.ruhr", "hq.rux.moscow", "", "ru"):
        assert not access.allows_in(READ, path)
    assert not access.allows_in(WRITE, "hq.ru")


def test_a_grant_without_a_unit_and_a_grant_on_own_records_allow_no_unit() -> None:
    access = Access("u", grants=(Grant(READ, SUBTREE, ""), Grant(READ, OWN)))
    assert not access.allows_in(READ, "")
    assert not access.allows_in(READ, "hq")
    with pytest.raises(NotPermitted) as refused:
        access.require_in(READ, "hq")
    assert refused.value.metadata == {"action": "read", "unit": "hq"}


def test_only_a_grant_on_all_allows_everywhere() -> None:
    head = Access("u", grants=(Grant(READ, SUBTREE, "hq"),))
    with pytest.raises(NotPermitted):
        head.require_everywhere(READ)
    service_access("deals").require_everywhere(READ)
    service_access("deals").require_in(WRITE, "hq.anything")
