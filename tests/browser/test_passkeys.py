"""A role that asks for a passkey: made with a device on the first sign-in, used instead of a password from then on."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.browser.windows import Windows
from tests.browser.workplace import PASSWORD, Workplace

pytestmark = pytest.mark.timeout(300)
# A device of the browser itself that checks its user: what a telephone or a key in the hand does.
DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


def test_somebody_makes_a_passkey_and_signs_in_with_it_instead_of_the_password(
    page_of: Windows, workplace: Workplace
) -> None:
    mark = uuid4().hex[:6]
    rest = workplace.office.rest
    role = {"name": f"Guarded {mark}", "permissions": [{"action": "read", "scope": "subtree"}]}
    rest.call("PUT", f"/roles/guarded_{mark}", json=role)
    rest.call("POST", f"/roles/guarded_{mark}/sign_in", json={"factor": "passkey"})
    position = {"unit_id": workplace.units["tula"], "title": "Guard", "role_code": f"guarded_{mark}"}
    person = {"display_name": f"Gleb {mark}", "login": f"gleb-{mark}", "password": PASSWORD, "positions": [position]}
    rest.post("/users", person)

    window = page_of()
    page = window.page
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    here = f"http://localhost:{urlsplit(workplace.url).port}"  # a passkey is good for a name, not for a number

    def send_password() -> None:
        page.goto(f"{here}/sign-in")
        page.fill("input[name=login]", f"gleb-{mark}")
        page.fill("input[name=password]", PASSWORD)
        page.locator("form button[type=submit]").first.click()

    send_password()
    page.get_by_text("Your role asks for more than a password").wait_for()
    page.get_by_label("What you call the device").fill("Telephone")
    page.get_by_role("button", name="Make a passkey").click()
    page.locator("#passkeys").get_by_text("Telephone").wait_for()
    window.check_axe()
    window.picture("passkeys")

    page.context.clear_cookies()
    page.goto(f"{here}/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/today")

    page.context.clear_cookies()
    window.allow("POST /sign-in answered 401")
    send_password()
    page.get_by_text("People with your role sign in with a passkey.").wait_for()
    window.check_axe()
