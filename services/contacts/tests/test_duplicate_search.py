"""A search for duplicates: what it finds, what is remembered of it, who sees it, and what follows a fall."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf import field_mask_pb2
from google.type.date_pb2 import Date

from chassis.access import ALL, Access, Grant
from chassis.audit.tables import audit_entry
from chassis.database import Database
from chassis.jobs import JobInterrupted, JobRunner
from chassis.testing.plans import plan_of
from contacts import duplicates
from contacts.searching_duplicates import JOB, fail_search, run_search, search_changed
from contacts.settings import Settings
from contacts.tables import duplicate_search, possible_duplicate
from contacts.worker import worker_service
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import (
    ACTIONS,
    MOSCOW,
    MOSCOW_SELLER,
    STEWARD,
    TULA,
    TULA_SELLER,
    Contacts,
    Refusal,
    id_of,
)
from units.records import CUSTOMER
from units.visibility import sight_of

BORN = Date(year=1976, month=3, day=14)
NAMES = "Petrov Ivanov Sidorov Kuznetsov Popov Lebedev Kozlov Novikov Morozov Volkov Pavlov Semenov Golubev Vinogradov"


@pytest.fixture
def runner(contacts: Contacts) -> JobRunner:
    """What works off searches."""
    database: Database = contacts.database
    return JobRunner(database, {JOB: partial(run_search, database)}, fail_search)


def search(contacts: Contacts, runner: JobRunner, *, whole: bool = True, record_type: str = "person") -> Any:
    """Ask for a search, run it, and answer how it ended."""
    contacts.call("FindDuplicates", pb.FindDuplicatesRequest(record_type=record_type, whole_base=whole))
    claimed = runner.claim()
    assert claimed is not None
    runner.work(claimed)
    [told] = contacts.call("GetDuplicateSearches", pb.GetDuplicateSearchesRequest()).duplicate_searches
    return told


def pairs(contacts: Contacts, access: Access = STEWARD, **asked: Any) -> list[Any]:
    """The queue, likeliest first."""
    request = pb.ListPossibleDuplicatesRequest(likeliest_first=True, **asked)
    return list(contacts.call("ListPossibleDuplicates", request, access).possible_duplicates)


def a_base(contacts: Contacts) -> tuple[str, str]:
    """Some people, two of whom are one: a slip in the family name, and day and month exchanged."""
    for number, name in enumerate(NAMES.split()):
        born = Date(year=1950 + number, month=1 + number % 12, day=1 + number)
        contacts.create(name=f"Boris {name}", email=f"{name.lower()}@a.example", birth_date=born)
    ours = contacts.create(name="Vsevolod Granin", phone="+7 495 123-45-67", birth_date=BORN, unit_id=MOSCOW).person.id
    other = contacts.create(name="Vsevolod Grannin", phone="+7 495 123-45-76", birth_date=BORN, unit_id=TULA).person.id
    return ours, other


def test_a_search_finds_cards_that_differ_by_slips_with_the_reasons(contacts: Contacts, runner: JobRunner) -> None:
    wanted = a_base(contacts)
    assert pairs(contacts) == []
    told = search(contacts, runner)
    assert (told.state, told.cards, told.pairs, told.HasField("learn_time")) == ("done", 16, 1, True)
    [pair] = pairs(contacts)
    assert {pair.first_id, pair.second_id} == set(wanted)
    assert pair.probability > 0.9
    seen = {one.field: pb.Agreement.Name(one.agreement) for one in pair.agreements}
    assert seen == {
        "given_name": "AGREEMENT_AGREES",
        "family_name": "AGREEMENT_NEARLY",
        "birth_date": "AGREEMENT_AGREES",
        "phone": "AGREEMENT_NEARLY",
    }
    assert all(one.bits > 0 for one in pair.agreements)


def test_what_somebody_says_is_two_customers_is_remembered_for_ever(contacts: Contacts, runner: JobRunner) -> None:
    first, second = a_base(contacts)
    search(contacts, runner)
    request = pb.DismissPossibleDuplicateRequest(first_id=second, second_id=first, note="Father and son")
    said = contacts.call("DismissPossibleDuplicate", request).possible_duplicate
    assert (said.dismisser_name, said.dismiss_note, said.HasField("dismiss_time")) == (
        "Steward",
        "Father and son",
        True,
    )
    assert search(contacts, runner).pairs == 0
    assert pairs(contacts) == []
    assert [one.dismiss_note for one in pairs(contacts, dismissed=True)] == ["Father and son"]
    with contacts.database.transaction() as work:
        written = sa.select(audit_entry.c.reason).where(audit_entry.c.method == "contacts/DismissPossibleDuplicate")
        assert work.execute(written).scalars().all() == ["Father and son"]


def test_a_pair_is_shown_and_dismissed_only_by_who_sees_both_cards(
    contacts: Contacts, runner: JobRunner, refusal: Refusal
) -> None:
    first, second = a_base(contacts)
    search(contacts, runner)
    assert pairs(contacts, MOSCOW_SELLER) == []
    assert pairs(contacts, TULA_SELLER) == []
    request = pb.DismissPossibleDuplicateRequest(first_id=first, second_id=second)
    assert refusal("DismissPossibleDuplicate", request, MOSCOW_SELLER).reason == "POSSIBLE_DUPLICATE_NOT_FOUND"
    unknown = pb.DismissPossibleDuplicateRequest(first_id=first, second_id="no id")
    assert refusal("DismissPossibleDuplicate", unknown).reason == "POSSIBLE_DUPLICATE_NOT_FOUND"


def test_what_is_hidden_on_cards_is_no_reason_told(contacts: Contacts, runner: JobRunner) -> None:
    a_base(contacts)
    search(contacts, runner)
    hidden = ("customer.birth_date", "customer.channels")
    blind = Access(id_of("blind"), "Blind", MOSCOW, tuple(Grant(one, ALL) for one in ACTIONS), hidden=hidden)
    [pair] = pairs(contacts, blind)
    assert {one.field for one in pair.agreements} == {"given_name", "family_name"}


def test_later_searches_compare_only_what_changed(contacts: Contacts, runner: JobRunner) -> None:
    first, _ = a_base(contacts)
    search(contacts, runner)
    with contacts.database.transaction() as work:  # as if all that was an hour ago
        work.execute(sa.text("UPDATE person SET update_time = update_time - interval '1 hour'"))
    contacts.create(name="Boris Petroff", email="petrov@a.example", birth_date=Date(year=1950, month=1, day=1))
    card = contacts.call("GetPerson", pb.GetPersonRequest(person_id=first)).person
    card.display_name, card.given_name, card.family_name = "Olga Zueva", "Olga", "Zueva"
    card.birth_date.CopyFrom(Date(year=1988, month=11, day=2))
    del card.channels[:]
    mask = field_mask_pb2.FieldMask(paths=["display_name", "given_name", "family_name", "birth_date", "channels"])
    contacts.call("UpdatePerson", pb.UpdatePersonRequest(person=card, update_mask=mask, etag=card.etag))
    with contacts.database.transaction() as work:
        work.execute(sa.update(duplicate_search).values(through_time=sa.func.now() - sa.text("interval '10 minutes'")))
    search_changed(contacts.database)
    claimed = runner.claim()
    assert claimed is not None
    runner.work(claimed)
    [told] = contacts.call("GetDuplicateSearches", pb.GetDuplicateSearchesRequest()).duplicate_searches
    assert (told.state, told.cards) == ("done", 2)
    assert [{one.first_name, one.second_name} for one in pairs(contacts)] == [{"Boris Petrov", "Boris Petroff"}]


def test_a_search_that_fell_goes_on_and_is_run_once(
    contacts: Contacts, runner: JobRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_base(contacts)
    request = pb.FindDuplicatesRequest(record_type="person", whole_base=True)
    asked = [contacts.call("FindDuplicates", request).duplicate_search.state for _ in range(2)]
    assert asked == ["waiting", "waiting"]
    real = run_search.__globals__["find_in_part"]

    def fall(*_given: Any) -> Any:
        raise JobInterrupted("stopped")

    monkeypatch.setitem(run_search.__globals__, "find_in_part", fall)
    claimed = runner.claim()
    assert claimed is not None
    runner.work(claimed)
    assert contacts.count(possible_duplicate) == 0
    monkeypatch.setitem(run_search.__globals__, "find_in_part", real)
    again = runner.claim()
    assert again is not None
    assert (again.id, again.checkpoint["part"]) == (claimed.id, 0)
    runner.work(again)
    assert runner.claim() is None
    assert len(pairs(contacts)) == 1


def test_the_worker_runs_what_was_asked_for(contacts: Contacts) -> None:
    a_base(contacts)
    contacts.call("FindDuplicates", pb.FindDuplicatesRequest(record_type="person"))
    service = worker_service(Settings(database_url=contacts.database.url))
    timers = {one.name: one for one in service.timers}
    timers["duplicates"].act()
    assert len(pairs(contacts)) == 1
    timers["changed_cards"].act()
    [told] = contacts.call("GetDuplicateSearches", pb.GetDuplicateSearchesRequest()).duplicate_searches
    assert told.state == "waiting"


def test_the_queue_is_read_in_the_order_of_its_index(contacts: Contacts) -> None:
    sight, values = sight_of(STEWARD, CUSTOMER)
    queue = duplicates._pairs(sight, duplicates.Asked(of_record=False, likeliest_first=True, dismissed=False))
    with contacts.database.transaction() as work:
        # An empty table is read as it stands; with these off the index is taken if it fits at all.
        work.execute(sa.text("SET LOCAL enable_seqscan = off"))
        work.execute(sa.text("SET LOCAL enable_sort = off"))
        plan = json.dumps(plan_of(work, queue, {**values, "after_bits": 5.0, "after": 0, "size": 20}))
    assert "possible_duplicate_queue" in plan
    assert "Sort" not in plan


def test_organizations_are_searched_too(contacts: Contacts, runner: JobRunner) -> None:
    for name, street in (("Garfield YMCA", "7 N Homan Ave"), ("YMCA Garfield School", "7 North Homan Avenue")):
        made = pb.Organization(display_name=name, unit_id=MOSCOW, address=pb.Address(street=street, city="Chicago"))
        contacts.call("CreateOrganization", pb.CreateOrganizationRequest(organization=made))
    assert search(contacts, runner, record_type="organization").pairs == 1
    [pair] = pairs(contacts)
    assert pair.record_type == "organization"


def test_the_queue_has_pages_and_searches_have_a_right(contacts: Contacts, runner: JobRunner, refusal: Refusal) -> None:
    a_base(contacts)
    contacts.create(name="Vsevolod Granin", phone="+7 495 123-45-67", birth_date=Date(year=1976, month=3, day=15))
    search(contacts, runner)
    seen: list[float] = []
    token = ""
    while True:
        request = pb.ListPossibleDuplicatesRequest(likeliest_first=True, page_size=1, page_token=token)
        answer = contacts.call("ListPossibleDuplicates", request)
        seen += [one.probability for one in answer.possible_duplicates]
        token = answer.next_page_token
        if not token:
            break
    assert len(seen) >= 2
    assert seen == sorted(seen, reverse=True)
    reader = Access(id_of("reader"), "Reader", MOSCOW, (Grant("read", ALL),))
    assert refusal("FindDuplicates", pb.FindDuplicatesRequest(record_type="person"), reader).reason == "NOT_PERMITTED"
    assert refusal("FindDuplicates", pb.FindDuplicatesRequest(record_type="deal")).reason == "FIELD_INVALID"
