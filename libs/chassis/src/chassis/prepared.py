"""Statements that run with every call: put into words once, given to the driver as they are.

SQLAlchemy takes three times as long for a statement as the driver and the server together; what it does in between
(look up the compiled text, wrap the cursor, describe the columns) is the same each time. Here it is done once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from psycopg.rows import RowMaker, namedtuple_row

_PLACE = re.compile(r"%%|%\((\w+)\)s")
Rows = list[Any]  # named tuples with the columns of the statement


class Prepared:
    """A statement of SQLAlchemy Core or text, compiled when first used; shared by all threads.

    Values go to the driver as they are: ids as text, JSON as text with a cast in the statement, a list where the
    statement says `= ANY`. Answers come as the driver reads them, ids as text. `IN` with a list is not possible.
    With `replan` the server plans it for the values of each call: where these decide which way is quick.
    """

    def __init__(self, statement: sa.ClauseElement, *, replan: bool = False) -> None:
        self._statement, self._prepare = statement, not replan
        self._compiled: tuple[str, dict[str, Any]] | None = None
        self._numbered: tuple[bytes, tuple[str, ...]] | None = None
        self._make_row: RowMaker[Any] | None = None

    def compile(self, dialect: sa.Dialect) -> tuple[str, dict[str, Any]]:
        """The SQL and the values that the statement itself holds. Errors: TypeError where it has an open `IN`."""
        if self._compiled is None:
            made = cast(Any, self._statement.compile(dialect=dialect))
            if made.post_compile_params:
                raise TypeError("a prepared statement cannot hold an IN with a list; use = ANY")
            processors = made._bind_processors
            own = {name: value for name, value in made.params.items() if value is not None}
            self._compiled = str(made), {name: processors.get(name, _same)(value) for name, value in own.items()}
        return self._compiled

    def run(self, connection: sa.Connection, parameters: Mapping[str, Any]) -> tuple[Rows, int]:
        """The rows, none where the statement answers none, and how many were touched. Errors: DBAPIError."""
        text, own = self.compile(connection.dialect)
        sent, names = self._number(text)
        given = {**own, **parameters} if own else parameters
        try:
            cursor = psycopg.RawCursor(driver_of(connection), row_factory=self._rows)
            cursor.execute(sent, [given[name] for name in names], prepare=self._prepare)
            # Not `description`: it makes an object a column, a quarter of the time that a card of thirty takes.
            answers = cursor.pgresult is not None and cursor.pgresult.nfields > 0
            return cursor.fetchall() if answers else [], cursor.rowcount
        except psycopg.Error as trouble:
            raise wrap_trouble(connection, text, trouble) from trouble

    def _number(self, text: str) -> tuple[bytes, tuple[str, ...]]:
        """The statement as the server reads it, and the names of its values by their numbers.

        The driver would look for the names in each long statement anew, which takes longer than the statement.
        """
        if self._numbered is None:
            names = tuple(dict.fromkeys(filter(None, _PLACE.findall(text))))
            numbers = {name: f"${number}" for number, name in enumerate(names, 1)}
            numbered = _PLACE.sub(lambda found: numbers[found[1]] if found[1] else "%", text)
            self._numbered = numbered.encode(), names
        return self._numbered

    def _rows(self, cursor: Any) -> RowMaker[Any]:
        """How a row is made: the columns of a statement are always the same."""
        if self._make_row is None:
            made = namedtuple_row(cursor)
            if cursor.pgresult is None or not cursor.pgresult.nfields:
                return made
            self._make_row = made
        return self._make_row


def driver_of(connection: sa.Connection) -> psycopg.Connection[Any]:
    """The driver's connection under one of SQLAlchemy."""
    return cast(psycopg.Connection[Any], connection.connection.dbapi_connection)


def wrap_trouble(connection: sa.Connection, statement: str, trouble: psycopg.Error) -> Exception:
    """The driver's error as SQLAlchemy would have raised it; a connection that was lost leaves the pool."""
    dialect = connection.dialect
    lost = dialect.is_disconnect(cast(Any, trouble), cast(Any, driver_of(connection)), None)
    if lost:
        connection.invalidate(trouble)
    made: Exception = sa.exc.DBAPIError.instance(
        statement, None, cast(Any, trouble), psycopg.Error, hide_parameters=True, connection_invalidated=lost,
        dialect=dialect,
    )  # fmt: skip
    return made


def _same(value: Any) -> Any:
    return value
