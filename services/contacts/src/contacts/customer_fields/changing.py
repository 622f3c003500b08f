"""What a change of a card's attributes makes of the values of a company's own fields."""

from __future__ import annotations

from chassis.database import UnitOfWork
from contacts.cards import AnyCard
from contacts.customer_fields.knowing import rules_for


def change_attributes(work: UnitOfWork, record_type: str, before: AnyCard, card: AnyCard) -> None:
    """Read the new values by the rules; what the card had before stays good, though a rule came after it.

    Errors: FieldInvalid.
    """
    rules = rules_for(work, record_type, card.unit_path)
    if not rules:
        return
    where = f"{record_type}.attributes"
    kept = {name: text for name, text in card.attributes.items() if before.attributes.get(name) == text}
    said = {name: text for name, text in card.attributes.items() if name not in kept}
    card.attributes = {**kept, **rules.read(where, said)}
    rules.require_still_filled(where, before.attributes, card.attributes)
