"""`rebuild`: make what is only a copy of events anew from them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from branchline.exits import Exit, Failure
from branchline.screen import Screen, table


class Rebuildable(StrEnum):
    """What holds nothing but what events told it."""

    REPORTING = "reporting"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rebuild")(rebuild)


def rebuild(
    context: typer.Context, service: Annotated[Rebuildable, typer.Argument(help="Whose read models: reporting.")]
) -> int:
    """Fill reports anew from all events, while the platform runs; reports grow back meanwhile."""
    from branchline.platform.launch import is_running
    from branchline.processes.rebuild import rebuild_reporting

    screen: Screen = context.obj
    if not is_running(screen.folder()):
        raise Failure("the platform is not running; start it with `branchline up`", reason="NOT_RUNNING")
    screen.say(f"publishing every event again to {service.value}")
    made, counts = rebuild_reporting(screen.folder())
    rows = [[name, f"{count:,}"] for name, count in counts.items()]
    screen.show(
        {"service": service.value, "digest": made, "records": counts},
        lambda: f"{table(['read model', 'records'], rows, figures=(1,))}\n\ndigest {made}",
    )
    return Exit.OK
