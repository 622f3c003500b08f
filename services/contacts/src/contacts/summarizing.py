"""What everybody did in a time: interactions counted by author and kind, with the newest of each author."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from contacts.errors import invalid
from contacts.fields import read_moment
from contacts.interactions import NUMBERS, interaction_message
from contacts.tables import interaction
from crm.contacts.v1 import contacts_pb2 as pb
from units.records import INTERACTION
from units.visibility import get_unit, unit_ids_below, visible

AUTHORS = 500
NEWEST = 20
LONGEST = timedelta(days=400)  # a year and the days around it


def summarize_interactions(
    work: UnitOfWork, request: pb.SummarizeInteractionsRequest
) -> pb.SummarizeInteractionsResponse:
    """The authors, the busiest first. Errors: FieldInvalid, UnitNotKnown."""
    where = _wanted(work, request)
    c = interaction.c
    counted = sa.select(
        c.author_id, c.kind, sa.func.count().label("count"), sa.func.max(c.author_name).label("name")
    ).where(*where).group_by(c.author_id, c.kind)  # fmt: skip
    found: dict[str, list[Any]] = defaultdict(list)
    for row in work.execute(counted):
        found[row.author_id].append(row)
    busiest = sorted(found.items(), key=lambda one: (-sum(row.count for row in one[1]), one[0]))[:AUTHORS]
    newest = _newest(work, where, min(request.newest_count, NEWEST))
    return pb.SummarizeInteractionsResponse(
        authors=[_summary(author_id, rows, newest[author_id]) for author_id, rows in busiest]
    )


def _wanted(work: UnitOfWork, request: pb.SummarizeInteractionsRequest) -> list[sa.ColumnElement[bool]]:
    """Errors: FieldInvalid, UnitNotKnown."""
    start = read_moment("occur_from_time", request.occur_from_time)
    end = read_moment("occur_before_time", request.occur_before_time)
    if not start < end <= start + LONGEST:
        raise invalid("occur_before_time", "is not within 400 days behind occur_from_time", "OUT_OF_RANGE")
    c = interaction.c
    where = [visible(work.access, INTERACTION, c.unit_id, c.author_id), c.occur_time >= start, c.occur_time < end]
    if request.unit_id:
        where.append(c.unit_id.in_(unit_ids_below(get_unit(work, request.unit_id).path)))
    return where


def _newest(work: UnitOfWork, where: Sequence[sa.ColumnElement[bool]], count: int) -> dict[str, list[pb.Interaction]]:
    found: dict[str, list[pb.Interaction]] = defaultdict(list)
    if count > 0:
        c = interaction.c
        order = (c.occur_time.desc(), c.id.desc())
        place = sa.func.row_number().over(partition_by=c.author_id, order_by=order).label("place")
        ranked = sa.select(interaction, place).where(*where).subquery()
        shown = sa.select(ranked).where(ranked.c.place <= count).order_by(ranked.c.author_id, ranked.c.place)
        for row in work.execute(shown).mappings():
            found[row["author_id"]].append(interaction_message(row))
    return found


def _summary(author_id: str, rows: Sequence[Any], newest: list[pb.Interaction]) -> pb.AuthorSummary:
    counts = sorted((NUMBERS[row.kind], row.count) for row in rows)
    return pb.AuthorSummary(
        author_id=author_id,
        author_name=max(row.name for row in rows),
        counts=[pb.KindCount(kind=kind, count=count) for kind, count in counts],
        newest=newest,
    )
