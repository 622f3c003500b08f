"""`events replay`, `republish` and `new-epoch`: telling consumers again what was said before."""

from __future__ import annotations

from typing import Annotated

import typer

from branchline.exits import Exit, Failure
from branchline.screen import Progress, Screen, table


def register_past(events: typer.Typer) -> None:
    """Add the commands to `events`."""
    events.command("replay")(replay)
    events.command("republish")(republish)
    events.command("new-epoch")(new_epoch)


def replay(
    context: typer.Context,
    consumer: Annotated[str, typer.Option(help="Who is told, such as reporting; nobody else is.")],
    from_position: Annotated[int, typer.Option("--from", min=1, help="Position of the first event.")],
    source: Annotated[str, typer.Option(help="Whose events: contacts, deals, …")] = "contacts",
    again: Annotated[bool, typer.Option("--again", help="Also those that were handled already.")] = False,
) -> int:
    """Tell one consumer a service's events from a position on; those it has handled it passes over."""
    from branchline.processes.past import open_past

    screen: Screen = context.obj
    progress = Progress(screen)
    with open_past(screen.folder()) as past:
        read = past.replay(
            consumer, source, from_position, again, lambda name, events: progress.tell(f"{events:,} events of {name}")
        )
    progress.end()
    screen.show(
        {"consumer": consumer, "source": source, "events": read}, lambda: f"{read:,} events of {source} to {consumer}"
    )
    return Exit.OK


def republish(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SERVICE", help="Whose events; all without one.")
    ] = None,
    from_position: Annotated[
        int, typer.Option("--from", min=0, help="Position of the first event; 0: before what every consumer has seen.")
    ] = 0,
) -> int:
    """After the broker lost its data: publish again what may have been in it; what was handled has no second effect."""
    from branchline.platform.environment import SERVICES
    from branchline.processes.past import open_past

    screen: Screen = context.obj
    with open_past(screen.folder()) as past:
        first = {name: past.republish(name, from_position) for name in sources or SERVICES}
    rows = [[name, f"{position:,}"] for name, position in first.items()]
    screen.show({"from": first}, lambda: table(["published again", "from"], rows, figures=(1,)))
    return Exit.OK


def new_epoch(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="The service whose database was restored.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="It was restored, and its listeners' copies may be made anew.")
    ] = False,
) -> int:
    """After a restore: begin a new epoch of a service, and make anew what others copied from it."""
    from branchline.processes.past import open_past

    if not yes:
        raise Failure("a new epoch cannot be taken back; add --yes", Exit.USAGE, "NOT_CONFIRMED")
    screen: Screen = context.obj
    progress = Progress(screen)
    with open_past(screen.folder()) as past:
        epoch, made = past.begin_epoch(service, lambda name, events: progress.tell(f"{events:,} events of {name}"))
    progress.end()
    rows = [[name, f"{one.events:,}", one.digest] for name, one in made.items()]
    rebuilt = [{"service": name, "events": one.events, "digest": one.digest} for name, one in made.items()]
    screen.show(
        {"service": service, "epoch": epoch, "rebuilt": rebuilt},
        lambda: f"{service} is in epoch {epoch}\n{table(['made anew', 'events', 'digest'], rows, figures=(1,))}",
    )
    return Exit.OK
