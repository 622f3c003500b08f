"""The page on which a unit is frozen and let go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def test_a_head_freezes_the_branch_and_a_file_is_refused_in_words(
    platform: Any, a_branch: Callable[..., Any], a_visitor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("units.freezing.READ_AGAIN", 0.0)
    branch = a_branch()
    head, seller = a_visitor(branch, "head"), a_visitor(branch, "branch_head")
    assert seller.get("/reports/customers/file").status_code == 200
    head.post("/audit/freezing", {"unit_id": branch["id"], "reason": "<i>leaving</i>"})
    platform.spread_units()
    assert "&lt;i&gt;leaving" in head.get("/audit/freezing").text
    refused = seller.get("/reports/customers/file")
    assert refused.status_code == 403
    assert "Stopped for now in" in refused.text
    assert seller.get("/reports/customers").status_code == 200
    head.post("/audit/freezing/end", {"unit_id": branch["id"]})
    assert "Nothing is frozen" in head.get("/audit/freezing").text


def test_who_may_not_audit_sees_no_freezing(a_branch: Callable[..., Any], a_visitor: Callable[..., Any]) -> None:
    assert a_visitor(a_branch()).get("/audit/freezing").status_code == 403
