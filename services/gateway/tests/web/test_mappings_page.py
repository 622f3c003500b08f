"""The page of saved mappings: the newest version of each, or all of one, with its columns and who saved it."""

from __future__ import annotations

import html
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
    choices = [{"field": "owner", "text": "Petya", "meaning": "none"}]
    same = {"name": name, "kind": "persons", "options": {}, "choices": choices, "user_id": admin.get("/users/me")["id"]}
    mapping = [{"column": "Kto", "field": "display_name"}, {"column": "Zametka", "field": ""}]
    with platform.databases["imports"].transaction() as work:
        for version in (1, 2):
            moment = datetime(2024, 5, version, tzinfo=UTC)
            values = {"version": version, "mapping": mapping[:version], "create_time": moment}
            work.execute(sa.insert(template).values(**same, **values))
    return name


def test_the_newest_version_is_shown_with_its_columns(an_administrator: Any, admin: Any, saved: str) -> None:
    page = an_administrator.get("/admin/mappings?kind=persons").text
    [shown] = rows_of(page, saved)
    expected = (
        admin.get("/users/me")["display_name"],
        "Kto",
        "Zametka",
        "left out",
        " 2 ",
        "Petya",
        "1 name explained",
    )
    assert [one for one in expected if one not in shown] == []
    assert saved not in an_administrator.get("/admin/mappings?kind=deals").text


def test_the_number_of_a_version_leads_to_all_of_them(an_administrator: Any, saved: str) -> None:
    listed = an_administrator.get("/admin/mappings?kind=persons").text
    [address] = [one for one in re.findall(r'href="(/admin/mappings\?[^"]*)"', listed) if saved.split()[-1] in one]
    versions = rows_of(an_administrator.get(html.unescape(address)).text, saved)
    assert [re.findall(r" ([12]) ", one)[0] for one in versions] == ["2", "1"]
    assert ["Zametka" in one for one in versions] == [True, False]


def test_a_mapping_nobody_saved_has_no_versions(an_administrator: Any) -> None:
    page = an_administrator.get("/admin/mappings?kind=persons&name=Nobody-saved-this")
    assert (page.status_code, "No mapping is saved" in page.text) == (200, True)


def rows_of(page: str, name: str) -> list[str]:
    """The words of each row that names the mapping."""
    found = [one for one in re.findall(r"<tr data-row>.*?</tr>", page, re.DOTALL) if name in one]
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", one)) for one in found]


def test_mappings_are_for_administrators(a_branch: Any, a_visitor: Any) -> None:
    assert a_visitor(a_branch()).get("/admin/mappings").status_code == 403
