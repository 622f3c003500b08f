"""A deal names only persons and organizations that contacts made, or may have made a moment ago."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.copies import copies_in_place, digest_of
from chassis.ids import new_id
from chassis.schema import consumer_mark
from crm.deals.v1 import deals_pb2 as pb
from deals.customers import CONSUMER, copy_organizations, copy_persons, drop_customers
from deals.rules import LATE, may_be_on_its_way
from deals.tables import customer
from services.deals.tests.desk import Desk, id_of

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def made_at(moment: datetime) -> str:
    """An id as made at a moment."""
    stamp = f"{int(moment.timestamp() * 1000):012x}"
    return f"{stamp[:8]}-{stamp[8:]}-7{uuid.uuid4().hex[:3]}-8{uuid.uuid4().hex[:3]}-{uuid.uuid4().hex[:12]}"


def hear(desk: Desk, kind: str, *ids: str, until: datetime, epoch: int = 1) -> None:
    """Have deals handle events of contacts, the newest of which is of that moment."""
    copy = {"person": copy_persons, "organization": copy_organizations}[kind]
    mark = {"consumer": CONSUMER, "source": "crm/hq/contacts", "epoch": 1, "position": 9, "event_time": until}
    with desk.database.transaction() as work:
        copy(work, [SimpleNamespace(aggregate_id=one, epoch=epoch, version=1) for one in ids])
        work.execute(sa.delete(consumer_mark).where(consumer_mark.c.source == mark["source"]))
        work.execute(sa.insert(consumer_mark).values(mark))


def refused(desk: Desk, **named: Any) -> str:
    request = pb.CreateDealRequest(deal=pb.Deal(title="Roof", unit_id=id_of("moscow"), **named))
    return str(desk.refusal("CreateDeal", request).violations[0].field)


@pytest.fixture
def known(desk: Desk) -> dict[str, str]:
    """A person and an organization of yesterday; the newest news is of now."""
    now = datetime.now(UTC)
    ids = {kind: made_at(now - 24 * HOUR) for kind in ("person", "organization")}
    for kind, one in ids.items():
        hear(desk, kind, one, until=now)
    return ids


def test_a_deal_of_known_customers_is_recorded(desk: Desk, known: dict[str, str]) -> None:
    made = desk.open(person_id=known["person"], organization_id=known["organization"])
    assert (made.person_id, made.organization_id) == (known["person"], known["organization"])


def test_nobody_known_is_refused_by_field(desk: Desk, known: dict[str, str]) -> None:
    stranger = made_at(datetime.now(UTC) - HOUR)
    assert refused(desk, person_id=stranger) == "deal.person_id"
    assert refused(desk, organization_id=str(uuid.uuid4())) == "deal.organization_id"
    assert refused(desk, person_id=known["organization"]) == "deal.person_id"


def test_a_customer_of_a_moment_ago_may_be_named_before_the_news_has_come(desk: Desk, known: dict[str, str]) -> None:
    assert desk.open(person_id=new_id()).id


def test_a_customer_whose_import_was_undone_is_named_by_no_deal(desk: Desk, known: dict[str, str]) -> None:
    just_now = new_id()
    hear(desk, "person", just_now, until=datetime.now(UTC))
    gone = [SimpleNamespace(aggregate_id=one, epoch=1, version=2) for one in (just_now, known["organization"])]
    desk.work(lambda work: drop_customers(work, gone))
    hear(desk, "person", just_now, until=datetime.now(UTC))
    assert refused(desk, person_id=just_now) == "deal.person_id"
    assert refused(desk, organization_id=known["organization"]) == "deal.organization_id"
    assert desk.open(person_id=known["person"]).id


def test_a_rebuild_in_a_new_epoch_drops_whom_nobody_tells_of_and_comes_to_the_same(
    desk: Desk, known: dict[str, str]
) -> None:
    copies = copies_in_place(customer)

    def digest() -> str:
        with desk.database.transaction() as work:
            return digest_of(work, copies.tables)

    def rebuild(*told: str) -> str:
        with desk.database.transaction() as work:
            copies.forget(work)
        hear(desk, "person", *told, until=datetime.now(UTC), epoch=2)
        with desk.database.transaction() as work:
            copies.sweep(work)
        return digest()

    lost = made_at(datetime.now(UTC) - 2 * HOUR)
    hear(desk, "person", lost, lost, until=datetime.now(UTC))
    kept = rebuild(known["person"])
    hear(desk, "person", known["person"], until=datetime.now(UTC))
    assert digest() == kept, "what is told late of the old epoch changes nothing"
    assert rebuild(known["person"]) == kept
    assert desk.open(person_id=known["person"]).id
    assert refused(desk, person_id=lost) == "deal.person_id"


def test_without_contacts_any_customer_may_be_named(desk: Desk) -> None:
    assert desk.open(organization_id=id_of("Acme")).id


def test_a_change_is_held_to_the_same_but_what_stood_before_stays(desk: Desk) -> None:
    old = desk.open(organization_id=id_of("Acme"))  # before contacts was there
    hear(desk, "person", made_at(datetime.now(UTC) - 24 * HOUR), until=datetime.now(UTC))
    change = pb.UpdateDealRequest(deal=pb.Deal(id=old.id, title="Roof"), etag=old.etag)
    change.update_mask.paths.append("title")
    assert desk.call("UpdateDeal", change).deal.organization_id == id_of("Acme")
    change.etag, change.deal.person_id = str(int(old.etag) + 1), str(uuid.uuid4())
    change.update_mask.paths.append("person_id")
    assert desk.refusal("UpdateDeal", change).violations[0].field == "deal.person_id"


@pytest.mark.parametrize(
    ("made", "heard_until", "possible"),
    [
        (NOW - 2 * HOUR, NOW, False),  # the news of it would have come
        (NOW - LATE / 2, NOW, True),
        (NOW - HOUR, NOW - 2 * HOUR, True),  # the bus is late
        (NOW - 30 * HOUR, NOW, True),  # made before the copy began
        (NOW + HOUR, NOW, False),  # nobody makes ids of tomorrow
    ],
)
def test_what_may_still_be_on_its_way(made: datetime, heard_until: datetime, possible: bool) -> None:
    assert may_be_on_its_way(made_at(made), made_at(NOW - 24 * HOUR), heard_until, NOW) is possible
