"""Which cards a list keeps for a text: all that a search for it could mean, however many there are.

A search ranks a few hundred candidates and stops where it has enough; a list, and the count at its foot, take them all.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

from chassis.database import UnitOfWork
from contacts import words
from contacts.searching import read_query, written_questions


def found_by(work: UnitOfWork, table: sa.Table, text: str) -> sa.ColumnElement[bool]:
    """Predicate: cards with a name, a telephone or an e-mail like the text. Errors: FieldInvalid."""
    query = read_query(text)
    questions = [question for _, question in written_questions(work, query)]
    if "@" not in query:
        questions += words.name_questions(query)[-1:]  # the last is the widest: every word by its beginning
    if not questions:
        return sa.false()
    tsquery = sa.cast(sa.literal(" | ".join(f"({one})" for one in questions), sa.Text), TSQUERY)
    found: sa.ColumnElement[bool] = table.c.search.bool_op("@@")(tsquery)
    return found
