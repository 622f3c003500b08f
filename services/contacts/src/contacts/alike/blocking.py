"""Which cards are worth comparing: those that share a block. Keys are made and gathered in PostgreSQL, set by set.

A key is a digest of something two cards of one customer rarely both get wrong: an e-mail, the end of a telephone, two
words of the name as they sound, one word with the town or the year of birth. A block of too many cards says nothing of
them; it is left out, since each card has a dozen keys and the finer ones hold it still, and how many were is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import sqlalchemy as sa

from chassis.database import UnitOfWork
from contacts.tables import block

MOST_IN_BLOCK = 40  # cards; 780 pairs. Names as common as that need a second word or a date beside them
MOST_WORDS = 6  # of a name, the longest: an organization's has many
CARDS_A_PART = 100_000  # a base is gone through in parts of about so many cards' keys, each resumable by itself

# First letter and further consonants: typing errors are mostly vowels, doubled letters and endings.
_SOUND = r"left(left(w, 1) || regexp_replace(translate(substr(w, 2), 'aeiouyhw', ''), '(.)\1+', '\1', 'g'), 5)"
_WORDS = rf"""
SELECT id, array_agg(sound ORDER BY sound) AS sounds FROM (
  SELECT DISTINCT id, {_SOUND} AS sound FROM (
    SELECT id, substr(lexeme, 2) AS w, row_number() OVER (PARTITION BY id ORDER BY length(lexeme) DESC, lexeme) AS at
    FROM card, unnest(lexemes) AS lexeme WHERE lexeme ~ '^n[a-z0-9]{{2,}}$') AS words
  WHERE at <= {MOST_WORDS}) AS heard
