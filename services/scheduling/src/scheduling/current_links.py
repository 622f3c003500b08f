"""Which customers an activity names: of merged ones the survivor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from scheduling.records import Facts
from scheduling.tables import organization, person
from units.merges import find_survivors

GUESTS = "participant_person_ids"
FIELDS = ("person_id", "organization_id", GUESTS)
Led = Mapping[str, str]  # the customer that is named -> who is to be named


def lead_links(work: UnitOfWork, facts: Facts, known: Facts | None = None) -> Facts:
    """The facts with the survivors in the place of merged customers that are newly named."""
    before = set(_customers_of(known)) if known else set()
    new = [one for one in _customers_of(facts) if one not in before]
    if not new:
        return facts
    for table in (person, organization):
        # Shared: who moves the activities of a merged customer waits for this one.
        work.execute(sa.select(table.c.id).where(table.c.id.in_(new)).order_by(table.c.id).with_for_update(read=True))
    led = find_survivors(work, new)
    return name_current(facts, dict.fromkeys(FIELDS, led)) if led else facts


def name_current(facts: Facts, wanted: Mapping[str, Led]) -> Facts:
    """The facts with each customer of these fields that is led elsewhere replaced."""
    changed: dict[str, Any] = {}
    for field, led in wanted.items():
        value = getattr(facts, field)
        if field == GUESTS:
            changed[field] = tuple(dict.fromkeys(led.get(one, one) for one in value))
        else:
            changed[field] = led.get(value, value)
    return replace(facts, **changed)


def _customers_of(facts: Facts) -> list[str]:
    return [one for one in (facts.person_id, facts.organization_id, *facts.participant_person_ids) if one]
