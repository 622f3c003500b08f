"""What becomes of each draft of a call, decided in memory on the cards that hold some of its identities."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field

from contacts import keys
from contacts.cards import EMAIL, PHONE, AnyCard, Contribution
from contacts.drafts import Batch, Draft
from contacts.rules import NAMES_ANOTHER, find_veto, take_over

CREATED, UPDATED, UNCHANGED, MERGED, REFUSED = "created", "updated", "unchanged", "merged", "refused"
SHARED = {
    keys.TAX: "tax id",
    keys.NAME_BIRTH: "name and day of birth",
    keys.NAME_EMAIL: "name and e-mail",
    keys.NAME_PHONE: "name and phone",
    keys.NAME_ORG: "name and organization",
    keys.BARE: "name",
    keys.NAME: "name",
    EMAIL: "e-mail",
    PHONE: "phone",
}


@dataclass(slots=True)
class Joined:
    """What became of a draft. `pairs` are cards that may be the same customer, with what they share.

    `is_news`: the row said something its source had not said before, to be kept.
    """

    fate: str
    card: AnyCard | None = None
    reason: str = ""
    message: str = ""
    changed: list[str] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    is_news: bool = False


def decide_known(draft: Draft, holders: Mapping[str, str], cards: Mapping[str, AnyCard], batch: Batch) -> Joined | None:
    """The answer for a draft that says nothing new; None when it may say something.

    Either its source said exactly this in an earlier run, or it is a mention (no fingerprint) that its card covers.
    """
    card = cards.get(holders.get(draft.keys[0][1], ""))
    if card is None:
        return None
    if draft.fingerprint:
        said = Contribution(batch.source, draft.external_id, "", draft.fingerprint)
        earlier = any(
            one._replace(run_id="") == said and one.run_id != draft.origin.run_id for one in card.contributions
        )
        return Joined(UNCHANGED, card) if earlier else None
    if any(holders.get(digest) != card.id for _, digest in draft.keys):
        return None
    if find_veto(draft.keys[0][0], draft.external_id, batch.source, draft.card, card):
        return None
    return None if take_over(copy(card), draft.card, overwrite=False).changed else Joined(MERGED, card)


class Base:
    """The part of the customer base a call is about, as it grows draft by draft.

    `holders` says which card holds an identity, None for one that is free; `cards` are those that hold a strong one.
    """

    def __init__(self, batch: Batch, holders: dict[str, str | None], cards: dict[str, AnyCard]) -> None:
        self.batch = batch
        self.holders = holders
        self.cards = cards
        self.new: dict[str, AnyCard] = {}
        self.changes: dict[str, tuple[AnyCard, list[str]]] = {}
        self.befores: dict[str, AnyCard] = {}  # the changed cards as they were
        self.superseded: list[tuple[str, str]] = []  # card and number whose older words no longer hold
        self._numbered: set[str] = set()  # cards a row of this call spoke of by its number

    def join(self, draft: Draft) -> Joined:
        """Decide one draft."""
        pairs: dict[str, str] = {}
        for kind, card in self._candidates(draft):
            veto = self._veto(kind, draft, card)
            if kind == keys.EXT and veto:
                return _refuse(draft, card, veto)
            if not veto and not self.batch.allow_duplicate:
                return self._add(draft, card, pairs)
            pairs.setdefault(card.id, SHARED[kind])
        return self._make(draft, pairs)

    def _candidates(self, draft: Draft) -> list[tuple[str, AnyCard]]:
        """The cards that hold an identity of the draft, each by the strongest one it holds, strongest first."""
        found: dict[str, tuple[str, AnyCard]] = {}
        holders = self.holders
        for kind, digest in draft.keys:
            holder = holders[digest]
            if holder is not None and kind not in keys.HINTS:
                found.setdefault(holder, (kind, self.cards[holder]))
        return list(found.values())

    def _veto(self, kind: str, draft: Draft, card: AnyCard) -> str:
        """Two names under one number within a call are two customers, not one who was renamed in between."""
        veto = find_veto(kind, draft.external_id, self.batch.source, draft.card, card)
        renamed = kind == keys.EXT and bool(draft.fingerprint) and card.name_key != draft.card.name_key
        return veto or (NAMES_ANOTHER if renamed and card.id in self._numbered else "")

    def _make(self, draft: Draft, pairs: dict[str, str]) -> Joined:
        card = draft.card
        rules = self.batch.rules
        if rules:
            card.attributes, lacking = rules.complete(card.attributes)
            if lacking and draft.fingerprint:
                labels = ", ".join(one.label for one in lacking)
                return Joined(REFUSED, reason="field_missing", message=f"A new card needs {labels}; fill it in.")
        card.run_id = draft.origin.run_id
        self.cards[card.id] = self.new[card.id] = card
        self._hold(draft, card, pairs)
        self._remember(draft, card)
        return Joined(
            CREATED, card, message=" ".join(draft.notes), pairs=list(pairs.items()), is_news=bool(draft.fingerprint)
        )

    def _add(self, draft: Draft, card: AnyCard, pairs: dict[str, str]) -> Joined:
        said = [
            one
            for one in card.contributions
            if draft.fingerprint and (one.source, one.external_id) == (self.batch.source, draft.external_id)
        ]
        earlier = [one for one in said if one.run_id != draft.origin.run_id]
        self._remember_number(draft, card)
        if any(one.fingerprint == draft.fingerprint for one in said):
            self._hold(draft, card, {})
            return Joined(UNCHANGED if earlier else MERGED, card)
        self._hold(draft, card, pairs)
        before = copy(card)
        taking = take_over(card, draft.card, overwrite=bool(earlier) and len(earlier) == len(said))
        if taking.changed:
            self._note_change(draft, card, taking.changed, before)
        if taking.changed and taking.overwrite:
            self.superseded.append((card.id, draft.external_id))
            card.contributions = [one for one in card.contributions if one not in said]
        self._remember(draft, card)
        return Joined(
            fate=MERGED if not earlier else UPDATED if taking.changed else UNCHANGED,
            card=card,
            reason="value_kept" if taking.kept else "",
            message=" ".join([*draft.notes, *_tell_kept(taking.kept)]),
            changed=taking.changed,
            pairs=list(pairs.items()),
            is_news=bool(draft.fingerprint),
        )

    def _note_change(self, draft: Draft, card: AnyCard, changed: list[str], before: AnyCard) -> None:
        card.run_id = draft.origin.run_id
        if card.id not in self.new:
            self.befores.setdefault(card.id, before)
            earlier = self.changes.get(card.id, (card, []))[1]
            self.changes[card.id] = card, list(dict.fromkeys([*earlier, *changed]))

    def _remember(self, draft: Draft, card: AnyCard) -> None:
        self._remember_number(draft, card)
        if draft.fingerprint:
            said = Contribution(self.batch.source, draft.external_id, draft.origin.run_id, draft.fingerprint)
            card.contributions = [*card.contributions, said]

    def _remember_number(self, draft: Draft, card: AnyCard) -> None:
        if draft.external_id:
            self._numbered.add(card.id)

    def _hold(self, draft: Draft, card: AnyCard, pairs: dict[str, str]) -> None:
        """Give the card the identities nobody has; who has one already may be the same customer."""
        holders, card_id = self.holders, card.id
        for kind, digest in draft.keys:
            holder = holders[digest]
            if holder is None:
                holders[digest] = card_id
            elif holder != card_id and kind != keys.EXT:
                pairs.setdefault(holder, SHARED[kind])


def _tell_kept(kept: list[str]) -> list[str]:
    return [f"Kept as the card had it: {', '.join(kept)}."] if kept else []


def _refuse(draft: Draft, card: AnyCard, veto: str) -> Joined:
    what = {"tax_id_differs": "tax id", "birth_date_differs": "day of birth"}.get(veto, "name")
    return Joined(
        REFUSED,
        reason=veto,
        message=f"Number {draft.external_id!r} is that of {card.display_name!r}, whose {what} is another one.",
    )
