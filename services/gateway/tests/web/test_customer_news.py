"""The bell of whoever owns a deal tells of a colleague's call with its customer, in one line that leads to the card."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

from google.protobuf.timestamp_pb2 import Timestamp

from crm.contacts.events.v1 import contacts_events_pb2 as contacts
from crm.deals.events.v1 import deals_events_pb2 as deals
from scheduling.copying import HANDLERS
from scheduling.customer_news import tell_customer_news
from services.gateway.tests.conftest import News


def test_a_colleagues_call_rings_for_the_owner_of_the_deal(platform: Any, a_branch: Any, a_visitor: Any) -> None:
    unit, name, person_id = a_branch(), f"Rita {uuid4().hex[:8]}", str(uuid4())
    owner, colleague = a_visitor(unit, name="Olga Owner"), a_visitor(unit, name="Carl Colleague")
    now = Timestamp()
    now.GetCurrentTime()
    person = contacts.PersonState(
        id=person_id, unit_ids=[unit["id"]], personal=contacts.PersonPersonal(display_name=name)
    )
    deal = deals.DealState(
        id=str(uuid4()), title="Stairs", status="open", unit_id=unit["id"], owner_id=owner.user["id"],
        person_id=person_id, create_time=now,
    )  # fmt: skip
    call = contacts.InteractionState(
        id=str(uuid4()), kind="call", unit_id=unit["id"], author_id=colleague.user["id"], person_id=person_id,
        occur_time=now, create_time=now,
    )  # fmt: skip
    database = platform.databases["scheduling"]
    with database.transaction() as work:
        for message in (
            contacts.PersonCreated(person=person),
            deals.DealOpened(deal=deal),
            contacts.InteractionLogged(interaction=call),
        ):
            HANDLERS[type(message)](work, [News(message, 1)])
    tell_customer_news(database)
    assert 'class="bl-bell-count">1<' in owner.part("/notifications/bell").text
    told = owner.part("/notifications").text
    assert re.search(f'href="/customers/{person_id}"><bdi>{name}', told)
    assert re.search(f'href="/deals/{deal.id}"><bdi>Stairs', told)
    assert "New on the customer of your deal · Call" in re.sub(r"\s+", " ", told)
    assert name not in colleague.part("/notifications").text
