"""Every way to read deals shows a caller the same ones: those that the rules, read one by one, let him see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chassis.access import ASSIGN, CHANGE, READ
from chassis.errors import RemoteError
from crm.deals.v1 import deals_pb2 as pb
from services.deals.tests.desk import PATHS, Desk, id_of
from units.records import DEAL
from units.testing import may, some_accesses

CALLERS, EACH = 48, 3  # of callers, and of deals for each unit and owner
OWNERS = ("", id_of("anna"), id_of("boris"), id_of("vera"))
FORBIDDEN = {"DEAL_NOT_FOUND", "NOT_PERMITTED"}


def some_deals(desk: Desk) -> dict[str, tuple[str, str, str]]:
    """Unit, owner and path of each deal by its id; the titles of a unit share a word."""
    made = {}
    for name, path in PATHS.items():
        for owner in OWNERS:
            for number in range(EACH):
                deal = desk.open(title=f"{name} {number}", unit_id=id_of(name), owner_id=owner, amount="1 EUR")
                made[deal.id] = (name, owner, path)
    return made


def by_board(desk: Desk) -> set[str]:
    columns = desk.call("GetBoard", pb.GetBoardRequest(column_size=50)).columns
    assert sum(column.count for column in columns) == sum(len(column.deals) for column in columns)
    return {deal.id for column in columns for deal in column.deals}


def by_search(desk: Desk) -> set[str]:
    questions = [pb.SearchDealsRequest(query=name, page_size=50) for name in PATHS]
    return {deal.id for question in questions for deal in desk.call("SearchDeals", question).deals}


def listed(**asked: Any) -> Callable[[Desk], set[str]]:
    """A way to read: the pages of a list."""

    def read(desk: Desk) -> set[str]:
        found, token = set[str](), ""
        while True:
            answer = desk.call("ListDeals", pb.ListDealsRequest(page_size=40, page_token=token, **asked))
            found |= {deal.id for deal in answer.deals}
            token = answer.next_page_token
            if not token:
                return found

    return read


CHANNELS: dict[str, Callable[[Desk], set[str]]] = {
    "list": listed(),
    "open ones": listed(status=pb.STAGE_KIND_OPEN),
    "sorted": listed(order=pb.DEAL_ORDER_AMOUNT),
    "board": by_board,
    "search": by_search,
}


def test_every_caller_sees_the_same_deals_through_every_channel_and_no_other(desk: Desk) -> None:
    deals = some_deals(desk)
    cases = wrong = 0
    for caller in some_accesses(DEAL, list(PATHS.values()), OWNERS[1:], id_of("moscow"), CALLERS):
        expected = {one for one, (_, owner, path) in deals.items() if may(caller, READ, DEAL, path, owner)}
        with desk.as_caller(caller):
            shown = {name: read(desk) for name, read in CHANNELS.items()}
            batch = desk.call("BatchGetDeals", pb.BatchGetDealsRequest(deal_ids=list(deals)))
            shown["batch"] = {deal.id for deal in batch.deals}
            assert desk.call("SumDeals", pb.SumDealsRequest()).count == len(expected), caller
        cases += len(shown) * len(deals)
        wrong += sum(len(found ^ expected) for found in shown.values())
        assert not wrong, (caller, {name: len(found) for name, found in shown.items()}, len(expected))
    assert cases >= 13_000


def test_every_caller_changes_and_gives_away_what_the_rules_allow(desk: Desk) -> None:
    deals = some_deals(desk)
    sample = {(name, owner): one for one, (name, owner, _) in deals.items()}
    for caller in some_accesses(DEAL, list(PATHS.values()), OWNERS[1:], id_of("moscow"), CALLERS // 3):
        for (name, owner), deal_id in sample.items():
            reads = may(caller, READ, DEAL, PATHS[name], owner)
            changes = reads and may(caller, CHANGE, DEAL, PATHS[name], owner)
            gives = changes and may(caller, ASSIGN, DEAL, PATHS[name], owner)
            assert try_change(desk, caller, deal_id, "business_line") == changes, (caller, name, owner)
            assert try_change(desk, caller, deal_id, "owner_id") == gives, (caller, name, owner)


def try_change(desk: Desk, caller: Any, deal_id: str, field: str) -> bool:
    """Whether a change is let through; it is taken back."""
    known = desk.get(deal_id)
    asked = pb.Deal(id=deal_id, business_line="x", owner_id=id_of("other"))
    request = pb.UpdateDealRequest(deal=asked, etag=known.etag)
    request.update_mask.paths.append(field)
    with desk.as_caller(caller):
        changed = changed_or_refused(desk, request)
    if isinstance(changed, str):
        assert changed in FORBIDDEN, changed
        return False
    undo = pb.UpdateDealRequest(deal=known, etag=changed.etag)
    undo.update_mask.paths.append(field)
    desk.call("UpdateDeal", undo)
    return True


def changed_or_refused(desk: Desk, request: pb.UpdateDealRequest) -> pb.Deal | str:
    """The changed deal, or the reason why it was not."""
    try:
        return desk.call("UpdateDeal", request).deal  # type: ignore[no-any-return]
    except RemoteError as refused:
        return refused.reason
