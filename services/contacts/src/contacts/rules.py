"""When two descriptions are one customer, and what a card takes over from another source. Pure decisions."""

from __future__ import annotations

from contacts import keys
from contacts.cards import EMAIL, PHONE, Address, AnyCard, Card, OrganizationCard, PersonCard
from values.names import fold_name

TAX_DIFFERS, BIRTH_DIFFERS = "tax_id_differs", "birth_date_differs"
ORDER_DIFFERS, NUMBER_DIFFERS, CONTACTS_DIFFER = "name_order_differs", "external_id_differs", "contacts_differ"
NAMES_ANOTHER = "external_id_names_another"


def find_veto(kind: str, external_id: str, source: str, row: AnyCard, card: AnyCard) -> str:
    """Why `row` is not the customer of `card` although they share a key of `kind`; empty when it is.

    The number of a source finds its own card also under a new name; then tax id, birth date and the names themselves
    must not speak against it.
    """
    if isinstance(row, PersonCard) and isinstance(card, PersonCard):
        return _veto_person(kind, external_id, source, row, card)
    if kind == keys.EXT and row.name_key == card.name_key:
        return ""
    if _tax_differs(row, card):
        return TAX_DIFFERS
    if kind == keys.EXT and row.display_name and not _share_word(row, card):
        return NAMES_ANOTHER
    return NUMBER_DIFFERS if kind in keys.WEAK and _number_differs(external_id, source, card) else ""


def _veto_person(kind: str, external_id: str, source: str, row: PersonCard, card: PersonCard) -> str:
    same_name = row.name_key == card.name_key
    if kind == keys.EXT and same_name:
        return ""
    if _tax_differs(row, card):
        return TAX_DIFFERS
    if row.birth_date and card.birth_date and row.birth_date != card.birth_date:
        return BIRTH_DIFFERS
    if kind == keys.EXT:
        return "" if _share_word(row, card) or _share_channel(row, card) else NAMES_ANOTHER
    if same_name and _is_swapped(row, card):
        return ORDER_DIFFERS
    if kind in keys.WEAK and _number_differs(external_id, source, card):
        return NUMBER_DIFFERS
    return CONTACTS_DIFFER if kind == keys.NAME_ORG and _contacts_differ(row, card) else ""


def _tax_differs(row: Card, card: Card) -> bool:
    return bool(row.tax_id and card.tax_id) and (row.tax_country, row.tax_id) != (card.tax_country, card.tax_id)


def _number_differs(external_id: str, source: str, card: Card) -> bool:
    numbers = {one.external_id for one in card.contributions if one.source == source and one.external_id}
    return bool(external_id and numbers) and external_id not in numbers


def _contacts_differ(row: Card, card: Card) -> bool:
    """Both have e-mails and phones and share none: a namesake in the same organization."""
    pairs = [(set(row.values_of(kind)), set(card.values_of(kind))) for kind in (EMAIL, PHONE)]
    return all(left and right and not left & right for left, right in pairs)


def _is_swapped(row: PersonCard, card: PersonCard) -> bool:
    """Given and family name stand the other way round, stated so by both: "Seth Reed" is not "Reed Seth"."""
    if not (row.given_name and row.family_name and card.given_name and card.family_name):
        return False
    ours, theirs = fold_name(row.given_name), fold_name(card.given_name)
    return ours != theirs and ours == fold_name(card.family_name) and theirs == fold_name(row.family_name)


def _share_word(row: AnyCard, card: AnyCard) -> bool:
    return not set(row.name_key.split()).isdisjoint(card.name_key.split())


def _share_channel(row: Card, card: Card) -> bool:
    return not {one.identity for one in row.channels}.isdisjoint(one.identity for one in card.channels)


class Taking:
    """What taking over a row did to a card: fields changed, and fields where the card's other value was kept."""

    def __init__(self, overwrite: bool) -> None:
        self.overwrite = overwrite
        self.changed: list[str] = []
        self.kept: list[str] = []

    def text(self, field: str, old: str, new: str) -> str:
        """The text in force: a first value, a better spelling, or, from the card's own source, another value."""
        if not new or new == old:
            return old
        if old and fold_name(old) == fold_name(new):
            if not (old.isupper() or old.islower()) or new.isupper() or new.islower():
                return old
        elif old and not self.overwrite:
            self.kept.append(field)
            return old
        self.changed.append(field)
        return new


