"""An administrator reorganizes: sees what would follow, does it, finds it in the list, and the tree as it was."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from services.gateway.tests.web.records import a_new_branch, make_user

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def follow(page: Any, unit_id: str, **fields: Any) -> Any:
    """Ask for the preview of a form; answers its page."""
    seen = page.post(f"/admin/units/{unit_id}/reorganize/preview", fields, "form#reorganize")
    assert seen.status_code == 200, seen.text
    return seen


def test_a_branch_is_merged_after_a_look_at_what_follows(platform: Any, an_administrator: Any) -> None:
    old, new = a_new_branch(platform, "Little Office"), a_new_branch(platform, "Great Office")
    seller = make_user(platform.admin(), old, "Rosa Merged")
    form = an_administrator.get(f"/admin/units/{old['id']}/reorganize?kind=merge").text
    assert f'<option value="{new["id"]}"' in form
    seen = follow(an_administrator, old["id"], kind="merge", into_unit_id=new["id"], note="One office")
    assert f"{new['path']}.{old['code']}" in seen.text
    assert platform.admin().get(f"/units/{old['id']}")["path"] == old["path"]
    done = an_administrator.post(f"/admin/units/{old['id']}/reorganize", dict(HIDDEN.findall(seen.text)))
    assert (done.status_code, done.headers["HX-Redirect"]) == (204, "/admin/reorganizations")
    assert "One office" in an_administrator.get("/admin/reorganizations").text
    assert "now part of Great Office" in an_administrator.get("/admin/units").text
    positions = platform.admin().get(f"/users/{seller['user']}")["positions"]
    assert [one["unit_id"] for one in positions] == [old["id"], new["id"]]


def test_a_planned_split_is_taken_back_by_page_and_rest(platform: Any, an_administrator: Any) -> None:
    unit = a_new_branch(platform, "Splitting Office")
    user = make_user(platform.admin(), unit, "Paul Planned")["user"]
    day = (datetime.now(UTC) + timedelta(days=7)).date().isoformat()
    values = {"kind": "split", "name": "Splitting West", "code": f"{unit['code']}w", "day": day, "user_ids": user}
    seen = follow(an_administrator, unit["id"], **values)
    assert "Plan it for" in seen.text
    an_administrator.post(f"/admin/units/{unit['id']}/reorganize", dict(HIDDEN.findall(seen.text)))
    [path] = re.findall(
        r'hx-post="(/admin/reorganizations/[^"]+)"', an_administrator.get("/admin/reorganizations").text
    )
    assert an_administrator.post(path).status_code == 204
    latest = platform.admin().get("/reorganizations")["reorganizations"][0]
    assert (latest["unit_id"], latest["state"], latest["user_ids"]) == (unit["id"], "cancelled", [user])


def test_rest_previews_without_a_change_and_shows_the_tree_of_a_day(platform: Any) -> None:
    rest = platform.admin()
    one, two = a_new_branch(platform, "First"), a_new_branch(platform, "Second")
    asked = {"kind": "move", "unit_id": one["id"], "into_unit_id": two["id"]}
    assert rest.post("/reorganizations", {**asked, "dry_run": True})["preview"]["path_before"] == one["path"]
    rest.post("/reorganizations", asked)
    assert rest.get(f"/units/{one['id']}")["path"] == f"{two['path']}.{one['code']}"
    before = (datetime.now(UTC) - timedelta(days=3)).date().isoformat()
    assert one["path"] not in {each["path"] for each in rest.get(f"/units?as_of={before}&page_size=1000")["units"]}


def test_a_seat_is_made_and_held(platform: Any, an_administrator: Any) -> None:
    unit = a_new_branch(platform, "Seated")
    made = {"title": "Key accounts", "unit_id": unit["id"], "role_code": "seller"}
    assert an_administrator.post("/admin/seats", made, "form#new-seat").status_code == 204
    [seat] = platform.admin().get(f"/seats?unit={unit['id']}")["seats"]
    user = make_user(platform.admin(), unit, "Sita Seated")["user"]
    fields = {"seat_id": seat["id"], "title": "", "unit_id": unit["id"], "role_code": "seller"}
    assert an_administrator.post(f"/admin/people/{user}/positions", fields, "form#add-position").status_code == 204
    assert "Sita Seated" in an_administrator.get(f"/admin/seats?unit={unit['id']}").text
