"""Every way to read customers shows a caller the same ones: those that the rules, read one by one, let him see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chassis.access import EXPORT, READ, Denial, Grant
from contacts import visibility
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import MOSCOW, UNITS, Contacts, id_of
from units.narrowing import narrow_reading
from units.records import CUSTOMER, INTERACTION
from units.testing import may, some_accesses

CALLERS, EACH = 40, 4
OWNERS = ("", id_of("anna"), id_of("boris"))
PATHS = {unit_id: path for unit_id, (path, _, _) in UNITS.items()}
WORDS = {path: path.rpartition(".")[2].title() for path in PATHS.values()}


def some_persons(contacts: Contacts) -> dict[str, tuple[str, str]]:
    """Path of the unit and owner of each person by id; the names of a unit share a word."""
    made = {}
    for unit_id, path in PATHS.items():
        for owner in OWNERS:
            for number in range(EACH):
                name = f"{WORDS[path]} {'Abcd'[number]}{owner[:3]}{number}"
                card = contacts.create(name=name, unit_id=unit_id, owner_id=owner, allow_duplicate=True).person
                made[card.id] = (path, owner)
    return made


def channels(contacts: Contacts, caller: Any, ids: list[str]) -> dict[str, set[str]]:
    """The persons shown by each way to read them."""
    batch = contacts.call("BatchGetPersons", pb.BatchGetPersonsRequest(person_ids=ids), caller)
    names = contacts.call("BatchGetCustomerNames", pb.BatchGetCustomerNamesRequest(person_ids=ids), caller)
    listed = contacts.call("ListPersons", pb.ListPersonsRequest(page_size=200), caller)
    worded = [
        contacts.call("ListPersons", pb.ListPersonsRequest(page_size=200, query=word), caller)
        for word in WORDS.values()
    ]
    hits = [
        contacts.call("SearchCustomers", pb.SearchCustomersRequest(query=word, page_size=50), caller)
        for word in WORDS.values()
    ]
    return {
        "batch": {one.id for one in batch.persons},
        "names": set(names.person_names),
        "list": {one.id for one in listed.persons},
        "words": {one.id for answer in worded for one in answer.persons},
        "search": {one.id for answer in hits for one in answer.hits},
    }


def test_every_caller_sees_the_same_customers_through_every_channel_and_no_other(
    contacts: Contacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    persons = some_persons(contacts)
    cases = 0
    for caller in some_accesses(CUSTOMER, list(PATHS.values()), OWNERS[1:], MOSCOW, CALLERS):
        expected = {one for one, (path, owner) in persons.items() if may(caller, READ, CUSTOMER, path, owner)}
        for few in (50, 0):  # found by the index of units, and looked through
            monkeypatch.setattr(visibility, "FEW", few)
            shown = channels(contacts, caller, list(persons))
            assert shown == dict.fromkeys(shown, expected), caller
            assert contacts.call("CountCustomers", pb.CountCustomersRequest(), caller).persons == len(expected), caller
        cases += len(shown) * len(persons)
    assert cases >= 7_000


def some_exporters() -> list[Any]:
    """Callers who may read something and export something, not always the same; every third may not export a branch."""
    callers = some_accesses(CUSTOMER, list(PATHS.values()), OWNERS[1:], MOSCOW, CALLERS)
    made = []
    for number, (caller, other) in enumerate(zip(callers, reversed(callers), strict=True)):
        exports = [Grant(EXPORT, one.scope, one.unit_path, one.records) for one in other.grants if one.action == READ]
        denied = (Denial(list(PATHS.values())[number % len(PATHS)], EXPORT),) if number % 3 == 0 else ()
        made.append(replace(caller, grants=(*caller.grants, *exports), denials=(*caller.denials, *denied)))
    return [one for one in made if one.grants_for(EXPORT, CUSTOMER)]


def test_an_export_has_what_its_owner_may_read_and_export_and_nothing_else(contacts: Contacts) -> None:
    persons = some_persons(contacts)
    exporters = some_exporters()
    for caller in exporters:
        narrow = narrow_reading(caller, EXPORT, CUSTOMER)
        listed = contacts.call("ListPersons", pb.ListPersonsRequest(page_size=200), narrow)
        shown = {one.id for one in listed.persons}
        allowed = {
            one
            for one, (path, owner) in persons.items()
            if all(may(caller, action, CUSTOMER, path, owner) for action in (READ, EXPORT))
        }
        by_unit = {
            one
            for one in allowed
            if all(caller.allows_in(action, persons[one][0], CUSTOMER) for action in (READ, EXPORT))
        }
        assert by_unit <= shown <= allowed, caller
    assert len(exporters) * len(persons) >= 1_000


def some_interactions(contacts: Contacts, person_id: str) -> dict[str, tuple[str, str]]:
    """Path of the unit and author of each interaction by id, all with one person."""
    made = {}
    for unit_id, path in PATHS.items():
        for author in OWNERS[1:]:
            for _ in range(EACH):
                talk = pb.Interaction(
                    kind=pb.INTERACTION_KIND_CALL, person_id=person_id, unit_id=unit_id, author_id=author, summary="x"
                )
                answer = contacts.call("LogInteraction", pb.LogInteractionRequest(interaction=talk))
                made[answer.interaction.id] = (path, author)
    return made


def by_author(contacts: Contacts, caller: Any) -> set[str]:
    questions = [pb.ListInteractionsRequest(author_id=author, page_size=200) for author in OWNERS[1:]]
    return {one.id for each in questions for one in contacts.call("ListInteractions", each, caller).interactions}


def test_every_caller_reads_the_interactions_that_the_rules_allow(contacts: Contacts) -> None:
    person_id = contacts.create(name="Spoken To", unit_id=MOSCOW).person.id
    talks = some_interactions(contacts, person_id)
    cases = 0
    for caller in some_accesses(INTERACTION, list(PATHS.values()), OWNERS[1:], MOSCOW, CALLERS):
        expected = {one for one, (path, author) in talks.items() if may(caller, READ, INTERACTION, path, author)}
        assert by_author(contacts, caller) == expected, caller
        span = pb.SummarizeInteractionsRequest()
        span.occur_from_time.GetCurrentTime()
        span.occur_before_time.CopyFrom(span.occur_from_time)
        span.occur_from_time.seconds -= 86_400
        span.occur_before_time.seconds += 86_400
        authors = contacts.call("SummarizeInteractions", span, caller).authors
        assert sum(kind.count for one in authors for kind in one.counts) == len(expected), caller
        if may(caller, READ, CUSTOMER, PATHS[MOSCOW], ""):
            line = pb.ListInteractionsRequest(person_id=person_id, page_size=200)
            told = {one.id for one in contacts.call("ListInteractions", line, caller).interactions}
            assert told == expected, caller
        cases += 3 * len(talks)
    assert cases >= 2_800
