"""An activity that was done is an interaction on the line of time: once, with its outcome, author and time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from contacts.done_activities import log_done_activities
from contacts.events import timestamp_of
from crm.contacts.v1 import contacts_pb2 as pb
from crm.scheduling.events.v1 import scheduling_events_pb2 as events
from services.contacts.tests.world import MOSCOW, Contacts, id_of
from units.visibility import UnitNotKnown

DAY = datetime(2024, 5, 6, 8, tzinfo=UTC)


@dataclass(frozen=True)
class News:
    """An event as the handler gets it."""

    message: Any


def done(name: str, subject: str = "Ask", summary: str = "", **fields: Any) -> News:
    personal = events.ActivityPersonal(subject=subject, summary=summary, closer_name="Natasha")
    values = {"kind": "call", "unit_id": MOSCOW, "outcome": "away", "closer_id": id_of("natasha"), **fields}
    state = events.ActivityState(id=id_of(name), close_time=timestamp_of(DAY), personal=personal, **values)
    return News(events.ActivityCompleted(activity=state))


def hear(contacts: Contacts, *news: News) -> None:
    with contacts.database.transaction() as work:
        log_done_activities(work, news)


def timeline(contacts: Contacts, **asked: Any) -> list[pb.Interaction]:
    return list(contacts.call("ListInteractions", pb.ListInteractionsRequest(**asked)).interactions)


def test_a_call_that_was_done_stands_on_the_line_of_time_once(contacts: Contacts) -> None:
    granin = contacts.create(name="Granin").person
    call = done("call", summary="В отпуске \u202e", person_id=granin.id)
    hear(contacts, call, call)
    hear(contacts, call)
    (found,) = timeline(contacts, person_id=granin.id)
    assert (found.kind, found.outcome, found.summary) == (pb.INTERACTION_KIND_CALL, "away", "В отпуске \u202e")
    assert (found.author_id, found.author_name, found.unit_id) == (id_of("natasha"), "Natasha", MOSCOW)
    assert found.occur_time.ToDatetime(UTC) == DAY
    assert len(contacts.events("InteractionLogged")) == 1


def test_a_meeting_says_what_it_was_about_and_a_task_becomes_a_note_only_with_a_result(contacts: Contacts) -> None:
    granin = contacts.create(name="Granin").person
    hear(
        contacts,
        done("meeting", "Drafts", kind="meeting", outcome="done", person_id=granin.id),
        done("task", "Send offer", "Sent by post", kind="task", outcome="done", person_id=granin.id),
        done("silent task", "Tidy up", kind="task", outcome="done", person_id=granin.id),
    )
    found = {one.kind: one.summary for one in timeline(contacts, person_id=granin.id)}
    assert found == {pb.INTERACTION_KIND_MEETING: "Drafts", pb.INTERACTION_KIND_NOTE: "Send offer\nSent by post"}


def test_what_names_no_known_customer_is_no_interaction(contacts: Contacts) -> None:
    granin = contacts.create(name="Granin").person
    hear(contacts, done("nobody"), done("stranger", person_id=id_of("stranger")))
    hear(contacts, done("half", person_id=granin.id, organization_id=id_of("nowhere")))
    assert [one.organization_id for one in timeline(contacts, person_id=granin.id)] == [""]
    assert len(contacts.events("InteractionLogged")) == 1


def test_it_waits_for_news_of_its_unit(contacts: Contacts) -> None:
    granin = contacts.create(name="Granin").person
    with pytest.raises(UnitNotKnown):
        hear(contacts, done("call", person_id=granin.id, unit_id=id_of("new unit")))
    assert timeline(contacts, person_id=granin.id) == []
