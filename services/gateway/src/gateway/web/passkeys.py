"""The own passkeys on the settings page: made with the device at hand, listed, removed."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import JSONResponse, Response

from crm.directory.v1 import directory_pb2 as pb
from gateway.web.mounting import Page
from gateway.web.visits import Visit


def begin_passkey(visit: Visit) -> Response:
    """What the browser asks its devices to make, as JSON."""
    url = visit.request.url
    begun = visit.call("directory", "BeginPasskey", pb.BeginPasskeyRequest(origin=f"{url.scheme}://{url.netloc}"))
    return JSONResponse({"options": json.loads(begun.options), "ticket": begun.ticket})


def confirm_passkey(visit: Visit) -> Response:
    """Keep what the device made."""
    asked = pb.ConfirmPasskeyRequest(
        ticket=visit.field("ticket"), credential=visit.field("credential"), name=visit.field("name")
    )
    visit.call("directory", "ConfirmPasskey", asked)
    visit.sessions.renew_soon()
    return visit.go("/settings")


def remove_passkey(visit: Visit) -> Response:
    """Remove one; nobody signs in with it any more."""
    visit.call("directory", "RemovePasskey", pb.RemovePasskeyRequest(passkey_id=visit.path["passkey"]))
    return visit.go("/settings")


def list_passkeys(visit: Visit) -> Any:
    """The own passkeys; none where the directory is away."""
    found = visit.gather(passkeys=("directory", "ListPasskeys", pb.ListPasskeysRequest()))["passkeys"]
    return found.passkeys if found else []


PAGES = (
    Page("POST", "/settings/passkeys/begin", begin_passkey),
    Page("POST", "/settings/passkeys", confirm_passkey),
    Page("POST", "/settings/passkeys/{passkey}/remove", remove_passkey),
)
