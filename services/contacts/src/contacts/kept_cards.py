"""Cards as they were, kept as JSON for the day a merge is undone."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from contacts.cards import Address, Affiliation, AnyCard, Channel, OrganizationCard, PersonCard


def tell_card(card: AnyCard) -> dict[str, Any]:
    """The card as plain values; what sources said of it is kept apart."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(card), default=_iso))
    del plain["contributions"]
    return plain


def read_card(record_type: str, kept: dict[str, Any]) -> AnyCard:
    """The card that `tell_card` told."""
    values = dict(kept)
    values["channels"] = [Channel(*one) for one in kept["channels"]]
    values["address"] = Address(*kept["address"])
    for name in ("create_time", "update_time"):
        values[name] = datetime.fromisoformat(kept[name]) if kept[name] else None
    if record_type != "person":
        return OrganizationCard(**values)
    values["birth_date"] = day_of(kept["birth_date"])
    values["affiliations"] = [
        Affiliation(one[0], one[1], one[2], one[3], day_of(one[4]), day_of(one[5])) for one in kept["affiliations"]
    ]
    return PersonCard(**values)


def _iso(value: date) -> str:
    return value.isoformat()


def day_of(text: str | None) -> date | None:
    """The day that was kept as text."""
    return date.fromisoformat(text) if text else None
