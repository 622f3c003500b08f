"""What is sent where a condition, an order or an id is expected: it stays a value, whatever it looks like."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.app import AREAS

from .conftest import Rest

HOSTILE = (
    "' OR 1=1 --",
    "1; DROP TABLE person; --", "%' UNION SELECT password_hash FROM \"user\" --", "\\'; SELECT pg_sleep(9); --",
    "' || (SELECT version()) || '", "$1", "{{7*7}}", "ʼ OR 1=1",
)  # fmt: skip
LISTS = [one for calls in AREAS.values() for one in calls if one.method == "GET" and one.query and "{" not in one.path]


@pytest.mark.parametrize("call", LISTS, ids=lambda call: call.rpc)
def test_no_value_of_a_parameter_reaches_a_statement(admin: Rest, call: Any) -> None:
    before = admin.get("/units", page_size=1)
    for parameter in call.query:
        name = parameter.partition("=")[0]
        for value in HOSTILE:
            answer = admin.ask("GET", call.path, params={name: value})
            assert answer.status_code in (200, 400, 403, 404, 409, 412), (name, value, answer.text)
            assert "syntax error" not in answer.text
    assert admin.get("/units", page_size=1) == before
