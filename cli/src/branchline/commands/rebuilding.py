"""`rebuild`: make what is only a copy of events anew from them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from branchline.exits import Exit
from branchline.screen import Progress, Screen, table


class Rebuildable(StrEnum):
    """Who keeps copies of what others own."""

    CONTACTS = "contacts"
    DEALS = "deals"
    SCHEDULING = "scheduling"
    IMPORTS = "imports"
    REPORTING = "reporting"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rebuild")(rebuild)


def rebuild(
    context: typer.Context, service: Annotated[Rebuildable, typer.Argument(help="Whose copies of what others own.")]
) -> int:
    """Make a service's copies anew from all events, while the platform runs; reports grow back meanwhile."""
    from branchline.processes.past import open_past

    screen: Screen = context.obj
    screen.say(f"telling {service.value} everything again")
    progress = Progress(screen)
    with open_past(screen.folder()) as past:
        made = past.rebuild(service.value, lambda source, events: progress.tell(f"{events:,} events of {source}"))
    progress.end()
    rows = [[name, f"{count:,}"] for name, count in made.records.items()]
    screen.show(
        {"service": service.value, "events": made.events, "digest": made.digest, "records": made.records},
        lambda: f"{table(['copy', 'records'], rows, figures=(1,))}\n\n{made.events:,} events, digest {made.digest}",
    )
    return Exit.OK
