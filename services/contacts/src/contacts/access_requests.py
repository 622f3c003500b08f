"""Asking to see a customer of another unit, and the answer of those who may assign that customer.

Who asks learns nothing of the card before it is approved: the request is made with the same description that was
refused. Approving lets the asking unit know the customer, as if it had brought the customer in itself.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis import paging
from chassis.access import ASSIGN, CREATE
from chassis.database import UnitOfWork
from chassis.dates import to_time
from chassis.errors import PageTokenInvalid
from chassis.ids import is_id, new_id
from contacts.cards import AnyCard
from contacts.deciding import CREATED, REFUSED
from contacts.drafts import Batch, Draft, draft_organization, draft_person
from contacts.errors import AccessRequestDecided, AccessRequestNotFound, KnownElsewhere, NobodyToAsk, invalid
from contacts.joining import identities, join_drafts
from contacts.known_elsewhere import require_no_hidden
from contacts.queries import load_cards
from contacts.storing import type_of, update_cards
from contacts.tables import access_request, organization, person
from contacts.visibility import acting_unit, visible_cards
from crm.contacts.v1 import contacts_pb2 as pb
from units.tables import unit

MOST_TEXT = 300
TABLES = {"person": person, "organization": organization}
OPEN, APPROVED, DECLINED = "open", "approved", "declined"
STATES = {
    OPEN: pb.ACCESS_REQUEST_STATE_OPEN,
    APPROVED: pb.ACCESS_REQUEST_STATE_APPROVED,
    DECLINED: pb.ACCESS_REQUEST_STATE_DECLINED,
}
QUESTION = "access_requests"


def request_customer_access(
    work: UnitOfWork, request: pb.RequestCustomerAccessRequest
) -> pb.RequestCustomerAccessResponse:
    """Ask for the card that this description belongs to.

    Errors: NobodyToAsk, FieldInvalid, UnitNotKnown, NotPermitted.
    """
    if request.HasField("person") == request.HasField("organization"):
        raise invalid("person", "or organization is needed, exactly one of them", "MISSING")
    reason = _text("reason", request.reason)
    if not reason:
        raise invalid("reason", "is empty; say what you need the customer for", "MISSING")
    asked_for = request.person if request.HasField("person") else request.organization
    home = acting_unit(work, asked_for.unit_id, CREATE)
    card = _hidden_card(work, request, Batch(home, work.now, work.access.user_id, dry_run=True))
    row = {
        "id": new_id(), "record_type": type_of(card), "record_id": card.id, "unit_id": home.id,
        "requester_id": work.access.user_id, "requester_name": work.access.user_name, "reason": reason, "state": OPEN,
        "create_time": work.now,
    }  # fmt: skip
    work.execute(insert(access_request).values(row).on_conflict_do_nothing())
    c = access_request.c
    mine = sa.and_(c.record_id == card.id, c.requester_id == work.access.user_id, c.state == OPEN)
    [stored] = work.execute(_seen_requests(work).where(mine))
    return pb.RequestCustomerAccessResponse(access_request=_message(stored))


def list_access_requests(work: UnitOfWork, request: pb.ListAccessRequestsRequest) -> pb.ListAccessRequestsResponse:
    """The page of own requests and of those the caller may decide, newest first.

    Errors: PageTokenInvalid, FieldInvalid.
    """
    size = paging.page_size(request.page_size, 50, 200)
    question = f"{QUESTION}|{request.state}"
    after = paging.read_token(question, request.page_token)
    if after is not None and not (len(after) == 1 and is_id(str(after[0]))):
        raise PageTokenInvalid("the page token is not one of ours; ask for the first page again")
    found = _seen_requests(work).limit(size + 1)
    states = [name for name, number in STATES.items() if number == request.state]
    if states:
        found = found.where(access_request.c.state.in_(states))
    if after is not None:
        found = found.where(access_request.c.id < after[0])
    rows = list(work.execute(found))
    token = paging.make_token(question, [rows[size - 1].id]) if len(rows) > size else ""
    return pb.ListAccessRequestsResponse(
        access_requests=[_message(row, row.name, row.can_decide) for row in rows[:size]], next_page_token=token
    )


def decide_access_request(work: UnitOfWork, request: pb.DecideAccessRequestRequest) -> pb.DecideAccessRequestResponse:
    """Let the asking unit know the customer, or not.

    Errors: AccessRequestNotFound, AccessRequestDecided, FieldInvalid.
    """
    answer = _text("answer", request.answer)
    asked = _lock(work, request.access_request_id)
    if asked.state != OPEN:
        raise AccessRequestDecided(asked.state)
    if request.approve:
        _share(work, asked, request.make_responsible, answer)
    decided = {
        "state": APPROVED if request.approve else DECLINED,
        "decider_id": work.access.user_id,
        "decider_name": work.access.user_name,
        "decide_time": work.now,
        "answer": answer,
    }
    work.execute(sa.update(access_request).where(access_request.c.id == asked.id).values(decided))
    [stored] = work.execute(_seen_requests(work).where(access_request.c.id == asked.id))
    return pb.DecideAccessRequestResponse(access_request=_message(stored, stored.name, stored.can_decide))


def _hidden_card(work: UnitOfWork, request: pb.RequestCustomerAccessRequest, batch: Batch) -> AnyCard:
    """The card that creating this would be joined to, where the caller may not see it.

    Errors: NobodyToAsk, FieldInvalid.
    """
    card: AnyCard
    if request.HasField("person"):
        card = draft_person(request.person, batch)
    else:
        card = draft_organization(request.organization, batch)
    [joined] = join_drafts(work, [Draft(card, keys=identities(card))], batch)
    if joined.card is None or joined.fate in (CREATED, REFUSED):
        raise NobodyToAsk
    try:
        require_no_hidden(work, joined, batch.unit.id)
    except KnownElsewhere:
        return joined.card
    raise NobodyToAsk


def _seen_requests(work: UnitOfWork) -> sa.Select[Any]:
    """Own requests and those the caller may decide, each with the card's name where it may be read."""
    names, decides = [], []
    joined: Any = access_request.outerjoin(unit, unit.c.id == access_request.c.unit_id)
    for kind, table in TABLES.items():
        readable, mine = table.alias(f"readable_{kind}"), table.alias(f"assignable_{kind}")
        for one, allowed in (
            (readable, visible_cards(work.access, readable)),
            (mine, visible_cards(work.access, mine, ASSIGN)),
        ):
            same = sa.and_(access_request.c.record_type == kind, one.c.id == access_request.c.record_id)
            joined = joined.outerjoin(one, sa.and_(same, allowed))
        names.append(readable.c.display_name)
        decides.append(mine.c.id.is_not(None))
    may_decide = sa.or_(*decides)
    shown = sa.or_(may_decide, access_request.c.requester_id == work.access.user_id)
    columns = (
        access_request,
        unit.c.name.label("unit_name"),
        sa.func.coalesce(*names).label("name"),
        may_decide.label("can_decide"),
    )
    return sa.select(*columns).select_from(joined).where(shown).order_by(access_request.c.id.desc())


