"""Tags and fields of chosen customers: each is decided by itself, all that may change do so in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from chassis.access import CHANGE
from chassis.database import UnitOfWork
from chassis.errors import FieldInvalid, NotPermitted
from chassis.ids import is_id
from contacts.cards import AnyCard, OrganizationCard, PersonCard, changed_fields
from contacts.changing import copy_card
from contacts.customer_fields.changing import change_attributes
from contacts.customer_fields.conditions import ATTRIBUTES as FACTS
from contacts.customer_fields.knowing import ORGANIZATION, PERSON, rules_for
from contacts.errors import OrganizationNotFound, PersonNotFound, invalid
from contacts.fields import ATTRIBUTES, ROLE, read_attributes, read_text
from contacts.queries import ids, load_cards, peek_cards
from contacts.storing import update_cards
from contacts.tables import organization, person
from contacts.tags import MOST, MOST_ASKED, fold_tag, read_tags, spell_tags, wanted_tags
from contacts.visibility import visible_cards
from crm.contacts.v1 import contacts_pb2 as pb

MOST_AT_ONCE, MOST_FIELDS = 200, 10
TABLES = {PERSON: (person, PersonNotFound.reason), ORGANIZATION: (organization, OrganizationNotFound.reason)}
NOT_PERMITTED, STALE, INVALID = "NOT_PERMITTED", "STALE_ETAG", FieldInvalid.reason


@dataclass(slots=True)
class Change:
    """What is to change of one card; None leaves a field."""

    kind: str
    record_id: str
    etag: str
    add_tags: list[str]
    remove_tags: list[str]
    fields: dict[str, str] = field(default_factory=dict)
    industry: str | None = None
    individual: bool | None = None


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a card: `refusal` says why it stays, in a sentence where the reason does not say all."""

    refusal: str = ""
    message: str = ""
    unchanged: bool = False
    undo: pb.CustomerChange | None = None


def change_customers(work: UnitOfWork, request: pb.ChangeCustomersRequest) -> pb.ChangeCustomersResponse:
    """Change customers, or only say what would become of each. Errors: FieldInvalid, NotPermitted."""
    if any(one.fields for one in request.changes) and work.access.hides(FACTS):
        raise NotPermitted("your positions do not show these facts", metadata={"field": FACTS})
    if not 1 <= len(request.changes) <= MOST_AT_ONCE:
        raise invalid("changes", f"are {len(request.changes)}; name 1 to {MOST_AT_ONCE} customers")
    asked = [_read(one, f"changes[{number}]") for number, one in enumerate(request.changes)]
    if len({one.record_id for one in asked}) < len(asked):
        raise invalid("changes", "name a customer twice; name each once")
    _spell(work, asked, request.dry_run)
    fates: dict[str, Fate] = {}
    for kind in TABLES:
        wanted = [one for one in asked if one.kind == kind]
        fates |= _change(work, kind, wanted, request.dry_run) if wanted else {}
    return pb.ChangeCustomersResponse(fates=[_message(one.record_id, fates[one.record_id]) for one in asked])


def _read(one: pb.CustomerChange, at: str) -> Change:
    if bool(one.person_id) == bool(one.organization_id) or not is_id(one.person_id or one.organization_id):
        raise invalid(at, "names a person and an organization, or neither; name one by its id")
    if len(one.fields) > MOST_FIELDS:
        raise invalid(
            f"{at}.fields", f"has {len(one.fields)} entries; change at most {MOST_FIELDS} at once", "TOO_MANY"
        )
    kind = PERSON if one.person_id else ORGANIZATION
    named = {PERSON: "industry", ORGANIZATION: "individual_customer"}[kind]
    if one.HasField(named):  # type: ignore[arg-type]
        raise invalid(f"{at}.{named}", f"is no field of a {kind}; leave it out", "UNKNOWN")
    read_attributes(f"{at}.fields", one.fields)
    return Change(
        kind,
        one.person_id or one.organization_id,
        one.etag,
        read_tags(f"{at}.add_tags", one.add_tags, MOST_ASKED),
        read_tags(f"{at}.remove_tags", one.remove_tags, MOST_ASKED),
        dict(one.fields),
        read_text(f"{at}.industry", one.industry, ROLE) if one.HasField("industry") else None,
        one.individual_customer if one.HasField("individual_customer") else None,
    )


def _spell(work: UnitOfWork, asked: Sequence[Change], looking: bool) -> None:
    """Spell all tags that are given, before a card is locked."""
    given = {fold_tag(tag): tag for one in asked for tag in one.add_tags}
    spelt = (wanted_tags if looking else spell_tags)(work, list(given.values()))
    known = dict(zip(given, spelt, strict=True))
    for one in asked:
        one.add_tags = [known[fold_tag(tag)] for tag in one.add_tags]


