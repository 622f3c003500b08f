"""`audit`: whether the trails of who did and saw what are as they were written, and where they end now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from branchline.exits import Exit, Failure
from branchline.screen import Screen, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chassis.database import Database


def register(app: typer.Typer) -> None:
    """Add the commands."""
    audit = typer.Typer(help="Verify the trails of who did and saw what.", no_args_is_help=True, rich_markup_mode=None)
    audit.command("verify")(verify)
    audit.command("heads")(heads)
    app.add_typer(audit, name="audit")


def verify(
    context: typer.Context,
    noted: Annotated[
        Path | None,
        typer.Option("--heads", help="Heads noted earlier and kept elsewhere; those of the data folder without it."),
    ] = None,
) -> int:
    """Work out every chain anew and name what was changed, taken out, put in, moved or cut off."""
    from chassis.audit.run_verify import told
    from chassis.audit.verifying import read_heads, verify_trail

    screen: Screen = context.obj
    file = noted or screen.folder().audit_heads
    if noted and not noted.exists():
        raise Failure(f"there is no file {noted}", Exit.USAGE, "NO_FILE")
    verdicts = []
    for name, database in _databases(screen):
        known = read_heads(file, name) if file.exists() else []
        verdicts.append(told(name, verify_trail(database, known)))
    screen.show(verdicts, lambda: _tell(verdicts))
    return Exit.FAILED if any(one["faults"] for one in verdicts) else Exit.OK


def heads(context: typer.Context) -> int:
    """Show where every chain ends now; kept elsewhere, it proves later that nothing before was touched."""
    from chassis.audit.sealing import read_head

    screen: Screen = context.obj
    found = []
    for name, database in _databases(screen):
        with database.reading() as work:
            head = read_head(work)
        found.append({"service": name, "number": head.number, "hash": head.hash})
    screen.show(found, lambda: table(["service", "entries", "hash"], [[*map(str, one.values())] for one in found]))
    return Exit.OK


def _databases(screen: Screen) -> Iterator[tuple[str, Database]]:
    """The database of each service of the running platform and of its gateway, one after another. Errors: Failure."""
    from branchline.platform.environment import SERVICES, database_url
    from branchline.platform.launch import is_running
    from chassis.database import Database

    folder = screen.folder()
    if not is_running(folder):
        raise Failure("the platform is not running; start it with `branchline up`", Exit.UNREACHABLE, "NOT_RUNNING")
    for name in (*SERVICES, "gateway"):
        database = Database(database_url(folder.server_url, name), name, pool_size=1)
        try:
            yield name, database
        finally:
            database.close()


def _tell(verdicts: list[dict[str, Any]]) -> str:
    rows = [
        [one["service"], f"{one['entries']:,}", "untouched" if not one["faults"] else "TOUCHED"] for one in verdicts
    ]
    lines = [
        f"{one['service']}, number {fault['number']}, entry {fault['entry_id']}: {fault['what']}"
        for one in verdicts
        for fault in one["faults"]
    ]
    return "\n".join([table(["service", "entries", "trail"], rows, figures=(1,)), *([""] if lines else []), *lines])
