"""The page of saved mappings: the newest version of each, with its columns and who saved it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from imports.tables import template


@pytest.fixture
def saved(platform: Any, admin: Any) -> str:
    """A mapping of persons in two versions."""
    name = f"Tula {uuid4().hex[:8]}"
    same = {"name": name, "kind": "persons", "options": {}, "choices": [], "user_id": admin.get("/users/me")["id"]}
    mapping = [{"column": "Kto", "field": "display_name"}, {"column": "Zametka", "field": ""}]
    with platform.databases["imports"].transaction() as work:
        for version in (1, 2):
            moment = datetime(2024, 5, version, tzinfo=UTC)
            values = {"version": version, "mapping": mapping[:version], "create_time": moment}
            work.execute(sa.insert(template).values(**same, **values))
    return name


def test_the_newest_version_is_shown_with_its_columns(an_administrator: Any, admin: Any, saved: str) -> None:
    page = an_administrator.get("/admin/mappings?kind=persons").text
    [row] = [one for one in re.findall(r"<tr data-row>.*?</tr>", page, re.DOTALL) if saved in one]
    shown = re.sub(r"<[^>]+>", " ", row)
    expected = (admin.get("/users/me")["display_name"], "Kto", "Zametka", "left out", " 2 ")
    assert [one for one in expected if one not in shown] == []
    assert saved not in an_administrator.get("/admin/mappings?kind=deals").text


def test_mappings_are_for_administrators(a_branch: Any, a_visitor: Any) -> None:
    assert a_visitor(a_branch()).get("/admin/mappings").status_code == 403
