"""The newest interaction of each of many customers, for lists: one walk of an index a customer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from contacts.errors import invalid
from contacts.interactions import interaction_message
from contacts.lists import MOST_AT_ONCE
from contacts.naming import read_names
from contacts.tables import interaction, organization, person
from crm.contacts.v1 import contacts_pb2 as pb
from units.known import IDS
from units.records import INTERACTION
from units.visibility import Sight, seen_in, sight_of


def batch_get_latest_interactions(
    work: UnitOfWork, request: pb.BatchGetLatestInteractionsRequest
) -> pb.BatchGetLatestInteractionsResponse:
    """The newest visible interaction of each visible customer. Errors: FieldInvalid."""
    asked = len(request.person_ids) + len(request.organization_ids)
    if asked > MOST_AT_ONCE:
        raise invalid(
            "person_ids", f"and organization_ids have {asked} ids; ask for at most {MOST_AT_ONCE}", "TOO_MANY"
        )
    return pb.BatchGetLatestInteractionsResponse(
        person_interactions=_newest(work, person, interaction.c.person_id, request.person_ids),
        organization_interactions=_newest(work, organization, interaction.c.organization_id, request.organization_ids),
    )


def _newest(
    work: UnitOfWork, table: sa.Table, column: sa.ColumnElement[Any], card_ids: Sequence[str]
) -> list[pb.Interaction]:
    if not card_ids:
        return []
    cards = read_names(work, table, card_ids)
    sight, values = sight_of(work.access, INTERACTION)
    rows = work.fetch(_newest_of(sight, column), {**values, "cards": list(cards)})
    return [interaction_message(row._asdict()) for row in rows]


@lru_cache(maxsize=32)
def _newest_of(sight: Sight, column: sa.ColumnElement[Any]) -> Prepared:
    card = sa.select(sa.func.unnest(sa.bindparam("cards", type_=IDS)).label("id")).subquery("card")
    one = (
        sa.select(interaction)
        .where(column == card.c.id, seen_in(sight, interaction.c.unit_id, interaction.c.author_id))
        .order_by(interaction.c.occur_time.desc(), interaction.c.id.desc())
        .limit(1)
        .lateral("newest")
    )
    return Prepared(sa.select(one).select_from(card.join(one, sa.true())))
