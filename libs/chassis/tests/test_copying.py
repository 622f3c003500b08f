"""What COPY is given: every value comes back as it was, whatever signs it holds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.copying import copy_text
from chassis.database import Database

TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
ID = "0192f0aa-0000-7000-8000-000000000001"


class Kind(StrEnum):
    """A text with a type of its own."""

    PHONE = "phone"


thing = sa.Table(
    "copied",
    sa.MetaData(),
    *(sa.Column(name, sa.Text) for name in ("a", "b")),
    sa.Column("texts", sa.ARRAY(sa.Text)),
    sa.Column("data", sa.LargeBinary),
)


def copy_and_read(database: Database, table: sa.Table, rows: list[tuple[Any, ...]]) -> list[Any]:
    with database.transaction() as work:
        table.create(work.connection, checkfirst=True)
        work.execute(sa.delete(table))
        work.copy_rows(table, table.c.keys(), rows)
        return [tuple(row) for row in work.execute(sa.select(table))]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, st.none() | TEXTS, st.lists(st.none() | TEXTS), st.binary()), max_size=5))
def test_any_text_array_and_bytes_come_back_as_they_were(database: Database, rows: list[tuple[Any, ...]]) -> None:
    assert sorted(map(repr, copy_and_read(database, thing, rows))) == sorted(map(repr, rows))


@pytest.mark.parametrize("text", ["\\N", "\\.", "a\tb\nc\rd\\", "NULL", "{}", '"', "", " ", "\x01", "é北京"])
def test_signs_of_copy_and_of_arrays_are_only_text(database: Database, text: str) -> None:
    row = (text, None, [text, "plain"], b"\x00\\")
    assert copy_and_read(database, thing, [row]) == [row]


def test_numbers_times_and_ids_come_back_as_values_of_their_columns(database: Database) -> None:
    moment = datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
    types: list[Any] = [
        sa.BigInteger, sa.Boolean, sa.Numeric(20, 6), sa.TIMESTAMP(timezone=True), sa.Date, sa.Text, sa.Text,
    ]  # fmt: skip
    table = sa.Table("typed", sa.MetaData(), *(sa.Column(f"c{at}", kind) for at, kind in enumerate(types)))
    row = (-5, True, Decimal("1.500000"), moment, date(2026, 2, 3), Kind.PHONE, UUID(ID))
    assert copy_and_read(database, table, [row]) == [(*row[:5], "phone", ID)]


@pytest.mark.parametrize("row", [("a\x00", None), (["\x00"],), ([None, "a\x00"],)])
def test_a_text_with_nul_is_refused_and_not_bent(row: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="NUL"):
        list(copy_text([row]))


def test_a_value_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(TypeError, match="dict"):
        list(copy_text([({"a": 1},)]))