def _lock(work: UnitOfWork, request_id: str) -> Any:
    """The request, locked, which the caller may decide. Errors: AccessRequestNotFound."""
    if not is_id(request_id):
        raise AccessRequestNotFound(request_id)
    locked = sa.select(access_request.c.id).where(access_request.c.id == request_id).with_for_update()
    work.execute(locked)
    found = work.execute(_seen_requests(work).where(access_request.c.id == request_id)).one_or_none()
    if found is None or not found.can_decide:
        raise AccessRequestNotFound(request_id)
    return found


def _share(work: UnitOfWork, asked: Any, responsible: bool, note: str) -> None:
    card = load_cards(work, TABLES[asked.record_type], [asked.record_id])[asked.record_id]
    changed = []
    if asked.unit_id not in card.unit_ids:
        card.unit_ids = sorted({*card.unit_ids, asked.unit_id})
        changed.append("unit_ids")
    if responsible and card.owner_id != asked.requester_id:
        card.owner_id = asked.requester_id
        changed.append("owner_id")
    if changed:
        update_cards(work, [(card, changed)], note)


def _message(row: Any, name: str | None = None, can_decide: bool = False) -> pb.AccessRequest:
    """The request; the card only for those who may read it."""
    return pb.AccessRequest(
        id=row.id,
        record_type=row.record_type,
        record_id=row.record_id if name is not None else "",
        record_name=name or "",
        unit_id=row.unit_id,
        unit_name=row.unit_name or "",
        requester_id=row.requester_id,
        requester_name=row.requester_name,
        reason=row.reason,
        state=STATES[row.state],
        create_time=to_time(row.create_time),
        decider_id=row.decider_id,
        decider_name=row.decider_name,
        decide_time=to_time(row.decide_time),
        answer=row.answer,
        can_decide=can_decide and row.state == OPEN,
    )


def _text(field: str, text: str) -> str:
    if len(text) > MOST_TEXT or "\0" in text:
        raise invalid(field, f"has more than {MOST_TEXT} characters, or one that cannot be kept")
    return text.strip()
