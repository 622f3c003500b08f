"""Which cards a list keeps for a text: all that a search for it could mean, however many there are.

A search ranks a few hundred candidates and stops where it has enough; a list, and the count at its foot, take them all.
"""

from __future__ import annotations

from chassis.database import UnitOfWork
from contacts import words
from contacts.searching import read_query, written_questions

NOTHING = ""  # a tsquery that no card matches


def words_for(work: UnitOfWork, text: str) -> str:
    """The tsquery for cards with a name, a telephone or an e-mail like the text. Errors: FieldInvalid."""
    query = read_query(text)
    questions = [question for _, question in written_questions(work, query)]
    if "@" not in query:
        questions += words.name_questions(query)[-1:]  # the last is the widest: every word by its beginning
    return " | ".join(f"({one})" for one in questions) or NOTHING
