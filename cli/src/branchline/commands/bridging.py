"""`bridge`: carry a branch cell's events to headquarters and back, and see how far that is."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from branchline.exits import Exit
from branchline.screen import Screen, table


class Way(StrEnum):
    """A direction: what this cell says goes up, what headquarters says comes down."""

    UP = "up"
    DOWN = "down"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Carry a branch cell's events to headquarters and back.", no_args_is_help=True)
    group.command("run")(carry)
    group.command("status")(tell)
    group.command("again")(again)
    app.add_typer(group, name="bridge")


def carry(context: typer.Context) -> int:
    """Carry events until told to stop; settings as docs/operator/cells.md names them."""
    from branchline.processes.bridge import read_settings, run_bridge

    screen: Screen = context.obj
    return run_bridge(read_settings(screen))


def tell(context: typer.Context) -> int:
    """Say how far each service's events were carried, and by whom."""
    from branchline.processes.bridge import list_carried, read_settings

    screen: Screen = context.obj
    lanes: list[dict[str, Any]] = list_carried(read_settings(screen))
    names = ("direction", "service", "position", "behind", "carried")
    rows = [[str(one[name] if one[name] is not None else "–") for name in names] for one in lanes]
    screen.show({"lanes": lanes}, lambda: table(list(names), rows, figures=(2, 3)))
    return Exit.OK


def again(
    context: typer.Context,
    services: Annotated[
        list[str] | None, typer.Argument(metavar="SERVICE", help="Whose events; all without one.")
    ] = None,
    direction: Annotated[Way, typer.Option(help="up to headquarters, or down from there.")] = Way.UP,
) -> int:
    """Tell everything once more, as after the far side was rebuilt; what it has handled has no second effect."""
    from branchline.processes.bridge import read_settings, tell_again

    screen: Screen = context.obj
    told = tell_again(read_settings(screen), direction.value, services or [])
    screen.show({"again": told}, lambda: f"told again: {', '.join(told) or 'nothing, no such lane was carried yet'}")
    return Exit.OK
