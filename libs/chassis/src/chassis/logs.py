"""Logs: one JSON line an entry, with the trace id, never with personal data."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from opentelemetry import trace

_DATABASE_FACTS = ("sqlstate", "constraint_name", "table_name", "column_name")
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLine(logging.Formatter):
    """Formats a record and its extra values as one line; line breaks and control signs are escaped by JSON."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self.process = process

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self.process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            entry["trace_id"] = f"{context.trace_id:032x}"
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        more = {key: value for key, value in vars(record).items() if key not in _PLAIN and key not in entry}
        return json.dumps(entry | more, default=str, ensure_ascii=True)

    def formatException(self, ei: Any) -> str:  # noqa: N802  (the name is logging's)
        """Where it happened and of what class it was, causes first.

        Messages of errors are left out: they quote values, and a database's the whole row. Of a database's error its
        state and the names of the constraint, table and column are told.
        """
        return "\n".join(_told(trouble) for trouble in reversed(list(_chain(ei[1]))))


def _chain(trouble: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while trouble is not None and id(trouble) not in seen:
        seen.add(id(trouble))
        yield trouble
        trouble = trouble.__cause__ or (None if trouble.__suppress_context__ else trouble.__context__)


def _told(trouble: BaseException) -> str:
    frames = "".join(traceback.format_tb(trouble.__traceback__))
    kind = f"{type(trouble).__module__}.{type(trouble).__qualname__}"
    named = {name: getattr(getattr(trouble, "diag", None), name, None) for name in _DATABASE_FACTS}
    facts = " ".join(f"{name}={value}" for name, value in named.items() if value)
    return f"{frames}{kind} {facts}".rstrip()


def start_logs(process: str, level: str = "INFO") -> None:
    """Send this process's logs to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLine(process))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Also of HTTP clients, which tell the whole address of each request, with a password that stands in it.
    for noisy in ("alembic", "amqp", "httpcore", "httpcore2", "httpx", "httpx2", "kombu", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
