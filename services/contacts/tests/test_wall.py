"""The second wall: without the filter of the service PostgreSQL still shows a caller what he may see and no more."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from chassis.access import READ
from contacts import latest, lists, members, naming, searching, summarizing, timeline
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.test_matrix import OWNERS, PATHS, channels, some_persons
from services.contacts.tests.world import MOSCOW, Contacts
from units.records import CUSTOMER, INTERACTION
from units.testing import may, open_to_all, some_accesses

CALLERS = 24


@pytest.fixture
def without_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service asks for everything, whoever calls."""
    for module in (latest, lists, members, naming, searching, timeline):
        monkeypatch.setattr(module, "sight_of", open_to_all)
    monkeypatch.setattr(summarizing, "visible", lambda *_asked: sa.true())


@pytest.mark.usefixtures("without_filter")
def test_without_the_services_own_filter_nobody_reads_more_customers(contacts: Contacts) -> None:
    persons = some_persons(contacts)
    for caller in some_accesses(CUSTOMER, list(PATHS.values()), OWNERS[1:], MOSCOW, CALLERS):
        expected = {one for one, (path, owner) in persons.items() if may(caller, READ, CUSTOMER, path, owner)}
        shown = channels(contacts, caller, list(persons))
        searched = shown.pop("search")
        assert shown == dict.fromkeys(shown, expected), caller
        assert searched <= expected, caller  # the best few of all, of which only these are told


@pytest.mark.usefixtures("without_filter")
def test_without_the_services_own_filter_nobody_reads_more_interactions(contacts: Contacts) -> None:
    persons = some_persons(contacts)
    made: dict[str, tuple[str, str]] = {}
    for unit_id, path in PATHS.items():
        for author in OWNERS[1:]:
            talk = pb.Interaction(
                kind=pb.INTERACTION_KIND_CALL, person_id=next(iter(persons)), unit_id=unit_id, author_id=author,
                summary="talked",
            )  # fmt: skip
            answer = contacts.call("LogInteraction", pb.LogInteractionRequest(interaction=talk))
            made[answer.interaction.id] = (path, author)
    for caller in some_accesses(INTERACTION, list(PATHS.values()), OWNERS[1:], MOSCOW, CALLERS):
        expected = {one for one, (path, author) in made.items() if may(caller, READ, INTERACTION, path, author)}
        for author in OWNERS[1:]:
            asked = pb.ListInteractionsRequest(author_id=author, page_size=100)
            told = {one.id for one in contacts.call("ListInteractions", asked, caller).interactions}
            assert told == {one for one in expected if made[one][1] == author}, caller
