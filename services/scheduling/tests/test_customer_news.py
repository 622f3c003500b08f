"""What is new at a customer reaches everybody who works on an open deal with it: once, in one line, whatever order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from chassis import clock
from chassis.access import OWN, READ, Access, Grant
from crm.contacts.events.v1 import contacts_events_pb2 as contacts
from crm.deals.events.v1 import deals_events_pb2 as deals
from crm.scheduling.v1 import scheduling_pb2 as pb
from scheduling.customer_news import tell_customer_news
from services.scheduling.tests.desk import Desk, a_person, a_time, a_user, an_organization, at, head_of, id_of

NEWS = pb.NOTIFICATION_KIND_CUSTOMER_NEWS
NOON = "2024-05-06T12:00"
OWNER, HELPER, AUTHOR = (
    Access(id_of(name), name, id_of("moscow"), head_of("moscow").grants) for name in ("Olga", "Henry", "Arthur")
)


def an_interaction(name: str, **fields: Any) -> contacts.InteractionLogged:
    """News of a call of Arthur's at noon."""
    values = {"kind": "call", "author_id": AUTHOR.user_id, "unit_id": id_of("moscow"), **fields}
    for moment in ("occur_time", "create_time"):
        values[moment] = a_time(fields.get(moment, NOON))
    return contacts.InteractionLogged(interaction=contacts.InteractionState(id=id_of(name), **values))


def a_deal_with(status: str = "open", title: str = "Deal", created: str = "2024-05-01T12:00", **who: Any) -> Any:
    """News of a deal of Olga's with a person or an organization."""
    state = deals.DealState(
        id=id_of(title), title=title, unit_id=id_of("moscow"), owner_id=OWNER.user_id, status=status,
        create_time=a_time(created), **who,
    )  # fmt: skip
    return deals.DealOpened(deal=state)


def hear_of_customer(desk: Desk) -> None:
    """Ivan works at Acme, which Moscow knows."""
    person = a_person("Ivan", "moscow")
    person.person.organization_ids.append(id_of("Acme"))
    desk.hear(person, an_organization("Acme", "moscow"), a_user("Arthur", "moscow"))


def look(desk: Desk, after: timedelta = timedelta(0)) -> int:
    """One look of the worker at what is new."""
    with clock.at(at(NOON) + after):
        return tell_customer_news(desk.database)


def hear(desk: Desk, *messages: Any) -> None:
    """Let news arrive at noon."""
    with clock.at(at(NOON)):
        desk.hear(*messages)


def lines(desk: Desk, access: Access) -> list[Any]:
    """What is told of customers, newest first."""
    with desk.as_caller(access):
        answer = desk.call("ListNotifications", pb.ListNotificationsRequest())
    assert answer.unread_count == len(answer.notifications)
    return [one for one in answer.notifications if one.kind == NEWS]


def test_a_message_rings_for_the_owner_and_who_works_on_the_deal_and_not_for_its_author(desk: Desk) -> None:
    hear_of_customer(desk)
    desk.hear(a_deal_with(organization_id=id_of("Acme")))
    desk.plan(owner_id=AUTHOR.user_id, deal_id=id_of("Deal"), participant_user_ids=[HELPER.user_id])
    hear(desk, an_interaction("call", person_id=id_of("Ivan")))
    assert look(desk) == 2
    [line] = lines(desk, OWNER)
    told = line.customer_news
    assert (told.person_name, told.deal_title, told.interaction_kind) == ("Ivan", "Deal", "call")
    assert (line.actor_name, line.count) == ("Arthur", 1)
    assert [len(lines(desk, one)) for one in (HELPER, AUTHOR)] == [1, 0]


def test_person_organization_and_who_works_there_are_the_customer_of_a_deal(desk: Desk) -> None:
    hear_of_customer(desk)
    desk.hear(a_deal_with(person_id=id_of("Ivan")))
    hear(desk, an_interaction("with the person", person_id=id_of("Ivan")))
    hear(desk, an_interaction("with the organization", organization_id=id_of("Acme")))
    assert look(desk) == 1
    desk.hear(a_deal_with(title="Of Acme", organization_id=id_of("Acme")))
    assert look(desk, timedelta(minutes=1)) == 1
    assert {line.customer_news.organization_name for line in lines(desk, OWNER)} == {"", "Acme"}


