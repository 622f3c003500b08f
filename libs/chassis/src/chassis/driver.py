"""The driver's connection as services use it: statements kept ready at the server, and trips to it saved.

psycopg's cursors take several times as long for a small statement as libpq and the server together. What runs with
every call goes to libpq directly, and what needs no answer of its own (the begin of a transaction, an insert) waits
for the next statement that does, to go with it in one trip. Everything else is psycopg's, waiting statements first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import psycopg
from psycopg import abc, generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus, Format
from psycopg.pq import TransactionStatus as Now
from psycopg.pq.abc import PGresult
from psycopg.rows import RowMaker

MOST_READY = 100  # statements kept ready a connection; each is a plan in the server's memory
GOOD = frozenset({ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.EMPTY_QUERY})


class Sent(NamedTuple):
    """A statement with its values as they go to the server; `name` where it is kept ready there.

    `look` is given how many rows it touched, if it asks; what it raises comes out where the statement went.
    """

    statement: bytes
    name: bytes | None = None
    values: Sequence[Any] = ()
    types: Sequence[int] = ()
    formats: Sequence[Format] = ()
    look: Callable[[int], None] | None = None


_BEGIN, _COMMIT = Sent(b"BEGIN"), Sent(b"COMMIT")


class Driver(psycopg.Connection[Any]):
    """A connection in autocommit, in which a transaction begins by `begin` and ends by `commit` or `rollback`.

    Errors: those of psycopg; of a statement that waited, with the one that it went with or with the commit.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._ready: OrderedDict[tuple[bytes, tuple[int, ...]], bytes] = OrderedDict()
        self._names = 0
        self._waiting: list[Sent] = []
        self._wall: Sent | None = None

    @cached_property
    def _values(self) -> abc.Transformer:
        """Writes and reads values; one for all statements, since it looks up each type once."""
        made: abc.Transformer = Transformer(self)
        return made

    @property
    def is_resting(self) -> bool:
        """Tell whether no transaction is open and nothing waits."""
        return not self._waiting and self.pgconn.transaction_status == Now.IDLE

    def begin(self) -> None:
        """Begin a transaction with the next statement."""
        self._waiting.append(_BEGIN)

    def raise_wall(self, statement: bytes, values: Sequence[Any]) -> None:
        """Send this statement ahead of every other one, in one trip and one transaction with it, until `lower_wall`.

        What psycopg sends by itself, a cursor's statement, goes in a transaction that stays open.
        """
        self._wall = self._make_sent(statement, values, ready=True)

    def lower_wall(self) -> None:
        """Send statements as they are again."""
        self._wall = None

    def run(self, statement: bytes, values: Sequence[Any], ready: bool, walled: bool = True) -> PGresult:
        """Run a statement with `$1` for its first value; `ready` keeps it planned at the server for the next time.

        One that is not `walled` goes without the wall; a transaction that a cursor left open behind it has only read.
        """
        sent = self._make_sent(statement, values, ready)
        if self._wall is not None and walled and self.is_resting:
            self._waiting.append(self._wall)
        elif self._wall is not None and not walled and not self.is_resting:
            self.commit()
        if self._waiting:
            return self._send_all(sent)
        if sent.name is None:
            return _good(self.pgconn.exec_params(statement, sent.values, sent.types, sent.formats), self)
        return _good(self.pgconn.exec_prepared(sent.name, sent.values, sent.formats), self)

    def run_later(self, statement: bytes, values: Sequence[Any], look: Callable[[int], None] | None = None) -> None:
        """Run a statement with the next one or with the commit; `look` is told then how many rows it touched."""
        sent = self._make_sent(statement, values, ready=True)
        self._waiting.append(sent if look is None else sent._replace(look=look))

    def send_waiting(self) -> None:
        """Send now what waits."""
        if self._waiting:
            self._send_all()

    def load_rows(self, result: PGresult, make_row: RowMaker[Any]) -> list[Any]:
        """The rows of a result."""
        reading = self._values
        reading.set_pgresult(result)
        try:
            return reading.load_rows(0, result.ntuples, make_row)
        finally:
            reading.set_pgresult(None)

    def wait(self, *given: Any, **named: Any) -> Any:
        """Do what psycopg has to do here, after all that waits: every statement of a cursor comes this way."""
        if self._wall is not None and self.is_resting:
            self._waiting += [_BEGIN, self._wall]
        if self._waiting:
            self._send_all()
        return super().wait(*given, **named)

    def commit(self) -> None:
        """End the transaction; one in which nothing was done has not begun."""
        if self._waiting == [_BEGIN]:
            self._waiting.clear()
        if self._waiting:
            self._send_all(_COMMIT)
        elif self.pgconn.transaction_status != Now.IDLE:
            _good(self.pgconn.exec_(_COMMIT.statement), self)

    def rollback(self) -> None:
        """Undo the transaction, and forget what waits."""
        self._waiting.clear()
        self.lower_wall()
        super().rollback()

    def _deallocate(self, name: bytes | None) -> abc.PQGen[None]:
        """Forget what is ready when psycopg has the server forget all statements, as it does after a rollback."""
        if name is None:
            self._ready.clear()
        return super()._deallocate(name)

    def _make_sent(self, statement: bytes, values: Sequence[Any], ready: bool) -> Sent:
        if not self.autocommit and self.is_resting:  # as psycopg does before the first statement of such a connection
            self.begin()
        writing = self._values
        texts = writing.dump_sequence(values, [PyFormat.AUTO] * len(values)) if values else ()
        types, formats = (writing.types or (), writing.formats or ()) if values else ((), ())
        name = self._name_of(statement, types) if ready else None
        return Sent(statement, name, texts, types, formats)

    def _name_of(self, statement: bytes, types: tuple[int, ...]) -> bytes:
        """The name of a statement at the server, where it is made ready unless it is; the one unused longest goes."""
        key = (statement, types)
        name = self._ready.get(key)
        if name is not None:
            self._ready.move_to_end(key)
            return name
        self._names += 1
        name = b"ready%d" % self._names
        _good(self.pgconn.prepare(name, statement, types), self)
        self._ready[key] = name
        if len(self._ready) > MOST_READY:
            _good(self.pgconn.exec_(b"DEALLOCATE " + self._ready.popitem(last=False)[1]), self)
        return name

    def _send_all(self, *last: Sent) -> PGresult:
        """Send what waits and what comes last in one trip, and answer the last one's result."""
        sent, self._waiting = [*self._waiting, *last], []
        self.pgconn.enter_pipeline_mode()
        try:
            for one in sent:
                if one.name is None:
                    self.pgconn.send_query_params(one.statement, one.values, one.types, one.formats)
                else:
                    self.pgconn.send_query_prepared(one.name, one.values, one.formats)
            self.pgconn.pipeline_sync()
            results: list[PGresult] = self.wait(self._receive())
        finally:
            if not self.closed:
                self.pgconn.exit_pipeline_mode()
        for one, result in zip(sent, results, strict=False):  # a lost connection answers fewer
            _good(result, self)
            if one.look is not None:
                one.look(result.command_tuples or 0)
        return results[-1]

    def _receive(self) -> abc.PQGen[list[PGresult]]:
        """Each statement's result, then the end of the pipeline. A result is followed by None.

        Waited for by psycopg, not in libpq's `get_result`: that keeps the interpreter's lock, and a statement that
        waits for another thread's transaction would wait for ever.
        """
        yield from generators.send(self.pgconn)
        results: list[PGresult] = []
        while True:
            found = yield from generators.fetch(self.pgconn)
            if found is not None and found.status == ExecStatus.PIPELINE_SYNC:
                return results
            if found is not None:
                results.append(found)


def _good(result: PGresult, driver: Driver) -> PGresult:
    """The result itself. Errors: the one that it is; OperationalError where the connection was lost on the way."""
    if result.status in GOOD:
        return result
    if driver.closed and not result.error_field(DiagnosticField.SQLSTATE):
        raise psycopg.OperationalError(result.get_error_message())
    raise error_from_result(result)