def _change(work: UnitOfWork, kind: str, asked: Sequence[Change], dry_run: bool) -> dict[str, Fate]:
    """What becomes of cards of one type; rows that may change are locked before they are compared."""
    table, missing = TABLES[kind]
    seen, may = _look(work, table, [one.record_id for one in asked])
    cards = (peek_cards if dry_run else load_cards)(work, table, sorted(may))
    fates: dict[str, Fate] = {}
    changes: list[tuple[AnyCard, list[str]]] = []
    undone: list[tuple[AnyCard, AnyCard]] = []
    for one in asked:
        if one.record_id not in cards:
            fates[one.record_id] = Fate(NOT_PERMITTED if one.record_id in seen else missing)
            continue
        card = cards[one.record_id]
        before = copy_card(card)
        fates[one.record_id] = _decide(work, before, card, one)
        if not fates[one.record_id].refusal and not fates[one.record_id].unchanged:
            changes.append((card, changed_fields(before, card)))
            undone.append((before, card))
    if not dry_run:
        update_cards(work, changes)
        fates |= {card.id: Fate(undo=_undo_of(before, card)) for before, card in undone}
    return fates


def _look(work: UnitOfWork, table: sa.Table, named: Sequence[str]) -> tuple[set[str], set[str]]:
    """The ids of the cards that the caller sees, and of those that the caller may change."""
    may = visible_cards(work.access, table, CHANGE)
    found = sa.select(table.c.id, may.label("may"))
    rows = work.execute(found.where(table.c.id == sa.any_(ids(named)), visible_cards(work.access, table))).all()
    return {row.id for row in rows}, {row.id for row in rows if row.may}


def _decide(work: UnitOfWork, before: AnyCard, card: AnyCard, one: Change) -> Fate:
    """Change a card in memory and tell what became of it."""
    if one.etag and one.etag != str(card.version):
        return Fate(STALE)
    taken = {fold_tag(tag) for tag in one.remove_tags}
    kept = [tag for tag in card.tags if fold_tag(tag) not in taken]
    card.tags = [*kept, *(tag for tag in one.add_tags if tag not in kept)]
    try:
        if len(card.tags) > max(MOST, len(before.tags)):
            raise invalid("tags", f"would be {len(card.tags)}; at most {MOST} are kept", "TOO_MANY")
        _fill(work, before, card, one.fields)
    except FieldInvalid as trouble:
        return Fate(INVALID, trouble.message)
    if isinstance(card, OrganizationCard) and one.industry is not None:
        card.industry = one.industry
    if isinstance(card, PersonCard) and one.individual is not None:
        card.individual_customer = one.individual
    return Fate(unchanged=not changed_fields(before, card))


def _fill(work: UnitOfWork, before: AnyCard, card: AnyCard, fields: Mapping[str, str]) -> None:
    """Set values of the company's own fields. Errors: FieldInvalid."""
    if not fields:
        return
    kind = PERSON if isinstance(card, PersonCard) else ORGANIZATION
    rules = rules_for(work, kind, card.unit_path)
    named: dict[str, str] = {}
    for name, text in fields.items():
        known = rules.find(name)
        if known is None:
            raise invalid("fields", f"{name[:50]!r} is no field of the company's own for a {kind}", "UNKNOWN")
        named[known.key] = text
    merged = {**card.attributes, **named}
    card.attributes = {name: text for name, text in merged.items() if text}
    if len(card.attributes) > max(ATTRIBUTES, len(before.attributes)):
        raise invalid("fields", f"would be {len(card.attributes)} facts; at most {ATTRIBUTES} are kept", "TOO_MANY")
    change_attributes(work, kind, before, card)


def _undo_of(before: AnyCard, card: AnyCard) -> pb.CustomerChange:
    """What makes a stored card what it was."""
    undo = pb.CustomerChange(
        etag=str(card.version),
        add_tags=[tag for tag in before.tags if tag not in card.tags],
        remove_tags=[tag for tag in card.tags if tag not in before.tags],
        fields={
            name: before.attributes.get(name, "")
            for name in {**before.attributes, **card.attributes}
            if before.attributes.get(name) != card.attributes.get(name)
        },
    )
    if isinstance(before, OrganizationCard) and isinstance(card, OrganizationCard):
        undo.organization_id = card.id
        if before.industry != card.industry:
            undo.industry = before.industry
    elif isinstance(before, PersonCard) and isinstance(card, PersonCard):
        undo.person_id = card.id
        if before.individual_customer != card.individual_customer:
            undo.individual_customer = before.individual_customer
    return undo


def _message(record_id: str, fate: Fate) -> pb.CustomerChangeFate:
    refusal = pb.ErrorReason.Value(f"ERROR_REASON_{fate.refusal or 'UNSPECIFIED'}")
    return pb.CustomerChangeFate(
        record_id=record_id, refusal=refusal, message=fate.message, unchanged=fate.unchanged, undo=fate.undo
    )
