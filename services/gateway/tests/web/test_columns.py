"""Everybody chooses the columns of a list and their order; what is chosen stays and nobody else sees it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from services.gateway.tests.web.records import a_new_branch, make_records

HEADING = re.compile(r"<th scope=\"col\"[^>]*>(?:<input[^>]*>)?(?:<a[^>]*>)?\s*([^<]+?)\s*(?:<span|</a>|</th>)")


def headings(page: str) -> list[str]:
    """The words above the columns."""
    return HEADING.findall(page)


@pytest.mark.parametrize(
    ("path", "name", "chosen", "shown"),
    [
        ("/customers?view=all", "customers", ["next", "phone"], ["Name", "Next step", "Phone"]),
        ("/organizations?view=all", "organizations", ["owner", "town"], ["Name", "Owner", "Town"]),
        ("/deals?view=table", "deals", ["owner", "amount", "stage"], ["Deal", "Owner", "Amount", "Stage"]),
        ("/deals?view=table", "deals", ["stage"], ["Deal", "Stage"]),
    ],
)
def test_columns_are_shown_as_they_were_chosen(
    platform: Any, a_visitor: Callable[..., Any], path: str, name: str, chosen: list[str], shown: list[str]
) -> None:
    unit = a_new_branch(platform, "Columns")
    make_records(platform, unit, "Column Record")
    visitor, colleague = a_visitor(unit, "head"), a_visitor(unit, "head")
    whole = headings(visitor.get(path).text)
    answer = visitor.post(f"/lists/{name}/columns", {"column": [*chosen, chosen[0], "no column"]})
    assert (answer.status_code, answer.headers["hx-refresh"]) == (204, "true")
    page = visitor.get(path).text
    assert headings(page) == shown
    assert "Column Record" in page
    assert headings(colleague.get(path).text) == whole
    visitor.post(f"/lists/{name}/columns", {"change": "usual"})
    assert headings(visitor.get(path).text) == whole


def test_the_sums_of_deals_stay_in_sight_without_their_column(platform: Any, a_visitor: Callable[..., Any]) -> None:
    unit = a_new_branch(platform, "Sums")
    make_records(platform, unit, "Summed")
    visitor = a_visitor(unit, "head")
    total = re.compile(r'data-total="EUR">([^<]+)<')
    path = f"/deals?view=table&unit={unit['id']}"
    assert total.findall(visitor.get(path).text) == ["€20"]
    visitor.post("/lists/deals/columns", {"column": ["stage"]})
    assert total.findall(visitor.get(path).text) == ["€20"]


def test_a_list_that_is_none_has_no_columns(a_visitor: Callable[..., Any], a_branch: Any) -> None:
    assert a_visitor(a_branch()).post("/lists/secrets/columns", {"column": ["name"]}).status_code == 404
