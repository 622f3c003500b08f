"""Names of colleagues stand on every page and change rarely: they are asked for once, and news of them comes soon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.services import Services
from gateway.web import names
from services.gateway.tests.web.records import a_new_branch, make_records


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The users that pages asked the directory for, a list a call."""
    calls: list[list[str]] = []
    call = Services.call

    def noting(services: Services, service: str, method: str, request: Any, timeout: float = 10.0) -> Any:
        if method == "BatchGetUsers":
            calls.append(sorted(request.user_ids))
        return call(services, service, method, request, timeout)

    monkeypatch.setattr(Services, "call", noting)
    return calls


def test_a_colleague_is_asked_for_once_and_anew_when_the_answer_is_old(
    platform: Any, a_visitor: Callable[..., Any], asked: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = a_new_branch(platform, "Names")
    made = make_records(platform, unit, "Olga Namesake")
    visitor = a_visitor(unit)
    assert "Olga Namesake" in visitor.get(f"/deals/{made['deal']}").text
    assert made["user"] in asked[0]
    asked.clear()
    assert "Olga Namesake" in visitor.get(f"/deals/{made['deal']}").text
    assert asked == []
    monkeypatch.setattr(names, "USER_SECONDS", 0.0)
    user = platform.admin().get(f"/users/{made['user']}")
    renamed = {"display_name": "Olga Newname"}
    platform.admin().patch(f"/users/{made['user']}", renamed, headers={"If-Match": f'"{user["etag"]}"'})
    assert "Olga Newname" in visitor.get(f"/deals/{made['deal']}").text


def test_what_one_viewer_was_told_is_not_told_to_another(
    platform: Any, a_visitor: Callable[..., Any], asked: list[list[str]]
) -> None:
    unit = a_new_branch(platform, "Viewers")
    made = make_records(platform, unit, "Pavel Seen")
    for visitor in (a_visitor(unit), a_visitor(unit)):
        asked.clear()
        visitor.get(f"/deals/{made['deal']}")
        assert made["user"] in asked[0]
