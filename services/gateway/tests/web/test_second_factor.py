"""The settings page sets a second factor up and switches it off."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from services.gateway.tests.test_second_factor import code_of


def test_a_person_sets_an_app_up_and_switches_it_off(
    a_branch: Callable[..., Any], a_visitor: Callable[..., Any]
) -> None:
    person = a_visitor(a_branch())
    begun = person.post("/settings/second-factor").text
    found = re.search(r'id="factor-secret">([A-Z2-7]+)<', begun)
    assert found
    assert f'href="otpauth://totp/Branchline:{person.login}?secret={found[1]}' in begun
    refused = person.post("/settings/second-factor/confirm", {"code": "000000"}, source="form#factor-confirm")
    assert refused.status_code == 400
    codes = person.post("/settings/second-factor/confirm", {"code": code_of(found[1], -1)}).text
    [first, *others] = re.findall(r"<li><code>([0-9a-f]{16})</code>", codes)
    assert len(others) == 7
    assert person.post("/settings/second-factor").status_code != 200
    person.post("/settings/second-factor/end", {"code": first})
    assert person.post("/settings/second-factor").status_code == 200
