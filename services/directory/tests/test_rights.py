"""What follows from positions, roles and restrictions: decisions on plain values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chassis.access import ALL, COVERED_BY, OWN, READ, SUBTREE, TEAM, WRITE, Access
from directory.rights import ACTIONS, BUILT_IN, Permission, Place, absent_of, grants_of, home_of
from units.records import KINDS

DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
PATHS = ["hq", "hq.a", "hq.a.b", "hq.c"]
PERMISSIONS = st.builds(
    Permission,
    st.sampled_from(ACTIONS),
    st.sampled_from([OWN, TEAM, SUBTREE, SUBTREE, ALL]),
    st.sampled_from(["", "deal", "plan"]),
)
ALLOWED = st.sampled_from([one.permissions for one in BUILT_IN.values()]) | st.lists(PERMISSIONS, max_size=4).map(tuple)
PLACES = st.lists(
    st.builds(
        Place,
        role=st.just("any"),
        unit_id=st.just("u"),
        unit_path=st.sampled_from(PATHS),
        time_zone=st.sampled_from(["UTC", "Pacific/Kiritimati", "America/Los_Angeles"]),
        start_date=st.none() | DAYS,
        end_date=st.none() | DAYS,
        permissions=ALLOWED,
        stands_in_for=st.sampled_from(["", "", "anna"]),
    ),
    max_size=5,
)
MOMENTS = st.datetimes(datetime(2020, 1, 2), datetime(2029, 12, 30), timezones=st.just(UTC))


def allows(place: Place, action: str, path: str, records: str) -> bool:
    """What a position allows on records of others, said without grants."""
    for one in place.permissions:
        fits = action in (one.action, *(part for part, whole in COVERED_BY.items() if whole == one.action))
        if not fits or one.records not in ("", records):
            continue
        below = path.split(".")[: len(place.unit_path.split("."))] == place.unit_path.split(".")
        if one.scope == ALL or (one.scope == SUBTREE and below) or (one.scope == TEAM and path == place.unit_path):
            return True
    return False


@given(
    PLACES,
    MOMENTS,
    st.sampled_from(ACTIONS),
    st.sampled_from([*PATHS, "hq.ab", "other"]),
    st.sampled_from(["", *KINDS]),
)
def test_rights_come_from_positions_in_force_and_from_nothing_else(
    places: list[Place], moment: datetime, action: str, path: str, records: str
) -> None:
    current = [place for place in places if place.in_force(moment)]
    access = Access("u", grants=grants_of(places, moment))
    assert access.allows_in(action, path, records) == any(allows(one, action, path, records) for one in current)
    own = {(p.action, p.records) for one in current for p in one.permissions if p.scope == OWN}
    kept = {(grant.action, grant.records) for grant in access.grants if grant.scope == OWN}
    assert kept <= own


@given(PLACES, MOMENTS)
def test_home_is_a_position_of_ones_own_in_force_where_there_is_one(places: list[Place], moment: datetime) -> None:
    home = home_of(places, moment)
    current = [place for place in places if place.in_force(moment)]
    assert (home is None) == (not places)
    if home and current:
        assert home.in_force(moment)
        assert not home.stands_in_for or all(place.stands_in_for for place in current)
    assert absent_of(places, moment) == (("anna",) if any(place.stands_in_for for place in current) else ())


@given(DAYS, MOMENTS)
def test_a_position_holds_from_its_first_day_to_the_day_before_its_end(start: date, moment: datetime) -> None:
    place = Place("seller", "u", "hq", "UTC", start, start + timedelta(days=30))
    assert place.in_force(moment) == (start <= moment.date() < start + timedelta(days=30))


def test_what_a_wider_grant_holds_is_not_said_again() -> None:
    def place(path: str) -> Place:
        return Place("head", "u", path, "UTC", None, None, BUILT_IN["head"].permissions)

    grants = grants_of([place("hq.a.b"), place("hq.a"), place("hq.a")], datetime(2026, 1, 1, tzinfo=UTC))
    assert {grant.unit_path for grant in grants if grant.scope == SUBTREE} == {"hq.a"}
    assert sorted(grant.action for grant in grants if grant.scope == OWN) == [READ, WRITE]
