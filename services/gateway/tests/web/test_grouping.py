"""A list in groups says how many each has, and a group opens to exactly these."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from services.gateway.tests.web.records import a_new_branch, make_records

GROUP = re.compile(r'<details class="bl-group" hx-get="([^"]+)".*?<bdi>([^<]+)</bdi> <b>(\d+)</b>', re.DOTALL)


@pytest.mark.parametrize(
    ("path", "grouping"),
    [
        ("/customers?view=all", "owner"),
        ("/customers?view=unit", "unit"),
        ("/organizations?view=all", "owner"),
        ("/organizations?view=all", "unit"),
        ("/deals?view=table", "stage"),
        ("/deals?view=table", "owner"),
        ("/deals?view=table", "unit"),
    ],
)
def test_a_group_opens_to_as_many_rows_as_it_says(
    platform: Any, a_visitor: Callable[..., Any], path: str, grouping: str
) -> None:
    unit = a_new_branch(platform, "Groups")
    make_records(platform, unit, f"Grouped {unit['code']}")
    shared = {"unit_id": unit["id"]}
    platform.admin().post("/persons", {"display_name": f"Nobody's {unit['code']}", **shared})
    platform.admin().post("/organizations", {"display_name": f"Nobody's {unit['code']}", **shared})
    platform.admin().post("/deals", {"title": f"Nobody's {unit['code']}", **shared})
    head = a_visitor(unit, "head")
    groups = [(unescape(address), words, int(count)) for address, words, count in GROUP.findall(
        head.get(f"{path}&group={grouping}").text
    )]  # fmt: skip
    assert sum(count for _, _, count in groups) == 2
    assert ("Nobody is responsible" in [words for _, words, _ in groups]) == (grouping == "owner")
    for address, _words, count in groups:
        page = head.part(address).text
        assert page.count("<tr data-row") == count, address
        assert 'id="list"' in page


def test_a_list_in_groups_without_records_says_so(platform: Any, a_visitor: Callable[..., Any]) -> None:
    head = a_visitor(a_new_branch(platform, "Empty"), "head")
    for path in ("/customers?view=all", "/organizations?view=all", "/deals?view=table"):
        answer = head.get(f"{path}&group=owner")
        assert (answer.status_code, "bl-empty" in answer.text) == (200, True)
