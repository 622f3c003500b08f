"""Which organizations a call's persons belong to: each mention by name, tax id or number becomes one card.

A mention joins a card or makes one, and never changes what an organization's own rows say of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from chassis.database import UnitOfWork
from chassis.errors import FieldInvalid
from contacts.cards import OrganizationCard
from contacts.claiming import find_holders
from contacts.customer_fields.fields import NO_RULES
from contacts.deciding import REFUSED
from contacts.drafts import Batch, Draft, Origin, name_organization
from contacts.errors import invalid
from contacts.fields import EXTERNAL_ID, read_text, words_of
from contacts.joining import identities, join_drafts
from contacts.known_elsewhere import require_no_hidden


class Mention(NamedTuple):
    """What a row says of an organization, as written; all empty where it says nothing."""

    name: str = ""
    tax_id: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class NoCard:
    """That a mention leads to no card: a word for machines and a sentence."""

    reason: str
    message: str


def find_organizations(
    work: UnitOfWork, mentions: Iterable[Mention], batch: Batch, run_id: str = "", only_seen: bool = False
) -> dict[Mention, OrganizationCard | NoCard]:
    """The card of each mention, made where there is none; equal identities are one card.

    Errors: KnownElsewhere, with `only_seen`, where the caller may not see the card.
    """
    batch = replace(batch, allow_duplicate=False, rules=NO_RULES)  # which are of the cards that mention it
    found: dict[Mention, OrganizationCard | NoCard] = {}
    drafts: dict[Mention, Draft] = {}
    for mention in dict.fromkeys(mentions):
        try:
            drafts[mention] = _draft(mention, batch, run_id)
        except FieldInvalid as trouble:
            found[mention] = NoCard(*words_of(trouble))
    found |= _drop_unknown_numbers(work, drafts)
    # Spellings of one organization are drafted once: the first one stands for all with the same identities.
    first: dict[tuple[str, ...], Draft] = {}
    for draft in drafts.values():
        first.setdefault(_identity(draft), draft)
    joined = dict(zip(first, join_drafts(work, list(first.values()), batch), strict=True))
    for one in joined.values() if only_seen else ():
        require_no_hidden(work, one, batch.unit.id)
    for mention, draft in drafts.items():
        one = joined[_identity(draft)]
        if one.fate == REFUSED or not isinstance(one.card, OrganizationCard):
            found[mention] = NoCard(f"organization_{one.reason}", one.message)
        else:
            found[mention] = one.card
    return found


def _identity(draft: Draft) -> tuple[str, ...]:
    return tuple([digest for _, digest in draft.keys])


def _draft(mention: Mention, batch: Batch, run_id: str) -> Draft:
    card = name_organization(mention.name, mention.tax_id, batch)
    number = read_text("organization_external_id", mention.external_id, EXTERNAL_ID)
    draft = Draft(card, number, Origin(run_id), keys=identities(card, batch.source, number))
    if not draft.keys:
        raise invalid("organization_tax_id", f"{mention.tax_id!r} names no organization", "NOT_A_TAX_ID")
    return draft


def _drop_unknown_numbers(work: UnitOfWork, drafts: dict[Mention, Draft]) -> dict[Mention, NoCard]:
    """Take out the mentions without a name whose number or tax id nobody has: no card can be made of these."""
    nameless: Sequence[Mention] = [mention for mention, draft in drafts.items() if not draft.card.display_name]
    if not nameless:
        return {}
    holders = find_holders(work, [digest for mention in nameless for _, digest in drafts[mention].keys])
    unknown = [one for one in nameless if not any(digest in holders for _, digest in drafts[one].keys)]
    for mention in unknown:
        del drafts[mention]
    return {
        one: NoCard(
            "organization_not_found",
            f"No organization with number {one.external_id!r} or tax id {one.tax_id!r} is known; import it first.",
        )
        for one in unknown
    }