GROUP BY id"""
_KEYS_OF = {
    "two words": "SELECT id, 'n' || a || '|' || b FROM word, unnest(sounds) AS a, unnest(sounds) AS b WHERE a < b",
    "word and place": "SELECT id, 'z' || a || '|' || place FROM word JOIN card USING (id), unnest(sounds) AS a"
    " WHERE place IS NOT NULL",
    "e-mail": "SELECT id, lexeme FROM card, unnest(lexemes) AS lexeme WHERE lexeme LIKE 'e%'",
    "mailbox": "SELECT id, 'l' || split_part(lexeme, '@', 1) FROM card, unnest(lexemes) AS lexeme"
    " WHERE lexeme LIKE 'e____%@%'",
    "telephone": "SELECT id, left(lexeme, 8) FROM card, unnest(lexemes) AS lexeme WHERE lexeme LIKE 's_______%'",
    "tax id": "SELECT id, 't' || tax_id FROM card WHERE tax_id <> ''",
    "street": "SELECT id, 's' || number || '|' || left(w, 4) FROM ("
    " SELECT id, substring(street FROM '[0-9]+') AS number, w FROM card,"
    " regexp_split_to_table(lower(street), '[\\W\\d_]+') AS w WHERE street <> '') AS street"
    " WHERE number IS NOT NULL AND length(w) >= 4",
    "further fact": "SELECT id, 'f' || name || '|' || lower(value) FROM card,"
    " jsonb_each_text(attributes) AS fact (name, value) WHERE name = ANY(:facts) AND value <> ''",
}
_KEYS_OF_PERSON = {
    "day of birth and initial": "SELECT id, 'b' || birth_date || left(a, 1) FROM word JOIN card USING (id),"
    " unnest(sounds) AS a WHERE birth_date IS NOT NULL",
    # Of a day one part may be wrong: the other two stand.
    "word and two parts of the day": "SELECT id, part || a FROM word JOIN card USING (id), unnest(sounds) AS a,"
    " unnest(ARRAY[to_char(birth_date, '\"ym\"YYYYMM'), to_char(birth_date, '\"yd\"YYYYDD'),"
    " to_char(birth_date, '\"md\"MMDD')]) AS part WHERE birth_date IS NOT NULL",
}


class Blocks(NamedTuple):
    """The blocks of a part of the base: numbers of cards, and how many blocks were too large to be looked at."""

    small: list[list[int]]
    left_out: int


def refresh_blocks(work: UnitOfWork, record_type: str, facts: Sequence[str], card_ids: Sequence[str] | None) -> None:
    """Make the keys of these cards anew, of all where None is given; `facts` are further facts that identify."""
    everything = card_ids is None
    if everything:
        work.execute(sa.delete(block).where(block.c.record_type == record_type))
    values = {"ids": list(card_ids or ()), "all_cards": everything, "facts": list(facts)}
    work.execute(_REFRESH[record_type], values)
    if everything:
        work.execute(sa.text("ANALYZE block"))  # else the server takes the new table for an empty one


def count_parts(cards: int) -> int:
    """In how many parts a base of so many cards is gone through."""
    return 1 + cards // CARDS_A_PART


def read_blocks(work: UnitOfWork, record_type: str, part: int, parts: int) -> Blocks:
    """The blocks of one of so many parts."""
    return _blocks_of(work.execute(_GATHER, {"record_type": record_type, "part": part, "parts": parts}))


def read_blocks_of(work: UnitOfWork, record_type: str, card_ids: Sequence[str]) -> Blocks:
    """The blocks these cards are in.

    All keys of the base are read for it, a second for 100,000 cards: an index of keys would cost each whole search
    more than that.
    """
    return _blocks_of(work.execute(_GATHER_OF, {"record_type": record_type, "ids": list(card_ids)}))


def pair_up(blocks: Iterable[Sequence[int]]) -> set[tuple[int, int]]:
    """Each pair of cards that share a block, once, the smaller number first."""
    pairs: set[tuple[int, int]] = set()
    for numbers in blocks:
        pairs.update(combinations(sorted(numbers), 2))
    return pairs


def _blocks_of(found: sa.CursorResult[Any]) -> Blocks:
    rows = found.all()
    return Blocks([row.cards for row in rows if row.cards], sum(row.cards is None for row in rows))


def _refresh_statement(record_type: str) -> sa.TextClause:
    kinds = _KEYS_OF | (_KEYS_OF_PERSON if record_type == "person" else {})
    birth = "birth_date" if record_type == "person" else "CAST(NULL AS date) AS birth_date"
    return sa.text(f"""
WITH card AS MATERIALIZED (
  SELECT id, {birth}, tax_id, street, attributes, tsvector_to_array(search) AS lexemes,
    COALESCE(NULLIF(postal_code, ''), NULLIF(lower(city), '')) AS place
  FROM {record_type} WHERE :all_cards OR id = ANY(CAST(:ids AS uuid[]))
), word AS MATERIALIZED ({_WORDS}), key (id, text) AS ({" UNION ALL ".join(kinds.values())})
INSERT INTO block (record_id, record_type, keys)
SELECT id, '{record_type}', array_agg(DISTINCT hashtextextended(text, 0)) FROM key GROUP BY id
ON CONFLICT (record_id) DO UPDATE SET keys = EXCLUDED.keys""")


_REFRESH = {one: _refresh_statement(one) for one in ("person", "organization")}
_GATHERED = f"""
SELECT CASE WHEN count(*) <= {MOST_IN_BLOCK} THEN array_agg(number) END AS cards
FROM block, unnest(keys) AS key WHERE record_type = :record_type AND """
_GROUPED = " GROUP BY key HAVING count(*) > 1"
_GATHER = sa.text(f"{_GATHERED} mod(abs(key), :parts) = :part {_GROUPED}")
_MINE = """
WITH mine AS MATERIALIZED (
  SELECT DISTINCT unnest(keys) AS key FROM block WHERE record_id = ANY(CAST(:ids AS uuid[])))"""
_GATHER_OF = sa.text(f"{_MINE} {_GATHERED} key IN (SELECT key FROM mine) {_GROUPED}")
