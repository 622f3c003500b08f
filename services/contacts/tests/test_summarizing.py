"""What everybody did on a day: counted by author and kind, listed, and only where the caller may read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from contacts.events import timestamp_of
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import MOSCOW, MOSCOW_SELLER, STEWARD, TULA, TULA_SELLER, Contacts, Refusal, a_row

DAY = timedelta(days=1)


def a_person(contacts: Contacts) -> str:
    contacts.import_persons(a_row("Ada Lind", "+79123456789"), run="r1")
    hits = contacts.call("SearchCustomers", pb.SearchCustomersRequest(query="ada")).hits
    assert hits[0].phone.startswith("+7")
    return str(hits[0].id)


def log(contacts: Contacts, person_id: str, kind: int, unit_id: str, access: Any, summary: str = "said") -> None:
    asked = pb.Interaction(kind=kind, person_id=person_id, unit_id=unit_id, summary=summary)  # type: ignore[arg-type]
    contacts.call("LogInteraction", pb.LogInteractionRequest(interaction=asked), access)


def of_the_day(**fields: Any) -> pb.SummarizeInteractionsRequest:
    now = datetime.now(UTC)
    start, end = timestamp_of(now - DAY), timestamp_of(now + DAY)
    return pb.SummarizeInteractionsRequest(occur_from_time=start, occur_before_time=end, **fields)


def test_a_day_is_summed_by_author_and_kind_with_the_newest_of_each(contacts: Contacts) -> None:
    person = a_person(contacts)
    for number in range(5):
        log(contacts, person, pb.INTERACTION_KIND_CALL, MOSCOW, MOSCOW_SELLER, f"call {number}")
    log(contacts, person, pb.INTERACTION_KIND_MEETING, MOSCOW, MOSCOW_SELLER)
    log(contacts, person, pb.INTERACTION_KIND_NOTE, TULA, STEWARD)
    found = contacts.call("SummarizeInteractions", of_the_day(newest_count=3), STEWARD).authors
    shown = {one.author_id: {count.kind: count.count for count in one.counts} for one in found}
    assert shown == {
        MOSCOW_SELLER.user_id: {pb.INTERACTION_KIND_CALL: 5, pb.INTERACTION_KIND_MEETING: 1},
        STEWARD.user_id: {pb.INTERACTION_KIND_NOTE: 1},
    }
    assert [len(one.newest) for one in found] == [3, 1]
    assert [one.summary for one in found[0].newest][1:] == ["call 4", "call 3"]
    only = contacts.call("SummarizeInteractions", of_the_day(unit_id=TULA), STEWARD).authors
    assert [one.author_id for one in only] == [STEWARD.user_id]


def test_a_sibling_branch_sees_nothing_of_it(contacts: Contacts) -> None:
    person = a_person(contacts)
    log(contacts, person, pb.INTERACTION_KIND_CALL, MOSCOW, MOSCOW_SELLER)
    assert not contacts.call("SummarizeInteractions", of_the_day(), TULA_SELLER).authors


def test_the_line_of_an_author_and_of_a_unit_need_no_customer(contacts: Contacts, refusal: Refusal) -> None:
    person = a_person(contacts)
    log(contacts, person, pb.INTERACTION_KIND_CALL, MOSCOW, MOSCOW_SELLER, "mine")
    log(contacts, person, pb.INTERACTION_KIND_CALL, MOSCOW, STEWARD, "theirs")
    own = pb.ListInteractionsRequest(author_id=MOSCOW_SELLER.user_id)
    assert [one.summary for one in contacts.call("ListInteractions", own, STEWARD).interactions] == ["mine"]
    units = pb.ListInteractionsRequest(unit_id=MOSCOW)
    assert [one.summary for one in contacts.call("ListInteractions", units, STEWARD).interactions] == ["theirs", "mine"]
    assert refusal("ListInteractions", pb.ListInteractionsRequest(), STEWARD).reason == "FIELD_INVALID"


def test_a_time_that_is_none_is_refused(contacts: Contacts, refusal: Refusal) -> None:
    asked = of_the_day()
    asked.occur_before_time.CopyFrom(asked.occur_from_time)
    assert refusal("SummarizeInteractions", asked, STEWARD).reason == "FIELD_INVALID"
