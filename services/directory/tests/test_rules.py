"""Decisions of the directory on plain values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from directory.rules import ROLES, Place, grants_of, home_of

DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
PLACES = st.lists(
    st.builds(
        Place,
        role=st.sampled_from(ROLES),
        unit_id=st.just("u"),
        unit_path=st.sampled_from(["hq", "hq.a", "hq.a.b", "hq.c"]),
        time_zone=st.sampled_from(["UTC", "Pacific/Kiritimati", "America/Los_Angeles"]),
        start_date=st.none() | DAYS,
        end_date=st.none() | DAYS,
    ),
    max_size=5,
)
MOMENTS = st.datetimes(datetime(2020, 1, 2), datetime(2029, 12, 30), timezones=st.just(UTC))


@given(PLACES, MOMENTS)
def test_rights_come_from_positions_in_force_and_from_nothing_else(places: list[Place], moment: datetime) -> None:
    current = [place for place in places if place.in_force(moment) and place.role != "none"]
    grants = grants_of(places, moment)
    assert bool(grants) == bool(current)
    assert {grant.unit_path for grant in grants if grant.scope == "subtree"} == {
        place.unit_path for place in current if place.role != "administrator"
    }
    assert any(grant.scope == "all" for grant in grants) == any(place.role == "administrator" for place in current)


@given(PLACES, MOMENTS)
def test_home_is_a_position_in_force_where_there_is_one(places: list[Place], moment: datetime) -> None:
    home = home_of(places, moment)
    assert (home is None) == (not places)
    if home and any(place.in_force(moment) for place in places):
        assert home.in_force(moment)


@given(DAYS, MOMENTS)
def test_a_position_holds_from_its_first_day_to_the_day_before_its_end(start: date, moment: datetime) -> None:
    place = Place("seller", "u", "hq", "UTC", start, start + timedelta(days=30))
    assert place.in_force(moment) == (start <= moment.date() < start + timedelta(days=30))