def test_many_messages_make_one_line_with_a_count_until_it_is_read(desk: Desk) -> None:
    hear_of_customer(desk)
    desk.hear(a_deal_with(person_id=id_of("Ivan")))
    for number in range(3):
        hear(desk, an_interaction(f"call {number}", person_id=id_of("Ivan")))
    assert look(desk) == 3
    hear(desk, an_interaction("mail", kind="email", person_id=id_of("Ivan")))
    assert look(desk) == 1
    [line] = lines(desk, OWNER)
    assert (line.count, line.customer_news.interaction_kind) == (4, "email")
    with desk.as_caller(OWNER):
        assert desk.call("MarkNotificationsRead", pb.MarkNotificationsReadRequest()).unread_count == 0
    hear(desk, an_interaction("later", person_id=id_of("Ivan")))
    look(desk)
    with desk.as_caller(OWNER):
        answer = desk.call("ListNotifications", pb.ListNotificationsRequest())
    assert ([one.count for one in answer.notifications], answer.unread_count) == ([1, 4], 1)


def test_news_that_comes_twice_or_before_its_deal_and_its_card_rings_once(desk: Desk) -> None:
    hear(desk, an_interaction("call", person_id=id_of("Ivan")))
    assert look(desk) == 0
    desk.hear(a_deal_with(organization_id=id_of("Acme")))
    assert look(desk, timedelta(minutes=1)) == 0
    hear_of_customer(desk)
    assert look(desk, timedelta(minutes=5)) == 0
    assert look(desk, timedelta(minutes=11)) == 1
    hear(desk, an_interaction("call", person_id=id_of("Ivan")))
    assert [look(desk, timedelta(hours=hours)) for hours in (1, 3, 30)] == [0, 0, 0]
    assert len(desk.told("NewsReported")) == 1
    assert list(desk.told("NewsReported")[0].message.news.user_ids) == [OWNER.user_id]


def test_history_rows_of_files_closed_deals_and_what_was_said_before_the_deal_stay_silent(desk: Desk) -> None:
    hear_of_customer(desk)
    desk.hear(a_deal_with(person_id=id_of("Ivan"), created="2024-05-05T12:00"))
    desk.hear(a_deal_with(title="Lost", status="lost", organization_id=id_of("Acme")))
    hear(desk, an_interaction("history", person_id=id_of("Ivan"), occur_time="2024-05-04T11:00"))
    hear(desk, an_interaction("of a file", person_id=id_of("Ivan"), run_id=id_of("run")))
    hear(desk, an_interaction("before", person_id=id_of("Ivan"), create_time="2024-05-05T11:00"))
    hear(desk, an_interaction("of the lost deal", organization_id=id_of("Acme")))
    assert look(desk) == 0


def test_who_may_not_see_the_interaction_or_the_card_is_not_shown_the_line(desk: Desk) -> None:
    hear_of_customer(desk)
    desk.hear(a_deal_with(person_id=id_of("Ivan")))
    hear(desk, an_interaction("call", person_id=id_of("Ivan")))
    hear(desk, an_interaction("elsewhere", organization_id=id_of("Acme"), unit_id=id_of("tula")))
    assert look(desk) == 1
    own_only = Access(OWNER.user_id, "Olga", id_of("moscow"), (Grant(READ, OWN),))
    assert [len(lines(desk, one)) for one in (OWNER, own_only)] == [1, 0]


def test_workers_that_look_at_once_tell_each_user_once(desk: Desk) -> None:
    hear_of_customer(desk)
    desk.hear(a_deal_with(person_id=id_of("Ivan")))
    hear(desk, *(an_interaction(f"call {number}", person_id=id_of("Ivan")) for number in range(30)))
    with clock.at(at(NOON)), ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: tell_customer_news(desk.database), range(4)))
    assert sum(told) == 30
    [line] = lines(desk, OWNER)
    assert line.count == 30
