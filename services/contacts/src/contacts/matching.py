"""Which customers the words of a workbook mean: by number, tax id, name, telephone or e-mail; never a guess.

An exact answer is given for the whole base to whoever may import into the unit: a customer of another branch is still
the one customer. Proposals for unknown names are taken from what the caller may see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from rapidfuzz import fuzz

from chassis.access import IMPORT, READ, Access
from chassis.database import UnitOfWork
from contacts import keys
from contacts.cards import EMAIL, PHONE, Affiliation, Channel, PersonCard
from contacts.claiming import find_holders
from contacts.drafts import Batch, read_tax_id
from contacts.errors import invalid
from contacts.queries import ids
from contacts.reaching import read_channels
from contacts.tables import channel, organization, person
from contacts.visibility import acting_unit, visible_cards
from contacts.words import sort_key_of
from crm.contacts.v1 import contacts_pb2 as pb
from units.records import CHANNELS, CUSTOMER
from values.organization_names import organization_core_key, organization_key

MOST, SUGGESTIONS = 1_000, 3
CANDIDATES = 30  # by trigrams, for the slower and better comparison
LEAST_LIKE = 60.0  # of 100; below, a proposal is noise
TOLD_BY = {CHANNELS: ("phone", "email"), "customer.tax_id": ("organization_tax_id",)}
MOST_UNKNOWN = 200  # names to propose for in one call; a file that names more unknowns has the wrong column


def match_customers(work: UnitOfWork, request: pb.MatchCustomersRequest) -> pb.MatchCustomersResponse:
    """One answer a reference, in order. Errors: FieldInvalid, UnitNotKnown."""
    if len(request.references) > MOST:
        raise invalid("references", f"has {len(request.references)} entries; send at most {MOST}", "TOO_MANY")
    unit = acting_unit(work, request.unit_id, READ)
    batch = Batch(unit, work.now, work.access.user_id, request.source, lenient=True)
    everywhere = work.access.allows_in(IMPORT, unit.path, CUSTOMER)
    references = [_without_hidden(one, work.access) for one in request.references]
    organizations = _match_organizations(work, references, batch, everywhere)
    persons = _match_persons(work, references, [found for found, _ in organizations], batch, everywhere)
    unknown = [
        one.organization_name
        for one, (found, ambiguous) in zip(references, organizations, strict=True)
        if one.organization_name.strip() and not found and not ambiguous
    ]
    proposals = _propose(work, unknown)
    return pb.MatchCustomersResponse(
        matches=[
            pb.CustomerMatch(
                organization_id=organization_id,
                person_id=person_id,
                organization_suggestions=proposals.get(one.organization_name, ()) if not organization_id else (),
                organization_ambiguous=several,
                person_ambiguous=persons_several,
            )
            for one, (organization_id, several), (person_id, persons_several) in zip(
                references, organizations, persons, strict=True
            )
        ]
    )


def _without_hidden(one: pb.CustomerReference, access: Access) -> pb.CustomerReference:
    """The reference without what the caller may not see on cards: an answer would tell whose telephone it is."""
    hidden = [name for field, names in TOLD_BY.items() if access.hides(field) for name in names]
    if not hidden:
        return one
    kept = pb.CustomerReference()
    kept.CopyFrom(one)
    for name in hidden:
        kept.ClearField(name)  # type: ignore[arg-type]
    return kept


def _match_organizations(
    work: UnitOfWork, references: Sequence[pb.CustomerReference], batch: Batch, everywhere: bool
) -> list[tuple[str, bool]]:
    """Id, or nothing; and whether several fit equally. Number before tax id before name."""
    asked = [_organization_digests(one, batch) for one in references]
    holders = find_holders(work, [digest for digests in asked for digest in digests])
    names = {organization_key(one.organization_name) for one in references if one.organization_name.strip()}
    c = organization.c
    rows = work.execute(sa.select(c.id, c.name_key).where(c.name_key == sa.any_(_texts(names)))).all()
    by_name: dict[str, list[str]] = {}
    for row in rows:
        by_name.setdefault(row.name_key, []).append(row.id)
    seen = _seen(work, organization, [*holders.values(), *(row.id for row in rows)], everywhere)
    answers = []
    for one, digests in zip(references, asked, strict=True):
        known = next((holders[digest] for digest in digests if holders.get(digest) in seen), "")
        named = [found for found in by_name.get(organization_key(one.organization_name), ()) if found in seen]
        answers.append((known or (named[0] if len(named) == 1 else ""), not known and len(named) > 1))
    return answers


def _organization_digests(one: pb.CustomerReference, batch: Batch) -> list[str]:
    number, written = one.organization_external_id.strip(), one.organization_tax_id.strip()
    found = [keys.external_key("organization", batch.source, number)] if number else []
    tax_id, country = read_tax_id("organization_tax_id", written[:50], {}, batch)
    return [digest for _, digest in ([*found, keys.tax_key("organization", country, tax_id)] if tax_id else found)]


def _match_persons(
    work: UnitOfWork,
    references: Sequence[pb.CustomerReference],
    organizations: Sequence[str],
    batch: Batch,
    everywhere: bool,
) -> list[tuple[str, bool]]:
    """By number, then by name with e-mail, phone or organization; without a name by what reaches one person only."""
    asked = [_person_digests(one, org, batch) for one, org in zip(references, organizations, strict=True)]
    holders = find_holders(work, [digest for digests in asked for digest in digests])
    channels = [_channels(one, batch) if not one.person_name.strip() else [] for one in references]
    reached = _find_reached(work, [one for several in channels for one in several])
    known = [*holders.values(), *(owner for owners in reached.values() for owner in owners)]
    seen = _seen(work, person, known, everywhere)
    answers = []
    for digests, written in zip(asked, channels, strict=True):
        found = next((holders[digest] for digest in digests if holders.get(digest) in seen), "")
        owners = {owner for one in written for owner in reached.get(one.identity, ()) if owner in seen}
        answers.append((found or (min(owners) if len(owners) == 1 else ""), not found and len(owners) > 1))
    return answers


def _person_digests(one: pb.CustomerReference, organization_id: str, batch: Batch) -> list[str]:
    number = one.person_external_id.strip()
    found = [keys.external_key("person", batch.source, number)] if number else []
    if one.person_name.strip():
        card = PersonCard(id="", display_name=one.person_name.strip(), unit_id=batch.unit.id)
        card.channels = _channels(one, batch)
        card.affiliations = [Affiliation("", organization_id, "")] if organization_id else []
        found += [key for key in keys.person_keys(card) if key[0] not in keys.HINTS]
    return [digest for _, digest in found]


def _channels(one: pb.CustomerReference, batch: Batch) -> list[Channel]:
    written = [
        pb.Channel(kind=kind, value=text[:300])
        for kind, text in ((pb.CHANNEL_KIND_EMAIL, one.email), (pb.CHANNEL_KIND_PHONE, one.phone))
        if text.strip()
    ]
    return [found for found in read_channels(written, batch.unit, "references") if found.value]


def _find_reached(work: UnitOfWork, asked: Sequence[Channel]) -> dict[tuple[str, str, str], set[str]]:
    """Who is reached by each channel, through the words that search finds them by."""
    reached: dict[tuple[str, str, str], set[str]] = {}
    if not asked:
        return reached
    lexemes = {f"{'e' if one.kind == EMAIL else 'p'}{_searched(one)}" for one in asked}
    question = " | ".join("'" + word.replace("\\", "\\\\").replace("'", "''") + "'" for word in sorted(lexemes))
    tsquery = sa.cast(sa.bindparam("question", question, type_=sa.Text), sa.dialects.postgresql.TSQUERY)
    found = (
        sa.select(channel)
        .join(person, person.c.id == channel.c.owner_id)
        .where(person.c.search.bool_op("@@")(tsquery), channel.c.kind.in_((EMAIL, PHONE)))
    )
    wanted = {one.identity for one in asked}
    for row in work.execute(found):
        identity = Channel(row.kind, row.value, row.raw, row.extension).identity
        if identity in wanted:
            reached.setdefault(identity, set()).add(row.owner_id)
    return reached


def _searched(one: Channel) -> str:
    return one.value.casefold()[:100] if one.kind == EMAIL else "".join(filter(str.isdigit, one.value))


def _seen(work: UnitOfWork, table: sa.Table, card_ids: Iterable[str], everywhere: bool) -> set[str]:
    asked = set(card_ids)
    if everywhere or not asked:
        return asked
    seen = sa.select(table.c.id).where(table.c.id == sa.any_(ids(asked)), visible_cards(work.access, table))
    return set(work.execute(seen).scalars())


def _propose(work: UnitOfWork, names: Sequence[str]) -> Mapping[str, list[str]]:
    """The nearest names the caller may see: candidates by trigrams of all names at once, ranked by likeness."""
    asked = list(dict.fromkeys(names))[:MOST_UNKNOWN]
    if not asked:
        return {}
    wanted = sa.func.unnest(_texts(sort_key_of(name) for name in asked)).table_valued("key").render_derived()
    c = organization.c
    near = (
        sa.select(c.display_name)
        .where(c.sort_key.bool_op("%")(wanted.c.key), visible_cards(work.access, organization))
        .order_by(sa.func.similarity(c.sort_key, wanted.c.key).desc(), c.display_name)
        .limit(CANDIDATES)
        .correlate(wanted)
        .lateral("near")
    )
    candidates: dict[str, list[str]] = {}
    for row in work.execute(sa.select(wanted.c.key, near.c.display_name).select_from(wanted.join(near, sa.true()))):
        candidates.setdefault(row.key, []).append(row.display_name)
    return {name: _nearest(name, candidates.get(sort_key_of(name), [])) for name in asked}


def _nearest(name: str, candidates: Sequence[str]) -> list[str]:
    core = organization_core_key(name)
    scored = [(fuzz.WRatio(core, organization_core_key(one)), one) for one in dict.fromkeys(candidates)]
    return [one for score, one in sorted(scored, key=lambda pair: (-pair[0], pair[1])) if score >= LEAST_LIKE][
        :SUGGESTIONS
    ]


def _texts(values: Iterable[str]) -> sa.BindParameter[Any]:
    return sa.bindparam(None, sorted(set(values)), type_=sa.dialects.postgresql.ARRAY(sa.Text), unique=True)
