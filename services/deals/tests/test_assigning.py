"""Chosen deals are given to users in one call; each is decided by itself, and the same call backwards undoes it."""

from __future__ import annotations

from chassis.access import OWN, READ, Access, Grant
from crm.deals.v1 import deals_pb2 as pb
from services.deals.tests.desk import ADMIN, Desk, id_of, steward_of
from services.deals.tests.test_owners import HEIR, LEAVER, changes


def assign(desk: Desk, deals: list[pb.Deal], **more: object) -> list[tuple[str, bool]]:
    """What became of each."""
    request = pb.AssignDealsRequest(note=more.pop("note", ""), dry_run=more.pop("dry_run", False))  # type: ignore[arg-type]
    for one in deals:
        request.assignments.add(**{"deal_id": one.id, "from_owner_id": LEAVER, "to_owner_id": HEIR, **more})
    fates = desk.call("AssignDeals", request).fates
    assert [one.deal_id for one in fates] == [one.id for one in deals]
    return [(pb.ErrorReason.Name(one.refusal).removeprefix("ERROR_REASON_"), one.unchanged) for one in fates]


def test_chosen_deals_go_also_closed_ones_and_come_back(desk: Desk) -> None:
    open_one = desk.open(title="Vega", owner_id=LEAVER, amount="100 EUR")
    lost = desk.move(desk.open(title="Deneb", owner_id=LEAVER), "Lost", loss_reason="Price")
    assert assign(desk, [open_one, lost], dry_run=True) == [("UNSPECIFIED", False)] * 2
    assert desk.get(open_one.id).etag == open_one.etag
    assert assign(desk, [open_one, lost], note="new region") == [("UNSPECIFIED", False)] * 2
    assert [desk.get(one.id).owner_id for one in (open_one, lost)] == [HEIR, HEIR]
    assert desk.get(open_one.id).amount == open_one.amount
    assert list(desk.told("DealUpdated", lost.id)[-1].message.changed.paths) == ["owner_id"]
    assert changes(desk, open_one) == [(LEAVER, HEIR, ADMIN.user_id, "new region")]
    assert assign(desk, [open_one], from_owner_id=HEIR, to_owner_id=LEAVER) == [("UNSPECIFIED", False)]
    assert assign(desk, [open_one], to_owner_id=LEAVER) == [("UNSPECIFIED", True)]


def test_each_is_decided_by_itself(desk: Desk) -> None:
    here, there, taken = (
        desk.open(title=unit, unit_id=id_of(unit), owner_id=owner)
        for unit, owner in (("moscow", LEAVER), ("tula", LEAVER), ("moscow", id_of("third")))
    )
    with desk.as_caller(steward_of("moscow")):
        assert assign(desk, [here, there, taken]) == [
            ("UNSPECIFIED", False), ("DEAL_NOT_FOUND", False), ("STALE_ETAG", False),
        ]  # fmt: skip
    assert [desk.get(one.id).owner_id for one in (here, there, taken)] == [HEIR, LEAVER, id_of("third")]


def test_who_may_only_read_gives_nothing_away(desk: Desk) -> None:
    mine = desk.open(title="Mine", unit_id=id_of("moscow"), owner_id=id_of("reader"))
    reader = Access(id_of("reader"), "Reader", id_of("moscow"), (Grant(READ, OWN),))
    with desk.as_caller(reader):
        assert assign(desk, [mine], from_owner_id=id_of("reader")) == [("NOT_PERMITTED", False)]
