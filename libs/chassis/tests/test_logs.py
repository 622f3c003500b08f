"""A log entry is one line of JSON whatever it holds, and errors tell where and what, never whose."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from chassis import telemetry
from chassis.database import Database
from chassis.logs import JsonLine


def line_of(message: str, *args: Any, extra: dict[str, Any] | None = None, exc_info: Any = None) -> dict[str, Any]:
    """The entry as it would be written, parsed."""
    record = logging.getLogger("test").makeRecord("test", logging.INFO, "f.py", 1, message, args, exc_info, extra=extra)
    text = JsonLine("contacts-serve").format(record)
    assert text.isascii()
    assert not set(text) & set(map(chr, range(32)))
    found: dict[str, Any] = json.loads(text)
    return found


@given(st.text(), st.dictionaries(st.text(min_size=1).map("x_{}".format), st.text()))
def test_any_text_is_one_line_and_comes_back(text: str, extra: dict[str, str]) -> None:
    entry = line_of("%s", text, extra=extra)
    assert entry["message"] == text
    assert {key: entry[key] for key in extra} == extra


def test_line_breaks_and_terminal_codes_cannot_forge_an_entry() -> None:
    entry = line_of('a\r\n{"level":"error"}\x1b[2J\u2028\x85', extra={"reason": "b\nc"})
    assert (entry["level"], entry["reason"], entry["process"]) == ("info", "b\nc", "contacts-serve")


def test_extra_values_do_not_replace_what_the_entry_is() -> None:
    entry = line_of("x", extra={"level": "error", "time": "never", "logger": "other", "trace_id": "t", "job": object()})
    assert (entry["level"], entry["logger"], entry["trace_id"]) == ("info", "test", "t")
    assert entry["time"] != "never"
    assert "object" in entry["job"]


def test_an_entry_inside_a_trace_names_it() -> None:
    carrier = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    with telemetry.span("one", carrier):
        assert line_of("x")["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert "trace_id" not in line_of("x")


def test_an_error_tells_its_places_and_classes_and_no_message() -> None:
    value = "ada@example.org"
    try:
        try:
            raise KeyError(value)
        except KeyError as cause:
            raise ValueError(f"no {value}") from cause
    except ValueError:
        error = line_of("call failed", exc_info=sys.exc_info())["error"]
    assert value not in error
    assert error.index("builtins.KeyError") < error.index("builtins.ValueError")
    assert "test_logs.py" in error


def test_an_error_of_the_database_names_the_constraint_and_no_row(database: Database) -> None:
    canary = "canary@example.org"
    insert = sa.text("INSERT INTO thing (name) VALUES (:one), (:one)")
    with pytest.raises(sa.exc.IntegrityError) as refused, database.transaction() as work:
        work.execute(insert, {"one": canary})
    entry = line_of("statement failed", exc_info=(type(refused.value), refused.value, refused.value.__traceback__))
    assert canary not in json.dumps(entry)
    assert "sqlstate=23505 constraint_name=thing_pkey table_name=thing" in entry["error"]
