"""A token for an export reads what its user may both read and export, and does nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.access import ADMINISTER, ALL, EXPORT, OWN, READ, SUBSCRIBE, SUBTREE, TEAM, WRITE, Access, Denial, Grant
from chassis.errors import NotPermitted
from units.narrowing import narrow_reading
from units.records import CUSTOMER, DEAL

PATHS = ("hq", "hq.ru", "hq.ru.tula", "hq.de")
ME, OTHER = "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"
grants = st.builds(
    lambda action, scope, path, records: Grant(action, scope, path if scope in (SUBTREE, TEAM) else "", records),
    st.sampled_from((READ, EXPORT, WRITE)),
    st.sampled_from((OWN, TEAM, SUBTREE, ALL)),
    st.sampled_from(PATHS),
    st.sampled_from(("", CUSTOMER, DEAL)),
)
denials = st.builds(
    Denial, st.sampled_from(PATHS), st.sampled_from((READ, EXPORT, WRITE)), st.sampled_from(("", CUSTOMER, DEAL))
)
accesses = st.builds(
    lambda held, taken: Access(ME, grants=(*held, Grant(EXPORT, SUBTREE, "hq.de", CUSTOMER)), denials=tuple(taken)),
    st.lists(grants, max_size=6),
    st.lists(denials, max_size=2),
)


@given(accesses, st.sampled_from(PATHS), st.sampled_from((ME, OTHER)))
def test_what_it_reads_may_be_read_and_exported_and_other_kinds_are_read_as_ever(
    access: Access, path: str, owner: str
) -> None:
    narrow = narrow_reading(access, EXPORT, CUSTOMER)
    if narrow.allows(READ, path, owner, CUSTOMER):
        assert access.allows(READ, path, owner, CUSTOMER)
        assert access.allows(EXPORT, path, owner, CUSTOMER)
    assert narrow.allows(READ, path, owner, DEAL) == access.allows(READ, path, owner, DEAL)
    assert {one.action for one in narrow.grants} <= {READ}


@given(accesses, st.sampled_from(PATHS))
def test_whatever_units_may_be_read_and_exported_are_read(access: Access, path: str) -> None:
    if access.allows_in(READ, path, CUSTOMER) and access.allows_in(EXPORT, path, CUSTOMER):
        assert narrow_reading(access, EXPORT, CUSTOMER).allows_in(READ, path, CUSTOMER)


def test_who_may_export_nothing_of_a_kind_gets_no_token_for_it() -> None:
    access = Access(ME, grants=(Grant(READ, ALL), Grant(EXPORT, ALL, "", DEAL)))
    with pytest.raises(NotPermitted):
        narrow_reading(access, EXPORT, CUSTOMER)
    assert narrow_reading(access, EXPORT, DEAL).allows_everywhere(READ, DEAL)
    assert narrow_reading(access, EXPORT, "").allows_everywhere(READ, DEAL)
    assert not narrow_reading(access, EXPORT, "").allows_somewhere(EXPORT)


def test_an_administrator_who_may_tell_systems_outside_tells_what_he_reads_and_no_more() -> None:
    access = Access(ME, grants=(Grant(ADMINISTER, ALL), Grant(READ, SUBTREE, "hq.ru")))
    narrow = narrow_reading(access, SUBSCRIBE, "")
    assert narrow.allows_in(READ, "hq.ru.tula", CUSTOMER)
    assert not narrow.allows_in(READ, "hq.de", CUSTOMER)
    assert not narrow.allows_somewhere(ADMINISTER)
