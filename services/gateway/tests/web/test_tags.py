"""Tags in the workplace and by REST: on the card, in the lists, proposed to who may see them, taken along as a file."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest

from gateway.web.tags import written_tags

from ..test_exports import ask, rows_of, take
from .conftest import Browser


def a_card(admin: Any, unit: dict[str, Any], path: str, name: str, *tags: str) -> str:
    """The address of a new card."""
    made = admin.post(path, {"display_name": name, "unit_id": unit["id"], "tags": tags})
    record = made["person" if path == "/persons" else "organization"]
    return f"/{'customers' if path == '/persons' else 'organizations'}/{record['id']}"


def proposed(visitor: Browser, typed: str, kind: str = "") -> list[str]:
    """What stands among the choices."""
    page = visitor.part(f"/tags?tag={quote(typed)}&kind={kind}").text
    return [unescape(one.partition('"')[0]) for one in page.split('value="')[1:]]


@pytest.mark.parametrize("path", ["/persons", "/organizations"])
def test_a_card_is_given_tags_and_one_is_taken_away(
    admin: Any, a_branch: Callable[..., Any], a_visitor: Callable[..., Browser], path: str
) -> None:
    unit = a_branch()
    card, visitor = a_card(admin, unit, path, "Tagged Berg"), a_visitor(unit)
    assert 'name="tag"' in visitor.part(f"{card}/tags/new").text
    shown = visitor.post(f"{card}/tags", {"tag": " Key account, <b>bold</b> ,key account"})
    assert shown.status_code == 200, shown.text
    assert (shown.text.count("badge"), "&lt;b&gt;bold&lt;/b&gt;" in shown.text) == (2, True)
    visitor.post(f"{card}/tags", {"remove": "<b>bold</b>"})
    again = visitor.part(f"{card}/tags/shown").text
    assert "Key account" in again
    assert "bold" not in again
    assert visitor.post(f"{card}/tags", {"tag": " , "}).status_code == 400
    assert visitor.post(f"{card}/tags", {"tag": "x" * 51}).status_code == 400


@pytest.mark.parametrize(("path", "listed"), [("/persons", "/customers"), ("/organizations", "/organizations")])
def test_lists_are_narrowed_to_tags_and_show_them_on_request(
    admin: Any, a_branch: Any, a_visitor: Any, path: str, listed: str
) -> None:
    unit = a_branch()
    a_card(admin, unit, path, "Anna Both", "Fair", "Late payer")
    a_card(admin, unit, path, "Boris One", "Fair")
    a_card(admin, a_branch(), path, "Clara Elsewhere", "Fair", "Late payer")
    visitor = a_visitor(unit, "steward")
    page = visitor.get(f"{listed}?view=all&tag=fair,late+payer").text
    assert ("Anna Both" in page, "Boris One" in page, "Clara Elsewhere" in page) == (True, False, False)
    assert "tagged “late payer”" in page
    assert '<th scope="col">Tags' not in page
    assert visitor.get(f"{listed}/count?view=all&tag=fair").text.strip().startswith("2 ")
    with_column = visitor.get(f"{listed}?view=all&tag=fair&cols=tags").text
    assert '<th scope="col">Tags' in with_column
    assert with_column.count("Late payer") == 1
    assert 'name="filter.tags" value="fair"' in with_column  # an export of the page takes the same ones


def test_tags_are_proposed_from_what_the_viewer_may_see(admin: Any, a_branch: Any, a_visitor: Any) -> None:
    unit, other = a_branch(), a_branch()
    a_card(admin, unit, "/persons", "Anna Seen", "Zebra club", "Zebra gold")
    a_card(admin, other, "/organizations", "Unseen Firm", "Zebra secret")
    visitor = a_visitor(unit)
    assert proposed(visitor, "zeb") == ["Zebra club", "Zebra gold"]
    assert proposed(visitor, "Zebra club, GOLD") == ["Zebra club, Zebra gold"]
    assert proposed(visitor, "zebra", "organization") == []
    assert proposed(a_visitor(other), "zebra") == ["Zebra secret"]
    assert admin.get("/customer_tags", query="zebra")["tags"] == ["Zebra club", "Zebra gold", "Zebra secret"]


def test_nobody_reads_or_changes_tags_of_another_branch(admin: Any, a_branch: Any, a_visitor: Any) -> None:
    card = a_card(admin, a_branch(), "/persons", "Anna Foreign", "Private club")
    stranger = a_visitor(a_branch())
    for answer in (
        stranger.part(f"{card}/tags/shown"),
        stranger.part(f"{card}/tags/new"),
        stranger.post(f"{card}/tags", {"tag": "mine"}),
        stranger.post(f"{card}/tags", {"remove": "Private club"}),
    ):
        assert answer.status_code == 404
        assert "Private" not in answer.text


def test_rest_reads_writes_and_narrows_by_tags(admin: Any, a_branch: Any) -> None:
    unit = a_branch()
    card = a_card(admin, unit, "/persons", "Anna Rest", "Rest club")
    person = admin.get(f"/persons/{card.rpartition('/')[2]}")
    assert person["tags"] == ["Rest club"]
    body, read = {"tags": ["REST CLUB", "Rest second"]}, {"If-Match": person["etag"]}
    changed = admin.ask("PATCH", f"/persons/{person['id']}", json=body, headers=read).json()
    assert changed["tags"] == ["Rest club", "Rest second"]
    found = admin.get("/persons", unit=unit["id"], tag=["rest second", "rest club"])["persons"]
    assert [one["id"] for one in found] == [person["id"]]
    assert admin.get("/customers/count", unit=unit["id"], tag="rest second")["persons"] == 1


def test_an_export_is_narrowed_to_tags_and_has_them(platform: Any, admin: Any, a_branch: Any, a_user: Any) -> None:
    unit = a_branch()
    a_card(admin, unit, "/organizations", "Exported Firm", "Export club", "Export gold")
    a_card(admin, unit, "/organizations", "Left Firm", "Export club")
    steward = a_user(unit, "steward")
    made = ask(steward, unit, "organizations", columns=["name", "tags"], format="csv", filters={"tags": "export gold"})
    platform.run_jobs()
    assert rows_of(take(steward, made)) == [{"name": "Exported Firm", "tags": "Export club; Export gold"}]


def test_what_an_address_names_is_read_kindly() -> None:
    assert written_tags(" a  b ,, a b,c") == ("a b", "c")
    assert written_tags("x" * 51) == ()
    assert len(written_tags(",".join(map(str, range(20))))) == 10
