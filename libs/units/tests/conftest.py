"""A database with the copy of units and a table of records that belong to units and people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.testing.postgres import fresh_database
from units.tables import metadata

record = sa.Table(
    "record",
    metadata,
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("unit_id", UUID(as_uuid=False), nullable=False),
    sa.Column("owner_id", UUID(as_uuid=False)),
    sa.Column("unit_ids", ARRAY(UUID(as_uuid=False)), nullable=False, server_default="{}"),
)


def make_tables(url: str) -> None:
    """The tables as a service's migration makes them."""
    engine = sa.create_engine(url)
    metadata.create_all(engine)
    engine.dispose()


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A fresh database with `unit` and `record(n, unit_id, owner_id, unit_ids)`."""
    made = Database(fresh_database(postgres, "units", make_tables), "deals")
    yield made
    made.close()
