"""`units`: the tree now or as it was on a day, and units that are moved, merged, split or closed."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from branchline.exits import Exit
from branchline.screen import Screen, table

PREVIEW = ("units", "people", "positions", "losing", "gaining")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    units = typer.Typer(help="Show the tree of units, and reorganize it.", no_args_is_help=True, rich_markup_mode=None)
    units.command("list")(list_units)
    units.command("reorganize")(reorganize)
    app.add_typer(units, name="units")


def list_units(
    context: typer.Context,
    as_of: Annotated[str, typer.Option("--as-of", metavar="DAY", help="The tree as it was on this day.")] = "",
) -> int:
    """List units, parents first."""
    from branchline.rest import connect

    screen: Screen = context.obj
    with connect(screen.folder()) as rest:
        found = list(rest.pages("/units", "units", **({"as_of": as_of} if as_of else {})))
    rows = [[one["path"], one["name"], one["kind"], one.get("end_date") or ""] for one in found]
    screen.show(found, lambda: table(["path", "name", "kind", "closed"], rows))
    return Exit.OK


def reorganize(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="move, merge, split or close.")],
    unit: Annotated[str, typer.Argument(help="The unit: code, name, path or id.")],
    into: Annotated[str, typer.Option(help="Of a move the unit above, of a merge the one it becomes part of.")] = "",
    code: Annotated[str, typer.Option(help="Of a split, code of the new unit.")] = "",
    name: Annotated[str, typer.Option(help="Of a split, name of the new unit.")] = "",
    user: Annotated[list[str] | None, typer.Option(help="Of a split, id of somebody who goes; several times.")] = None,
    day: Annotated[str, typer.Option(metavar="DAY", help="The day it happens; at once without it.")] = "",
    note: Annotated[str, typer.Option(help="Why.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would follow.")] = False,
) -> int:
    """Move, merge, split or close a unit, at once or on a later day."""
    from branchline.rest import connect

    screen: Screen = context.obj
    with connect(screen.folder()) as rest:
        asked: dict[str, Any] = {"kind": kind, "unit_id": rest.get(f"/units/{unit}")["id"], "dry_run": dry_run}
        if into:
            asked["into_unit_id"] = rest.get(f"/units/{into}")["id"]
        given = {"code": code, "name": name, "user_ids": user, "day": day, "note": note}
        answer = rest.post("/reorganizations", asked | {key: value for key, value in given.items() if value})
    screen.show(answer, lambda: _tell(answer))
    return Exit.OK


def _tell(answer: Any) -> str:
    seen = answer["preview"]
    state = answer["reorganization"].get("state") or ""
    rows = [[key, str(seen.get(key, 0))] for key in PREVIEW]
    return "\n".join([f"{seen['path_before']} -> {seen['path_after']} {state}".strip(), table(["what", "count"], rows)])
