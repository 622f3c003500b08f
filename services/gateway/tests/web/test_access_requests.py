"""A seller enters a customer of another branch: the hint, the request, the answer, and the card they then share."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4


def test_a_customer_of_another_branch_is_asked_for_and_shared(
    platform: Any, admin: Any, a_branch: Any, a_visitor: Any
) -> None:
    name, theirs, mine = f"Viktor {uuid4().hex[:8]}", a_branch(name="Moscow Works"), a_branch(name="Tula Works")
    owner, asker = a_visitor(theirs, role="head", name="Olga Head"), a_visitor(mine, role="head", name="Pavel Asks")
    entered = {"display_name": name, "email": f"{uuid4().hex[:8]}@vega.example"}
    assert owner.post("/quick/person", entered, "form#quick-person").status_code == 204

    hint = asker.post("/quick/person", entered, "form#quick-person")
    assert hint.status_code == 409
    assert "Moscow Works has this customer already." in hint.text
    assert "Ask for access" in hint.text
    assert "/customers/" not in hint.text
    refused = asker.post("/quick/person/ask", entered, "form#quick-person")
    assert (refused.status_code, "say what you need the customer for" in refused.text) == (400, True)
    assert asker.post("/quick/person/ask", {**entered, "reason": "Stairs in Tula"}).status_code == 204
    waiting = asker.get("/access-requests").text
    assert "not for you to see yet" in waiting
    assert name not in waiting

    assert 'class="bl-bell-count">1<' in owner.part("/notifications/bell").text
    assert "Pavel Asks" in owner.part("/notifications").text
    assert "bl-bell-count" not in asker.part("/notifications/bell").text

    asked = owner.get("/access-requests").text
    assert [one for one in (name, "Pavel Asks", "Tula Works", "Stairs in Tula") if one not in asked] == []
    [form] = re.findall(r'hx-post="(/access-requests/[^"]+)"', asked)
    [request_id] = re.findall(r'name="request_id" value="([^"]+)"', asked)
    said = {"request_id": request_id, "decision": "approve", "answer": "Good luck"}
    assert asker.post(form, said).status_code == 404
    assert owner.post(form, said).status_code == 204
    assert "bl-bell-count" not in owner.part("/notifications/bell").text
    told = asker.part("/notifications").text
    assert [one for one in ("Your request for access: approved", "Olga Head", "Good luck") if one not in told] == []
    [card] = re.findall(r'href="(/customers/[0-9a-f-]{36})"', asker.get("/access-requests").text)
    assert name in asker.get(card).text
