"""`webhooks`: what is told to addresses outside, how far each has got, and stopping, resuming, telling again."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from branchline.exits import Exit
from branchline.screen import Screen, table

WebhookId = Annotated[str, typer.Argument(metavar="ID", help="The webhook.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    webhooks = typer.Typer(
        help="Tell events to addresses outside, and see what became of them.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    webhooks.command("list")(list_webhooks)
    webhooks.command("show")(show)
    webhooks.command("add")(add)
    for name in ("pause", "resume", "test", "secret"):
        webhooks.command(name, help=ACTS[name])(_act(name))
    webhooks.command("replay")(replay)
    webhooks.command("skip")(skip)
    webhooks.command("remove")(remove)
    app.add_typer(webhooks, name="webhooks")


ACTS = {
    "pause": "Tell nothing until it is resumed.",
    "resume": "Go on where it was stopped, and try parked events anew.",
    "test": "Send a test now and say what became of it.",
    "secret": "Give a new secret; the former one signs as well for a day.",
}


def list_webhooks(context: typer.Context) -> int:
    """List the webhooks you may see."""
    from branchline.rest import connect

    screen: Screen = context.obj
    with connect(screen.folder()) as rest:
        found = rest.get("/webhooks")["webhooks"]
    rows = [[one["id"], one["name"], one["state"], str(one["failures"]), one["address"]] for one in found]
    screen.show(found, lambda: table(["id", "name", "state", "failures", "address"], rows))
    return Exit.OK


def show(context: typer.Context, webhook_id: WebhookId) -> int:
    """Show where a webhook stands, what waits, and its last tries."""
    from branchline.rest import connect

    screen: Screen = context.obj
    with connect(screen.folder()) as rest:
        found = rest.get(f"/webhooks/{webhook_id}")
    screen.show(found, lambda: _tell(found))
    return Exit.OK


def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    address: Annotated[str, typer.Argument(help="Where events go.")],
    kind: Annotated[list[str] | None, typer.Option("--type", help="Full name of an event; several times.")] = None,
    unit: Annotated[str, typer.Option(help="Only of this unit and below: code, path or id.")] = "",
) -> int:
    """Have events told to an address from now on. The secret is shown this once."""
    from branchline.rest import connect

    screen: Screen = context.obj
    with connect(screen.folder()) as rest:
        body = {"name": name, "address": address, "types": kind or [], "unit_id": unit}
        made = rest.post("/webhooks", body)
    screen.show(made, lambda: f"{made['webhook']['id']}\n{made['secret']}")
    return Exit.OK


def replay(
    context: typer.Context,
    webhook_id: WebhookId,
    service: Annotated[str, typer.Argument(help="Whose events: contacts, deals …")],
    after: Annotated[int, typer.Argument(help="Those behind this position.")],
) -> int:
    """Tell the events of a service behind a position once more."""
    return _post(context, f"/webhooks/{webhook_id}/replay", {"service": service, "after_position": after})


def skip(
    context: typer.Context,
    webhook_id: WebhookId,
    service: Annotated[str, typer.Argument(help="Whose event.")],
    position: Annotated[int, typer.Argument(help="Its position.")],
) -> int:
    """Let a waiting event go untold, so that later ones of its record go on."""
    return _post(context, f"/webhooks/{webhook_id}/skip", {"service": service, "position": position})


def remove(context: typer.Context, webhook_id: WebhookId) -> int:
    """End a webhook with all it has kept."""
    from branchline.rest import connect

    screen: Screen = context.obj
    with connect(screen.folder()) as rest:
        rest.call("DELETE", f"/webhooks/{webhook_id}")
    screen.show({"id": webhook_id}, lambda: f"{webhook_id} removed")
    return Exit.OK


def _act(name: str) -> Any:
    def act(context: typer.Context, webhook_id: WebhookId) -> int:
        return _post(context, f"/webhooks/{webhook_id}/{name}", {})

    return act


def _post(context: typer.Context, path: str, body: dict[str, Any]) -> int:
    from branchline.rest import connect

    screen: Screen = context.obj
    with connect(screen.folder()) as rest:
        found = rest.post(path, body)
    screen.show(found, lambda: found.get("secret") or found.get("state") or f"{found['result']} {found['status']}")
    return Exit.OK


def _tell(found: Any) -> str:
    one = found["webhook"]
    waiting = [[row["service"], str(row["position"]), row["state"], row["result"]] for row in found["waiting"]]
    tries = [[row["create_time"], row["type"], row["result"], str(row["status"])] for row in found["tries"]]
    parts = [f"{one['name']} {one['state']} {one['address']}"]
    if waiting:
        parts.append(table(["service", "position", "state", "result"], waiting))
    if tries:
        parts.append(table(["time", "type", "result", "status"], tries))
    return "\n".join(parts)
