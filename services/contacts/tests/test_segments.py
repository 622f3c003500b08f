"""Segments: conditions in words of the trade, who is in them, what is said of it, and who may see it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import clock
from chassis.access import ADMINISTER, ALL, READ, SUBTREE, TEAM, WRITE, Access, Denial, Grant
from contacts.segments import keeping
from contacts.segments.keeping import keep_segments
from contacts.settings import Settings
from contacts.tables import segment, segment_member
from contacts.worker import worker_service
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import (
    HQ,
    MOSCOW,
    MOSCOW_SELLER,
    OWN_SELLER,
    STEWARD,
    TULA,
    TULA_SELLER,
    Contacts,
    Refusal,
    id_of,
)

ADMINISTRATOR = Access(id_of("admin"), "Admin", HQ, tuple(Grant(action, ALL) for action in (READ, WRITE, ADMINISTER)))


def where(field: str, operator: str, value: str = "") -> pb.SegmentCondition:
    """A condition as people write it."""
    number = pb.SegmentOperator.Value(f"SEGMENT_OPERATOR_{operator.upper()}")
    return pb.SegmentCondition(field=field, operator=number, value=value)


def make(
    contacts: Contacts, *conditions: pb.SegmentCondition, access: Access = STEWARD, unit_id: str = HQ, **more: Any
) -> pb.Segment:
    """A segment of these conditions, with its members found."""
    asked = pb.Segment(name=more.pop("name", "Group"), unit_id=unit_id, conditions=conditions, **more)
    answer = contacts.call("CreateSegment", pb.CreateSegmentRequest(segment=asked), access).segment
    assert isinstance(answer, pb.Segment)
    keep(contacts)
    return answer


def keep(contacts: Contacts, days: int = 0) -> None:
    """Find all members, as after so many days."""
    with contacts.database.transaction() as work:
        work.execute(sa.update(segment).where(segment.c.due_time.is_not(None)).values(due_time=work.now))
    with clock.at(datetime.now(UTC) + timedelta(days=days, seconds=1)):
        keep_segments(contacts.database)


def members(contacts: Contacts, of: pb.Segment, access: Access = STEWARD) -> list[str]:
    """Names of the members that somebody sees, by the list of persons; the count must be the same."""
    persons = contacts.call("ListPersons", pb.ListPersonsRequest(segment_id=of.id), access).persons
    count = contacts.call("CountCustomers", pb.CountCustomersRequest(segment_id=of.id), access)
    assert (count.persons, count.organizations) == (len(persons), 0)
    return [one.display_name for one in persons]


def count(contacts: Contacts, *conditions: pb.SegmentCondition, access: Access = STEWARD, **more: Any) -> int:
    """How many persons conditions speak of."""
    request = pb.CountSegmentRequest(conditions=conditions, **more)
    return int(contacts.call("CountSegment", request, access).persons)


def change(contacts: Contacts, of: pb.Segment, access: Access = STEWARD, **values: Any) -> pb.Segment:
    """The segment after a change of these properties."""
    answer = contacts.call("UpdateSegment", changed(of, **values), access).segment
    assert isinstance(answer, pb.Segment)
    keep(contacts)
    return answer


def changed(of: pb.Segment, **values: Any) -> pb.UpdateSegmentRequest:
    mask = FieldMask(paths=values)
    return pb.UpdateSegmentRequest(segment=pb.Segment(id=of.id, **values), update_mask=mask, etag=of.etag)


def log_call(contacts: Contacts, person_id: str, days_ago: int, unit_id: str = MOSCOW) -> None:
    """A call with a person so many days ago."""
    occurred = Timestamp()
    occurred.FromDatetime(datetime.now(UTC) - timedelta(days=days_ago))
    call = pb.Interaction(
        kind=pb.INTERACTION_KIND_CALL, person_id=person_id, occur_time=occurred, unit_id=unit_id, summary="Said hello"
    )
    contacts.call("LogInteraction", pb.LogInteractionRequest(interaction=call))


def told(contacts: Contacts, name: str) -> list[str]:
    """The persons that all events of a name tell of."""
    return [person_id for event in contacts.events(name) for person_id in event.person_ids]


def test_conditions_find_persons_by_their_facts(contacts: Contacts) -> None:
    works = pb.Affiliation(organization_name="Mill", role="Buyer")
    anna = contacts.create(name="Anna", address=pb.Address(city="Tula", country="RU"), affiliations=[works]).person
    contacts.create(name="Boris", address=pb.Address(city="Moscow"), phone="+79160000001", individual_customer=True)
    mill = anna.affiliations[0].organization_id
    industry = pb.Organization(id=mill, industry="Flour")
    contacts.call(
        "UpdateOrganization",
        pb.UpdateOrganizationRequest(
            organization=industry,
            update_mask=FieldMask(paths=["industry"]),
            etag=contacts.call("GetOrganization", pb.GetOrganizationRequest(organization_id=mill)).organization.etag,
        ),
    )
    for conditions, found in (
        ([where("city", "is", "TULA")], ["Anna"]),
        ([where("city", "is_not", "Tula")], ["Boris"]),
        ([where("region", "filled")], []),
        ([where("country", "empty")], ["Boris"]),
        ([where("individual_customer", "is", "yes")], ["Boris"]),
        ([where("phone", "empty")], ["Anna"]),
        ([where("email", "filled")], []),
        ([where("organization_id", "is", mill)], ["Anna"]),
        ([where("organization_id", "empty")], ["Boris"]),
        ([where("role", "is", "buyer")], ["Anna"]),
        ([where("industry", "is", "flour")], ["Anna"]),
        ([where("industry", "is_not", "flour")], ["Boris"]),
        ([where("home_unit_id", "is", MOSCOW)], ["Anna", "Boris"]),
        ([where("owner_id", "empty"), where("created", "within_days", "1")], ["Anna", "Boris"]),
        ([where("city", "is", "Tula"), where("phone", "filled")], []),
    ):
        assert members(contacts, make(contacts, *conditions)) == found, conditions
        assert count(contacts, *conditions) == len(found), conditions
    either = make(contacts, where("city", "is", "Tula"), where("phone", "filled"), match_any=True)
    assert members(contacts, either) == ["Anna", "Boris"]


def test_a_membership_that_ended_is_none(contacts: Contacts) -> None:
    past = pb.Affiliation(organization_name="Mill", role="Buyer")
    past.start_date.year, past.start_date.month, past.start_date.day = 2020, 1, 1
    past.end_date.year, past.end_date.month, past.end_date.day = 2021, 1, 1
    contacts.create(name="Anna", affiliations=[past])
    assert count(contacts, where("role", "is", "Buyer")) == 0


def test_own_fields_are_conditions(contacts: Contacts, refusal: Refusal) -> None:
    height = pb.CustomerField(record_type="person", label="Height", type=pb.CUSTOMER_FIELD_TYPE_NUMBER)
    contacts.call("CreateCustomerField", pb.CreateCustomerFieldRequest(customer_field=height), ADMINISTRATOR)
    contacts.create(name="Anna", attributes={"Height": "165"})
    contacts.create(name="Boris", attributes={"Height": "190"})
    contacts.create(name="Clara")
    assert members(contacts, make(contacts, where("attributes.Height", "at_least", "180"))) == ["Boris"]
    assert members(contacts, make(contacts, where("attributes.height", "at_most", "165.0"))) == ["Anna"]
    assert members(contacts, make(contacts, where("attributes.Height", "empty"))) == ["Clara"]
    assert members(contacts, make(contacts, where("attributes.Height", "is_not", "190"))) == ["Anna", "Clara"]
    tall = pb.CountSegmentRequest(conditions=[where("attributes.Height", "at_least", "tall")])
    assert refusal("CountSegment", tall).violations[0].field == "segment.conditions[0].value"


def test_members_follow_the_facts_and_each_coming_and_going_is_said_once(contacts: Contacts) -> None:
    anna = contacts.create(name="Anna").person
    boris = contacts.create(name="Boris").person
    log_call(contacts, boris.id, 10)
    quiet = make(contacts, where("last_contact", "not_within_days", "30"))
    assert members(contacts, quiet) == ["Anna"]
    assert told(contacts, "SegmentEntered") == [anna.id]
    keep(contacts)
    assert told(contacts, "SegmentEntered") == [anna.id]
    log_call(contacts, anna.id, 0)
    keep(contacts)
    assert members(contacts, quiet) == []
    assert told(contacts, "SegmentLeft") == [anna.id]
    keep(contacts, days=21)  # nothing happened, time passed
    assert members(contacts, quiet) == ["Boris"]
    assert told(contacts, "SegmentEntered") == [anna.id, boris.id]
    [state] = [one.segment for one in contacts.events("SegmentLeft")]
    assert (state.id, state.name, state.unit_id) == (quiet.id, "Group", HQ)


def test_who_is_found_with_a_change_is_told_with_it_or_not_at_all(
    contacts: Contacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts.create(name="Anna")
    monkeypatch.setattr(keeping, "segment_state", lambda _row: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make(contacts, where("phone", "empty"))
    assert contacts.count(segment_member) == 0
    monkeypatch.undo()
    keep(contacts)
    assert (contacts.count(segment_member), len(told(contacts, "SegmentEntered"))) == (1, 1)


def test_many_members_are_told_in_parts_with_a_version_each(
    contacts: Contacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "TOLD_AT_ONCE", 2)
    for name in ("Anna", "Boris", "Clara"):
        contacts.create(name=name)
    made = make(contacts, where("phone", "empty"))
    assert [len(one.person_ids) for one in contacts.events("SegmentEntered")] == [2, 1]
    [listed] = contacts.call("ListSegments", pb.ListSegmentsRequest()).segments
    assert listed.etag == made.etag
    assert listed.HasField("evaluate_time")


def test_a_change_of_conditions_and_retiring_change_the_members(contacts: Contacts, refusal: Refusal) -> None:
    contacts.create(name="Anna", address=pb.Address(city="Tula"))
    contacts.create(name="Boris", address=pb.Address(city="Moscow"))
    made = make(contacts, where("city", "is", "Tula"))
    after = change(contacts, made, conditions=[where("city", "is", "Moscow")], name="Moscow's")
    assert members(contacts, after) == ["Boris"]
    assert refusal("UpdateSegment", changed(made, name="Stale")).reason == "STALE_ETAG"
    retired = change(contacts, after, retired=True)
    assert members(contacts, retired) == []
    assert len(told(contacts, "SegmentLeft")) == 2
    assert not contacts.call("ListSegments", pb.ListSegmentsRequest()).segments
    assert members(contacts, change(contacts, retired, retired=False)) == ["Boris"]


def test_a_merged_card_leaves_its_segments(contacts: Contacts) -> None:
    first = contacts.create(name="Anna").person
    second = contacts.create(name="Anna Two", address=pb.Address(city="Tula")).person
    made = make(contacts, where("phone", "empty"))
    cards = [pb.MergedCard(id=one.id, etag=one.etag) for one in (first, second)]
    merge = pb.MergeCustomersRequest(record_type="person", survivor_id=first.id, cards=cards)
    contacts.call("MergeCustomers", merge)
    keep(contacts)
    assert members(contacts, made) == ["Anna"]
    assert told(contacts, "SegmentLeft") == [second.id]


def test_a_segment_is_only_for_who_sees_all_that_it_is_made_from(contacts: Contacts, refusal: Refusal) -> None:
    contacts.create(name="Anna", unit_id=MOSCOW)
    contacts.create(name="Boris", unit_id=TULA)
    whole = make(contacts, where("phone", "empty"), name="All")
    branch = make(contacts, where("phone", "empty"), access=MOSCOW_SELLER, unit_id="", name="Moscow's")
    assert members(contacts, branch, MOSCOW_SELLER) == ["Anna"]
    assert members(contacts, whole) == ["Anna", "Boris"]
    team = Access(id_of("team"), "Team", HQ, (Grant(READ, TEAM, "hq"),))
    barred = Access(id_of("barred"), "Barred", HQ, (Grant(READ, SUBTREE, "hq"),), denials=(Denial("hq.moscow", READ),))
    for stranger in (TULA_SELLER, OWN_SELLER, team, barred):
        assert not contacts.call("ListSegments", pb.ListSegmentsRequest(), stranger).segments
        for method, request in (
            ("ListPersons", pb.ListPersonsRequest(segment_id=branch.id)),
            ("CountCustomers", pb.CountCustomersRequest(segment_id=branch.id)),
            ("UpdateSegment", changed(branch, name="Mine")),
        ):
            assert refusal(method, request, stranger).reason == "SEGMENT_NOT_FOUND"
    seen = contacts.call("ListSegments", pb.ListSegmentsRequest(), MOSCOW_SELLER).segments
    assert [one.name for one in seen] == ["Moscow's"]
    elsewhere = pb.Segment(name="Theirs", unit_id=MOSCOW, conditions=[where("phone", "empty")])
    assert refusal("CreateSegment", pb.CreateSegmentRequest(segment=elsewhere), TULA_SELLER).reason == "NOT_PERMITTED"
    asked = pb.CountSegmentRequest(unit_id=HQ, conditions=[where("phone", "empty")])
    assert refusal("CountSegment", asked, TULA_SELLER).reason == "NOT_PERMITTED"


def test_nobody_learns_hidden_fields_by_a_segment(contacts: Contacts, refusal: Refusal) -> None:
    contacts.create(name="Anna", phone="+79160000001")
    grants = tuple(Grant(action, SUBTREE, "hq") for action in (READ, WRITE))
    blind = Access(id_of("blind"), "Blind", HQ, grants, hidden=("customer.channels",))
    made = make(contacts, where("phone", "filled"))
    assert refusal("ListPersons", pb.ListPersonsRequest(segment_id=made.id), blind).reason == "SEGMENT_NOT_FOUND"
    asked = pb.CountSegmentRequest(conditions=[where("phone", "filled")])
    assert refusal("CountSegment", asked, blind).reason == "NOT_PERMITTED"
    assert count(contacts, where("created", "within_days", "1"), access=blind) == 1


def test_contacts_of_other_units_do_not_decide(contacts: Contacts) -> None:
    anna = contacts.create(name="Anna", unit_id=MOSCOW).person
    log_call(contacts, anna.id, 1, unit_id=TULA)
    moscow = make(contacts, where("last_contact", "within_days", "7"), access=MOSCOW_SELLER, unit_id=MOSCOW)
    whole = make(contacts, where("last_contact", "within_days", "7"))
    assert members(contacts, moscow, MOSCOW_SELLER) == []
    assert members(contacts, whole) == ["Anna"]


@pytest.mark.parametrize(
    ("condition", "field", "hint"),
    [
        (where("deal_amount", "at_least", "5"), "field", "use one of individual_customer"),
        (where("attributes.none", "is", "5"), "field", "no own field"),
        (where("city", "at_least", "5"), "operator", "use one of is, is_not"),
        (pb.SegmentCondition(field="city", value="Tula"), "operator", "not stated"),
        (where("city", "is"), "value", "is empty"),
        (where("city", "filled", "x"), "value", "leave it out"),
        (where("last_contact", "within_days", "0"), "value", "1 to 3650"),
        (where("created", "within_days", "²"), "value", "1 to 3650"),
        (where("owner_id", "is", "me"), "value", "not an id"),
        (where("individual_customer", "is", "maybe"), "value", "yes or no"),
        (where("city", "is", "a\x00b"), "value", "NUL"),
    ],
)
def test_bad_conditions_are_refused_by_name(
    contacts: Contacts, refusal: Refusal, condition: pb.SegmentCondition, field: str, hint: str
) -> None:
    good = where("phone", "empty")
    asked = pb.CreateSegmentRequest(segment=pb.Segment(name="Group", conditions=[good, condition]))
    [violation] = refusal("CreateSegment", asked).violations
    assert violation.field == f"segment.conditions[1].{field}"
    assert hint in violation.description


def test_a_segment_needs_a_name_and_conditions_and_one_never_made_is_not_found(
    contacts: Contacts, refusal: Refusal
) -> None:
    nameless = pb.CreateSegmentRequest(segment=pb.Segment(conditions=[where("phone", "empty")]))
    assert refusal("CreateSegment", nameless).violations[0].field == "segment.name"
    empty = pb.CreateSegmentRequest(segment=pb.Segment(name="Group"))
    assert refusal("CreateSegment", empty).violations[0].field == "segment.conditions"
    for wrong in ("x", id_of("nothing")):
        asked = pb.ListPersonsRequest(segment_id=wrong)
        assert refusal("ListPersons", asked).reason == "SEGMENT_NOT_FOUND"


def test_the_worker_looks_for_members_within_seconds(contacts: Contacts) -> None:
    service = worker_service(Settings(database_url=contacts.database.url))
    [timer] = [one for one in service.timers if one.name == "segments"]
    assert timer.seconds + keeping.PAUSE.total_seconds() < 60
    contacts.create(name="Anna")
    asked = pb.Segment(name="Group", conditions=[where("phone", "empty")])
    made = contacts.call("CreateSegment", pb.CreateSegmentRequest(segment=asked)).segment
    timer.act()
    assert members(contacts, made) == ["Anna"]
