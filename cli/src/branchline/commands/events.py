"""`events`: the feed of each service, and the events that failed too often."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from branchline.commands.events_past import register_past
from branchline.exits import Exit, Failure
from branchline.screen import Screen

SERVICES = ("directory", "contacts", "deals", "scheduling", "imports", "reporting")
LAST = 20  # events shown without --after
WAIT_SECONDS = 10

Service = Annotated[str, typer.Argument(help=f"{', '.join(SERVICES)}.")]
Number = Annotated[int, typer.Argument(min=1, help="Its number within the service, as the list shows it.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    shared: dict[str, Any] = {"no_args_is_help": True, "rich_markup_mode": None}
    events = typer.Typer(help="Follow events, and see to those that failed too often.", **shared)
    parked = typer.Typer(help="Events that failed too often.", **shared)
    events.command("tail")(tail)
    for name, command in (
        ("list", list_parked),
        ("show", show_parked),
        ("retry", retry),
        ("edit", edit),
        ("skip", skip),
    ):
        parked.command(name)(command)
    events.add_typer(parked, name="parked")
    register_past(events)
    app.add_typer(events, name="events")


def tail(
    context: typer.Context,
    service: Service,
    after: Annotated[int, typer.Option(min=-1, help="Position to go on behind; otherwise the last few.")] = -1,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more until Ctrl-C.")] = False,
) -> int:
    """Show a service's events in the order in which they were committed."""
    from branchline.rest import connect

    screen: Screen = context.obj
    path = f"/services/{service}/events"
    with connect(screen.folder()) as rest:
        if after < 0:
            here = rest.get(f"/services/{service}/snapshot", page_size=1)
            after = max(int(here["position"]) - LAST, int(here["oldest_position"]) - 1)
        shown: list[Any] = []
        while True:
            page = rest.get(path, after_position=after, wait=WAIT_SECONDS if follow else 0)
            after = int(page["next_position"])
            shown += _show_events(screen, page["events"], follow)
            if not page["events"] and not follow:
                break
    if screen.as_json and not follow:
        screen.show(shown, str)
    return Exit.OK


def list_parked(
    context: typer.Context,
    service: Annotated[str, typer.Option(help=f"Only of one: {', '.join(SERVICES)}.")] = "",
    state: Annotated[
        str, typer.Option(help="retry, behind, parked, resolved or skipped; all open ones without it.")
    ] = "",
) -> int:
    """List events that wait in the services' consumers."""
    from branchline.rest import connect
    from branchline.screen import table

    screen: Screen = context.obj
    found: list[dict[str, Any]] = []
    with connect(screen.folder()) as rest:
        for name in (service,) if service else SERVICES:
            waiting = rest.pages(f"/services/{name}/parked_events", "parked", state=state)
            found += [{"service": name, **one} for one in waiting]
    titles = ("service", "number", "consumer", "state", "tries", "error_code", "type", "aggregate_id")
    rows = [[str(one[title] or "") for title in titles] for one in found]
    screen.show(found, lambda: table(titles, rows, figures=(1, 4)) if rows else "nothing is parked")
    return Exit.OK


def show_parked(context: typer.Context, service: Service, number: Number) -> int:
    """Show one event with its headers and content."""
    return _one(context.obj, "GET", service, number)


def retry(context: typer.Context, service: Service, number: Number) -> int:
    """Have an event tried anew at once."""
    return _one(context.obj, "POST", service, number, "/retry")


def edit(
    context: typer.Context,
    service: Service,
    number: Number,
    content: Annotated[
        typer.FileText, typer.Argument(help="JSON of what it shall say, as `show` prints it as message.")
    ],
) -> int:
    """Change what an event says and have it tried anew at once; what it said before is kept."""
    import json

    try:
        message = json.load(content)
    except ValueError as wrong:
        raise Failure(f"{content.name} holds no JSON: {wrong}", Exit.USAGE, "NO_JSON") from wrong
    return _one(context.obj, "POST", service, number, "/edit", {"message": message})


def skip(context: typer.Context, service: Service, number: Number) -> int:
    """Let an event go unhandled, so that later events of its aggregate go on."""
    return _one(context.obj, "POST", service, number, "/skip")


def _one(screen: Screen, method: str, service: str, number: int, act: str = "", body: Any = None) -> int:
    import json

    from branchline.rest import connect

    with connect(screen.folder()) as rest:
        more = {} if body is None else {"json": body}
        found = rest.call(method, f"/services/{service}/parked_events/{number}{act}", **more).json()
    screen.show(found, lambda: json.dumps(found, indent=2, ensure_ascii=False))
    return Exit.OK


def _show_events(screen: Screen, events: list[dict[str, Any]], follow: bool) -> list[dict[str, Any]]:
    """Print a page; with --json one document a line while following, else all of them at the end."""
    import json

    for one in events:
        if screen.as_json and follow:
            print(json.dumps(one, ensure_ascii=False), flush=True)
        elif not screen.as_json:
            name = one["type"].rpartition(".")[2]
            print(
                f"{one['position']:>8}  {one['create_time']}  {name:<24} {one['aggregate_id']} v{one['version']}",
                flush=True,
            )
    return events
