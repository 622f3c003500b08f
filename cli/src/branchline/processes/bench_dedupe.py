"""Finds duplicates in a table with Branchline's own scorer, on a database of its own; for `branchline bench dedupe`.

python -m branchline.processes.bench_dedupe FOLDER TABLE PAIRS: reads a CSV table whose columns are named as a card's
fields, and writes the pairs of each group, `certain` beside those that may be merged without asking. Prints one JSON
object: the seconds from stored cards to groups, and the processor's seconds of this process among them.
"""

from __future__ import annotations

import csv
import gc
import json
import sys
import time
from datetime import UTC, date, datetime
from itertools import combinations
from pathlib import Path

from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.ids import new_id
from chassis.migrate import migrate
from contacts.alike.blocking import count_parts
from contacts.alike.grouping import group_cards
from contacts.alike.scoring import Scorer
from contacts.alike.whole_base import find_in_part, learn_base
from contacts.cards import EMAIL, PHONE, Address, AnyCard, Channel, OrganizationCard, PersonCard
from contacts.settings import MIGRATIONS, SERVICE
from contacts.storing import insert_cards

Row = dict[str, str]
UNIT = "0198c0de-0000-7000-8000-000000000000"
STATEMENT_MS = 120_000
STORED_AT_ONCE = 5_000  # cards a transaction, which must not be idle for long


def main(folder: str, table: str, target: str) -> None:
    """Store the table's cards, find, write the pairs, say how long it took."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # as every process of a service has it
    server = EmbeddedPostgres(Path(folder), end_with_parent=True)
    server.start()
    try:
        name = f"contacts_{Path(table).stem}"
        server.create_database(name)
        migrate(server.url(name), MIGRATIONS)
        database = Database(server.url(name), SERVICE, statement_timeout_ms=STATEMENT_MS)
        with open(table, encoding="utf-8", newline="") as file:
            _find(database, list(csv.DictReader(file)), Path(target))
        database.close()
    finally:
        server.stop(immediate=True)


def _find(database: Database, rows: list[Row], target: Path) -> None:
    cards = [_card_of(row) for row in rows]
    for start in range(0, len(cards), STORED_AT_ONCE):
        with database.transaction() as work:
            insert_cards(work, cards[start : start + STORED_AT_ONCE])
    numbers = {card.id: row["number"] for card, row in zip(cards, rows, strict=True)}
    begun, used = time.perf_counter(), time.process_time()
    groups, certain = _resolve(database, "person" if isinstance(cards[0], PersonCard) else "organization")
    told = {"seconds": time.perf_counter() - begun, "processor_seconds": time.process_time() - used}
    pairs = {tuple(sorted(pair)) for group in groups for pair in combinations(group, 2)}
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            (*sorted((numbers[one], numbers[other])), "certain" if (one, other) in certain else "")
            for one, other in sorted(pairs | certain)
        )
    print(json.dumps(told))


def _resolve(database: Database, record_type: str) -> tuple[list[frozenset[str]], set[tuple[str, str]]]:
    """The groups of cards, and the pairs that may be merged without asking."""
    scorer = Scorer(learn_base(database, record_type))
    parts = count_parts(scorer.model.cards)
    each = (one for part in range(parts) for one in find_in_part(database, scorer, part, parts).found)
    found = {(one.first_id, one.second_id): one for one in each}
    bits = {pair: one.score.bits for pair, one in found.items()}
    return group_cards(bits), {pair for pair, one in found.items() if one.certain}


def _card_of(row: Row) -> AnyCard:
    now = datetime.now(UTC)
    emails = [Channel(EMAIL, row["email"], row["email"])] if row.get("email") else []
    # A number without a known area is kept as written, as an import keeps it.
    phones = [Channel(PHONE, "", row["phone"], problem="area_code_unknown")] if row.get("phone") else []
    address = Address(*(row.get(name, "") for name in ("street", "city", "region", "postal_code", "country")))
    fact = {"fact": row["fact"]} if row.get("fact") else {}
    shared = {
        "id": new_id(), "unit_id": UNIT, "unit_ids": [UNIT], "create_time": now, "update_time": now,
        "channels": emails + phones, "address": address, "attributes": fact,
    }  # fmt: skip
    if "name" in row:
        return OrganizationCard(display_name=row["name"] or "-", **shared)  # type: ignore[arg-type]
    names = [row.get(part, "") for part in ("given_name", "middle_name", "family_name")]
    # An import names a person without a name by the mailbox.
    shown = " ".join(filter(None, names)) or row.get("email", "").partition("@")[0] or "-"
    born = date.fromisoformat(row["birth_date"]) if row.get("birth_date") else None
    return PersonCard(
        display_name=shown, given_name=names[0], middle_name=names[1], family_name=names[2], birth_date=born,
        **shared,  # type: ignore[arg-type]
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
