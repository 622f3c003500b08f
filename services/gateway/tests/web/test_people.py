"""A colleague is chosen from a list while there are few, and by typing the name where there are many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.gateway.tests.web.records import a_new_branch, make_records, make_user

BY_TYPING = "/quick/picks?kind=user"
PAGES = (
    "/quick/deal", "/quick/task", "/deals/choices?view=table&owner={user}", "/deals/{deal}/edit/owner_id",
    "/customers/{person}/facts/owner", "/activities/{activity}", "/calendar?who=user:{user}",
    "/reports/activities?person={user}",
)  # fmt: skip


@pytest.mark.parametrize("many", [False, True], ids=["few", "many"])
def test_every_form_offers_all_colleagues_in_a_list_or_by_typing(
    platform: Any, a_visitor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, many: bool
) -> None:
    monkeypatch.setattr("gateway.web.people.FEW", 1 if many else 200)
    unit = a_new_branch(platform, "Choices")
    made = make_records(platform, unit, "Olga Owner")
    head = a_visitor(unit, "head", name="Harald Head")
    for path in PAGES:
        page = head.part(path.format(**made)).text
        assert (BY_TYPING in page) is many, path
        assert ("<option" in page and "Harald Head</option>" in page) is not many or "calendar" in path, path
    shown = head.part(f"/deals/{made['deal']}/edit/owner_id").text
    assert f'value="{made["user"]}"' in shown
    assert "Olga Owner" in shown


def test_colleagues_are_found_by_the_beginnings_of_their_names(platform: Any, a_visitor: Callable[..., Any]) -> None:
    unit, other = a_new_branch(platform, "Pickers"), a_new_branch(platform, "Elsewhere")
    make_user(platform.admin(), unit, "Nadezhda Pickable")
    make_user(platform.admin(), other, "Nadezhda Farpickable")
    head = a_visitor(unit, "head")
    found = head.part("/quick/picks?kind=user&field=owner_id&typed=pick+nad").text
    assert 'data-name="Nadezhda Pickable"' in found
    assert "Pickers" in found
    assert "Farpickable" not in found
    assert "Nobody like this is known" in head.part("/quick/picks?kind=user&typed=zzz").text
    assert "Type the beginning of a name" in head.part("/quick/picks?kind=user&typed=").text
