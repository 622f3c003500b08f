"""The audit page shows those who may audit who did what, in words, and hides itself from others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chassis.access import Access
from chassis.audit.alarms import LEAST
from chassis.audit.entries import entry_of, write_entries
from chassis.ids import new_id
from chassis.testing.eventually import eventually
from services.gateway.tests.test_audit import keep_trails


def test_a_head_sees_who_changed_what_in_words(
    platform: Any, admin: Any, a_branch: Callable[..., Any], a_visitor: Callable[..., Any]
) -> None:
    branch = a_branch()
    person = admin.post("/persons", {"display_name": "<b>Nora</b>", "unit_id": branch["id"]})["person"]
    head = a_visitor(branch, "head", "Heda Head")
    head.get(f"/customers/{person['id']}")
    keep_trails(platform)

    eventually(lambda: "<td>opened" in head.get("/audit").text)
    page = head.get("/audit").text
    assert "Heda Head" in page
    assert "&lt;b&gt;Nora" in page
    assert 'href="/audit"' in head.get("/today").text
    narrowed = head.get(f"/audit?action=change&record={person['id']}&day=1999-01-01").text
    assert "Nothing was done that fits" in narrowed


def test_an_alarm_about_mass_reading_is_a_button_on_every_page_of_the_head(
    platform: Any, a_branch: Callable[..., Any], a_visitor: Callable[..., Any]
) -> None:
    branch = a_branch()
    head, seller = a_visitor(branch, "head"), a_visitor(branch)
    assert 'hx-get="/audit/alarms"' in head.get("/today").text
    assert "/audit/alarms" not in seller.get("/today").text
    assert "alarm" not in head.part("/audit/alarms").text
    reader = Access(new_id(), unit_path=branch["path"])
    with platform.databases["contacts"].transaction(reader) as work:
        entry = entry_of(reader, work.now, "list", "contacts/ListPersons", "person")
        ids = [new_id() for _ in range(LEAST + 1)]
        write_entries(work, [entry._replace(record_ids=ids, record_count=len(ids))])
    keep_trails(platform)
    assert "1 alarm" in head.part("/audit/alarms").text
    assert seller.part("/audit/alarms").status_code == 403


def test_who_may_not_audit_sees_no_such_place(a_branch: Callable[..., Any], a_visitor: Callable[..., Any]) -> None:
    seller = a_visitor(a_branch())
    assert seller.get("/audit").status_code == 403
    assert 'href="/audit"' not in seller.get("/today").text
