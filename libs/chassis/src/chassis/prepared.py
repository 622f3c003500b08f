"""Statements that run with every call: put into words once, given to the driver as they are.

SQLAlchemy takes three times as long for a statement as the driver and the server together; what it does in between
(look up the compiled text, wrap the cursor, describe the columns) is the same each time. Here it is done once.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import psycopg
import sqlalchemy as sa
from psycopg.pq.abc import PGresult
from psycopg.rows import RowMaker

from chassis.driver import Driver

_PLACE = re.compile(r"%%|%\((\w+)\)s")
A = TypeVar("A")
Rows = list[Any]  # named tuples with the columns of the statement


class Prepared:
    """A statement of SQLAlchemy Core or text, compiled when first used; shared by all threads.

    Values go to the driver as they are: ids as text, JSON as text with a cast in the statement, a list where the
    statement says `= ANY`. Answers come as the driver reads them, ids as text. `IN` with a list is not possible.
    With `replan` the server plans it for the values of each call: where these decide which way is quick. With `finds`
    it goes without the wall (chassis.wall), whose conditions would cost it its index: it counts, or what it finds is
    confirmed behind the wall before it is told.
    """

    def __init__(self, statement: sa.ClauseElement, *, replan: bool = False, finds: bool = False) -> None:
        self._statement, self._prepare, self._walled = statement, not replan, not finds
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
        driver = driver_of(connection)
        sent, values = self._fill(connection, parameters)

        def run() -> tuple[Rows, int]:
            result = driver.run(sent, values, self._prepare, self._walled)
            rows = driver.load_rows(result, self._row_of(result)) if result.nfields else []
            return rows, result.command_tuples or 0

        return self._tell(connection, run)

    def run_later(
        self, connection: sa.Connection, parameters: Mapping[str, Any], look: Callable[[int], None] | None = None
    ) -> None:
        """Run with the connection's next statement, or with its commit. Errors: there, those of `look` too."""
        sent, values = self._fill(connection, parameters)
        self._tell(connection, lambda: driver_of(connection).run_later(sent, values, look))

    def _fill(self, connection: sa.Connection, parameters: Mapping[str, Any]) -> tuple[bytes, list[Any]]:
        text, own = self.compile(connection.dialect)
        sent, names = self._number(text)
        given = {**own, **parameters} if own else parameters
        return sent, [given[name] for name in names]

    def _tell(self, connection: sa.Connection, act: Callable[[], A]) -> A:
        try:
            return act()
        except psycopg.Error as trouble:
            raise wrap_trouble(connection, self.compile(connection.dialect)[0], trouble) from trouble

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

    def _row_of(self, result: PGresult) -> RowMaker[Any]:
        """How a row is made: the columns of a statement are always the same."""
        if self._make_row is None:
            names = [(result.fname(at) or b"").decode() for at in range(result.nfields)]
            self._make_row = cast(Any, namedtuple("Row", names, rename=True))._make  # noqa: PYI024 - known when it runs
        return self._make_row


def driver_of(connection: sa.Connection) -> Driver:
    """The driver's connection under one of SQLAlchemy."""
    return cast(Driver, connection.connection.dbapi_connection)


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
