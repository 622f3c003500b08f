"""`export` and `exports`: lists and reports as files, and those of others that wait for an agreement."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from branchline.exits import Exit, Failure
from branchline.screen import Progress, Screen

UNDER_WAY = ("queued", "reading", "writing")
PAUSE_SECONDS = 0.5


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export")(export)
    app.command("exports")(exports)


def export(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="LIST", help="persons, organizations, deals, activities, report:won …")
    ],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Where to write it: .xlsx, .csv, .json, or .vcf for persons and organizations."
        ),
    ],
    unit: Annotated[str, typer.Option(help="Only of this unit and below, by id.")] = "",
    where: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A condition, or the order.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="A column; several, in their order. Without one: all.")
    ] = None,
    reason: Annotated[str, typer.Option(help="What it is for; a second person who has to agree reads it.")] = "",
) -> int:
    """Take a list or a report along as a file. More rows than your budget wait for a second person."""
    from branchline.rest import connect
    from branchline.runs import download

    screen: Screen = context.obj
    filters = dict(_condition(text) for text in where or [])
    if unit:
        filters["unit_id"] = unit
    body = {"list": what, "format": target.suffix.lstrip(".").lower(), "filters": filters}
    body |= {"columns": column or [], "reason": reason}
    progress = Progress(screen)
    with connect(screen.folder()) as rest:
        made = rest.post("/exports", body, key=str(uuid4()))
        while made["state"] in UNDER_WAY:
            progress.tell(made["message"])
            time.sleep(PAUSE_SECONDS)
            made = rest.get(f"/exports/{made['id']}")
        progress.end()
        if made["state"] == "ready":
            download(rest, f"/exports/{made['id']}/file", target)
    screen.show(made, lambda: f"{target}: {made['message']}" if made["state"] == "ready" else made["message"])
    return Exit.OK if made["state"] == "ready" else Exit.FAILED


def exports(
    context: typer.Context,
    export_id: Annotated[str, typer.Argument(metavar="ID", help="An export; without one all are listed.")] = "",
    approve: Annotated[bool, typer.Option("--approve", help="Let somebody's large export go on.")] = False,
    decline: Annotated[bool, typer.Option("--decline", help="Do not.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="End your own export, or delete its file.")] = False,
    target: Annotated[Path | None, typer.Option("--file", help="Write the file of your own export here.")] = None,
) -> int:
    """List your exports and those you may decide, or decide, end or fetch one."""
    from branchline.rest import connect
    from branchline.runs import download

    screen: Screen = context.obj
    with connect(screen.folder()) as rest:
        if not export_id:
            found = list(rest.pages("/exports", "exports"))
            screen.show(found, lambda: _table(found))
            return Exit.OK
        if approve or decline:
            one = rest.post(f"/exports/{export_id}/decide", {"approve": approve and not decline}, key=str(uuid4()))
        elif cancel:
            one = rest.post(f"/exports/{export_id}/cancel")
        else:
            one = rest.get(f"/exports/{export_id}")
        if target:
            download(rest, f"/exports/{export_id}/file", target)
    screen.show(one, lambda: _table([one]))
    return Exit.OK


def _table(found: list[dict[str, Any]]) -> str:
    from branchline.screen import table

    heads = ["id", "list", "state", "rows", "who", "message"]
    lines = [
        [one["id"], one["list"], one["state"], str(one["row_count"]), one["user_name"], one["message"]] for one in found
    ]
    return table(heads, lines, figures=(3,))


def _condition(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise Failure(f"--where takes NAME=VALUE, not {text!r}", Exit.USAGE, "USAGE")
    return name, value