def take_over(card: AnyCard, row: AnyCard, overwrite: bool) -> Taking:
    """Add to `card` what `row` knows more; single values that differ change only with `overwrite`. Nothing is lost.

    Collections of the card are replaced, never changed in place, so a shallow copy is enough to try.
    """
    taking = Taking(overwrite)
    _take_names(card, row, taking)
    card.tax_id, before = taking.text("tax_id", card.tax_id, row.tax_id), card.tax_id
    if card.tax_id != before:
        card.tax_country = row.tax_country
    card.owner_id = taking.text("owner_id", card.owner_id, row.owner_id)
    card.address = _take_address(card.address, row.address, taking)
    _take_attributes(card, row, taking)
    _take_channels(card, row, taking)
    _take_tags(card, row, taking)
    if row.unit_id not in card.unit_ids:
        card.unit_ids = [*card.unit_ids, row.unit_id]
        taking.changed.append("unit_ids")
    if isinstance(card, PersonCard) and isinstance(row, PersonCard):
        _take_person(card, row, taking)
    elif isinstance(card, OrganizationCard) and isinstance(row, OrganizationCard):
        card.industry = taking.text("industry", card.industry, row.industry)
        card.parent_id = taking.text("parent_id", card.parent_id, "" if row.parent_id == card.id else row.parent_id)
    return taking


def _take_names(card: AnyCard, row: AnyCard, taking: Taking) -> None:
    other_name = card.name_key != row.name_key
    if other_name and not taking.overwrite:
        if row.display_name:
            taking.kept.append("display_name")
        return
    if isinstance(card, OrganizationCard) or not isinstance(row, PersonCard):
        if other_name and row.display_name:
            card.display_name = row.display_name
            taking.changed.append("display_name")
        else:
            card.display_name = taking.text("display_name", card.display_name, row.display_name)
        return
    if other_name:
        card.given_name, card.middle_name, card.family_name = row.given_name, row.middle_name, row.family_name
        card.display_name = row.display_name
        taking.changed.append("display_name")
        return
    card.display_name = taking.text("display_name", card.display_name, row.display_name)
    for field in ("given_name", "middle_name", "family_name"):
        if not getattr(card, field):
            setattr(card, field, taking.text(field, "", getattr(row, field)))


def _take_address(old: Address, new: Address, taking: Taking) -> Address:
    """Complete an address by one that agrees with it; parts of two different addresses are never mixed."""
    if old == new or not any(new):
        return old
    if any(one and other and fold_name(one) != fold_name(other) for one, other in zip(old, new, strict=True)):
        (taking.changed if taking.overwrite else taking.kept).append("address")
        return new if taking.overwrite else old
    full = Address(*(one or other for one, other in zip(old, new, strict=True)))
    if full != old:
        taking.changed.append("address")
    return full


def _take_attributes(card: Card, row: Card, taking: Taking) -> None:
    taken = {
        name: taking.text(f"attributes.{name}", card.attributes.get(name, ""), text)
        for name, text in row.attributes.items()
    }
    if taken:
        card.attributes = {**card.attributes, **taken}


def _take_channels(card: Card, row: Card, taking: Taking) -> None:
    known = {one.identity for one in card.channels}
    added = [one for one in row.channels if one.identity not in known]
    if added:
        card.channels = [*card.channels, *added]
        taking.changed.append("channels")


def _take_tags(card: Card, row: Card, taking: Taking) -> None:
    added = [tag for tag in row.tags if tag not in card.tags]
    if added:
        card.tags = [*card.tags, *added]
        taking.changed.append("tags")


def _take_person(card: PersonCard, row: PersonCard, taking: Taking) -> None:
    if row.birth_date and row.birth_date != card.birth_date:
        if card.birth_date is None or taking.overwrite:
            card.birth_date = row.birth_date
            taking.changed.append("birth_date")
        else:
            taking.kept.append("birth_date")
    if row.individual_customer and not card.individual_customer:
        card.individual_customer = True
        taking.changed.append("individual_customer")
    for new in row.affiliations:
        at = next((i for i, one in enumerate(card.affiliations) if one.organization_id == new.organization_id), None)
        if at is None:
            card.affiliations = [*card.affiliations, new]
            taking.changed.append("affiliations")
            continue
        old = card.affiliations[at]
        role = taking.text("affiliations", old.role, new.role)
        if role != old.role:
            card.affiliations = [*card.affiliations[:at], old._replace(role=role), *card.affiliations[at + 1 :]]
