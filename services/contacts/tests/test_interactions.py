"""What was said with whom and when: one line of time on the person and on the organization of that day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis.access import Access
from chassis.dates import to_date
from contacts.events import timestamp_of
from contacts.tables import interaction
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import (
    MOSCOW,
    MOSCOW_SELLER,
    STEWARD,
    TULA_SELLER,
    Contacts,
    Refusal,
    an_access,
    fates_of,
    id_of,
)


def a_talk(day: datetime, **values: Any) -> pb.Interaction:
    given: dict[str, Any] = {"kind": pb.INTERACTION_KIND_CALL, "unit_id": MOSCOW, "summary": "away", **values}
    return pb.Interaction(occur_time=timestamp_of(day), **given)


def log(contacts: Contacts, day: datetime, access: Access = STEWARD, **values: Any) -> Any:
    request = pb.LogInteractionRequest(interaction=a_talk(day, **values))
    return contacts.call("LogInteraction", request, access).interaction


def timeline(contacts: Contacts, access: Access = STEWARD, **asked: Any) -> list[pb.Interaction]:
    return list(contacts.call("ListInteractions", pb.ListInteractionsRequest(**asked), access).interactions)


@pytest.fixture
def granin(contacts: Contacts) -> Any:
    """He was with "Эпоха" until 31 January 2022, then founded his own firm."""
    return contacts.create(
        name="Всеволод Гранин",
        phone="+79161234567",
        affiliations=[
            pb.Affiliation(organization_name="Эпоха", end_date=to_date(date(2022, 1, 31))),
            pb.Affiliation(organization_name="Гранин и Ко", start_date=to_date(date(2022, 1, 31))),
        ],
    ).person


def test_a_call_is_kept_with_its_author_unit_and_time(contacts: Contacts, granin: pb.Person) -> None:
    said = "Оставил новый телефон\n\t «кавычки» \u202e"
    made = log(contacts, datetime(2024, 5, 15, 9, tzinfo=UTC), MOSCOW_SELLER, person_id=granin.id, summary=said)
    assert (made.author_id, made.author_name, made.unit_id) == (MOSCOW_SELLER.user_id, "Natasha", MOSCOW)
    assert made.summary == said
    assert timeline(contacts, person_id=granin.id) == [made]
    [event] = contacts.events("InteractionLogged")
    assert (event.interaction.kind, event.interaction.personal.summary) == ("call", said)


def test_entries_of_several_people_are_one_line_newest_first(contacts: Contacts, granin: pb.Person) -> None:
    start = datetime(2024, 3, 25, 9, tzinfo=UTC)
    people = [an_access(MOSCOW, user=name) for name in ("natasha", "alexander", "assistant")]
    made = [
        log(contacts, start + timedelta(days=14 * n), people[n % 3], person_id=granin.id, outcome="away")
        for n in (2, 0, 3, 1, 4)
    ]
    line = timeline(contacts, person_id=granin.id)
    assert [one.occur_time.ToDatetime(tzinfo=UTC) for one in line] == [
        start + timedelta(days=14 * n) for n in (4, 3, 2, 1, 0)
    ]
    assert {one.id for one in made} == {one.id for one in line}


def test_an_organization_shows_what_was_had_with_its_members_while_they_were(
    contacts: Contacts, granin: pb.Person
) -> None:
    own_firm, epoch = granin.affiliations
    before = log(contacts, datetime(2022, 1, 30, 12, tzinfo=UTC), person_id=granin.id)
    # 22:00 UTC on the 30th is the 31st in Moscow, where the call was had.
    edge = log(contacts, datetime(2022, 1, 30, 22, tzinfo=UTC), person_id=granin.id)
    named = log(contacts, datetime(2023, 1, 1, tzinfo=UTC), person_id=granin.id, organization_id=epoch.organization_id)
    alone = log(contacts, datetime(2023, 6, 1, tzinfo=UTC), organization_id=own_firm.organization_id)
    assert [one.id for one in timeline(contacts, organization_id=epoch.organization_id)] == [named.id, before.id]
    assert [one.id for one in timeline(contacts, organization_id=own_firm.organization_id)] == [alone.id, edge.id]
    assert len(timeline(contacts, person_id=granin.id)) == 3


def test_pages_of_an_organization_have_no_gap_and_no_repeat(contacts: Contacts, granin: pb.Person) -> None:
    epoch = granin.affiliations[1].organization_id
    start = datetime(2021, 1, 1, tzinfo=UTC)
    for n in range(23):
        who: dict[str, Any] = {"person_id": granin.id} if n % 2 else {"organization_id": epoch}
        log(contacts, start + timedelta(hours=n // 3), **who)
    seen, token = [], ""
    while True:
        request = pb.ListInteractionsRequest(organization_id=epoch, page_size=5, page_token=token)
        answer = contacts.call("ListInteractions", request)
        seen += [(one.occur_time.seconds, one.id) for one in answer.interactions]
        token = answer.next_page_token
        if not token:
            break
    assert len(seen) == len(set(seen)) == 23
    assert seen == sorted(seen, reverse=True)


def test_another_branch_sees_the_shared_customer_but_not_our_talks(contacts: Contacts, granin: pb.Person) -> None:
    contacts.create(STEWARD, name="Всеволод Гранин", phone="+79161234567", unit_id=id_of("tula"))
    log(contacts, datetime(2024, 1, 1, tzinfo=UTC), MOSCOW_SELLER, person_id=granin.id)
    assert len(timeline(contacts, MOSCOW_SELLER, person_id=granin.id)) == 1
    assert timeline(contacts, TULA_SELLER, person_id=granin.id) == []


@pytest.mark.parametrize(
    ("values", "reason", "field"),
    [
        ({}, "FIELD_INVALID", "interaction.person_id"),
        ({"person_id": id_of("nobody")}, "PERSON_NOT_FOUND", ""),
        ({"organization_id": id_of("nobody")}, "ORGANIZATION_NOT_FOUND", ""),
        ({"person_id": "nonsense"}, "FIELD_INVALID", "interaction.person_id"),
        ({"person_id": id_of("x"), "kind": 77}, "FIELD_INVALID", "interaction.kind"),
        ({"person_id": id_of("x"), "summary": "x" * 10_001}, "FIELD_INVALID", "interaction.summary"),
        ({"person_id": id_of("x"), "summary": ""}, "FIELD_INVALID", "interaction.summary"),
        ({"person_id": id_of("x"), "summary": " \n\t\u3000"}, "FIELD_INVALID", "interaction.summary"),
        (
            {"person_id": id_of("x"), "occur_time": {"seconds": 99_999_999_999}},
            "FIELD_INVALID",
            "interaction.occur_time",
        ),
        ({"person_id": id_of("x"), "occur_time": {"nanos": -1}}, "FIELD_INVALID", "interaction.occur_time"),
        ({"person_id": id_of("x"), "unit_id": id_of("nowhere")}, "UNIT_NOT_KNOWN", ""),
    ],
)
def test_bad_entries_are_refused(contacts: Contacts, refusal: Refusal, values: Any, reason: Any, field: Any) -> None:
    given: dict[str, Any] = {"kind": pb.INTERACTION_KIND_NOTE, "unit_id": MOSCOW, "summary": "away", **values}
    error = refusal("LogInteraction", pb.LogInteractionRequest(interaction=pb.Interaction(**given)))
    assert error.reason == reason
    assert not field or error.violations[0].field == field
    assert contacts.count(interaction) == 0


def test_a_timeline_is_asked_for_one_customer(contacts: Contacts, refusal: Refusal, granin: pb.Person) -> None:
    both = pb.ListInteractionsRequest(person_id=granin.id, organization_id=granin.affiliations[0].organization_id)
    assert refusal("ListInteractions", both).reason == "FIELD_INVALID"
    assert refusal("ListInteractions", pb.ListInteractionsRequest()).reason == "FIELD_INVALID"
    nobody = pb.ListInteractionsRequest(person_id=id_of("nobody"))
    assert refusal("ListInteractions", nobody).reason == "PERSON_NOT_FOUND"


def test_interactions_of_files_are_taken_once_with_their_time_and_author(contacts: Contacts, granin: pb.Person) -> None:
    def rows(*numbers: int, summary: str = "away") -> list[pb.InteractionRow]:
        return [
            pb.InteractionRow(
                external_id=f"call-{n}",
                interaction=a_talk(
                    datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=n), person_id=granin.id, summary=summary,
                    author_id=id_of("kuzmin"), author_name="Пётр Кузьмин",
                ),
            )
            for n in numbers
        ]  # fmt: skip

    def take(*read: pb.InteractionRow) -> list[str]:
        request = pb.ImportInteractionsRequest(rows=read, unit_id=MOSCOW, source="1c")
        return fates_of(contacts.call("ImportInteractions", request).fates)

    assert take(*rows(1, 2, 3, 2)) == ["created"] * 3 + ["merged"]
    assert take(*rows(1, 2, 3, 2)) == ["unchanged"] * 4
    assert take(*rows(4), *rows(2, summary="busy")) == ["created", "updated"]
    nobody = pb.InteractionRow(
        external_id="x", interaction=a_talk(datetime(2020, 1, 1, tzinfo=UTC), person_id=id_of("-"))
    )
    nowhere = pb.InteractionRow(external_id="y", interaction=rows(9)[0].interaction)
    nowhere.interaction.unit_id = id_of("nowhere")
    assert take(pb.InteractionRow(), nobody, nowhere) == ["refused"] * 3
    silent = pb.ImportInteractionsRequest(rows=rows(7, summary=" "), unit_id=MOSCOW, source="1c")
    [fate] = contacts.call("ImportInteractions", silent).fates
    assert (fate.fate, fate.reason) == (pb.FATE_REFUSED, "field_missing")
    assert "interaction.summary" in fate.message
    line = timeline(contacts, person_id=granin.id)
    assert [one.summary for one in line] == ["away", "away", "busy", "away"]
    assert {one.author_name for one in line} == {"Пётр Кузьмин"}
    assert len(contacts.events("InteractionLogged")) == 5
