"""`import` and `runs`: workbooks in, and every row's fate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from branchline.exits import Exit, Failure
from branchline.screen import Progress, Screen

OPTION_NAMES = ("sheets", "encoding", "delimiter", "quote", "header_row", "decimal_sign", "date_order")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_files)
    app.command("runs")(runs)


def import_files(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Workbooks or text files.")],
    unit: Annotated[str, typer.Option(help="Unit the rows belong to: code, name, path or id.")],
    kind: Annotated[str, typer.Option(help="organizations, persons, products, deals, plans, interactions, employees.")],
    mapping: Annotated[str, typer.Option(help="Name of a saved mapping to use.")] = "",
    mapping_version: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=1, help="Version of that mapping; otherwise its newest.")
    ] = None,
    source: Annotated[str, typer.Option(help="Numbering the rows' own numbers belong to; otherwise the unit's.")] = "",
    map_column: Annotated[
        list[str] | None, typer.Option("--map", metavar="COLUMN=FIELD", help="Take a column for a field.")
    ] = None,
    choose: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD:TEXT=MEANING", help="What a written value means, such as 'product:GTXPro=GTX Pro'."
        ),
    ] = None,
    read: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help=f"How the file is read: {', '.join(OPTION_NAMES)}.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the whole file and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Load without asking.")] = False,
) -> int:
    """Check files and load them. A file with findings that forbid its load is not loaded, the others are."""
    from branchline.commands.run_text import report_of
    from branchline.rest import connect
    from branchline.runs import Wanted

    screen: Screen = context.obj
    shared = {
        "mapping": [_pair(text, "--map", "column", "field") for text in map_column or []],
        "choices": [_choice(text) for text in choose or []],
        "options": dict(_option(text) for text in read or []),
    }
    outcomes: list[dict[str, Any]] = []
    with connect(screen.folder()) as rest:
        for file in files:
            asks = not yes and sys.stdin.isatty() and not screen.as_json
            wanted = Wanted(
                file,
                unit,
                kind,
                mapping,
                source,
                mapping_version or 0,
                unattended=not dry_run and not asks,
                **shared,  # type: ignore[arg-type]
            )
            outcomes.append(_import_one(screen, rest, wanted, dry_run))
            if not screen.as_json:
                print(report_of(outcomes[-1]), flush=True)
    if screen.as_json:
        screen.show(outcomes, str)
    return Exit.OK if all(one["ok"] for one in outcomes) else Exit.FAILED


def _import_one(screen: Screen, rest: Any, wanted: Any, dry_run: bool) -> dict[str, Any]:
    """Check one file and load it unless it must not be; answers the run, its findings and whether all is well."""
    from branchline.runs import check_file, confirm_run, list_findings

    progress = Progress(screen)
    try:
        run = check_file(rest, wanted, progress.tell)
        findings = list_findings(rest, run["id"]) if run["state"] != "cancelled" else []
        if run["state"] == "waiting" and not run.get("blocked") and not dry_run:
            progress.end()
            if wanted.unattended or _agreed(run, findings):
                run = confirm_run(rest, run["id"], progress.tell)
    finally:
        progress.end()
    ok = run["state"] in ("waiting", "finished") and not run.get("blocked")
    return {"file": str(wanted.file), "ok": ok, "dry_run": dry_run, "run": run, "findings": findings}


def _agreed(run: dict[str, Any], findings: list[dict[str, Any]]) -> bool:
    from branchline.commands.run_text import checked_text

    print(checked_text(run, findings), flush=True)
    return typer.confirm("Load it?", default=True)


def runs(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="ID", help="A run; without one all are listed.")] = "",
    unit: Annotated[str, typer.Option(help="Only runs of this unit and below.")] = "",
    rows: Annotated[
        str, typer.Option(help="Show rows with this fate (all, created, updated, unchanged, merged, refused).")
    ] = "",
    result: Annotated[
        Path | None, typer.Option(help="Write every row with fate and reason to this .xlsx or .csv file.")
    ] = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Load a run that waits.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="End a run; what is loaded stays.")] = False,
    undo: Annotated[
        bool,
        typer.Option("--undo", help="Take back what a run did; tells first what stays."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Undo without asking.")] = False,
) -> int:
    """List runs, or show one with its findings; load it, end it, undo it, or fetch its rows."""
    from branchline.rest import connect

    screen: Screen = context.obj
    if not run_id and (rows or result or confirm or cancel or undo):
        raise Failure("name the run: ./branchline runs ID", Exit.USAGE, "RUN_MISSING")
    with connect(screen.folder()) as rest:
        if not run_id:
            return _show_list(screen, rest, unit)
        if result:
            return _fetch_result(screen, rest, run_id, result)
        if rows:
            return _show_rows(screen, rest, run_id, "" if rows == "all" else rows)
        if undo:
            return _undo(screen, rest, run_id, yes)
        return _show_run(screen, rest, run_id, confirm, cancel)


def _show_list(screen: Screen, rest: Any, unit: str) -> int:
    from branchline.commands.run_text import list_text
    from branchline.runs import list_runs

    found = list(list_runs(rest, unit))
    screen.show(found, lambda: list_text(found))
    return Exit.OK


def _show_run(screen: Screen, rest: Any, run_id: str, confirm: bool, cancel: bool) -> int:
    from branchline.commands.run_text import report_of
    from branchline.runs import cancel_run, confirm_run, list_findings, read_run

    progress = Progress(screen)
    if confirm:
        run = confirm_run(rest, run_id, progress.tell)
        progress.end()
    else:
        run = cancel_run(rest, run_id) if cancel else read_run(rest, run_id)
    outcome = {"run": run, "findings": list_findings(rest, run_id)}
    screen.show(outcome, lambda: report_of(outcome))
    return Exit.FAILED if run["state"] == "failed" else Exit.OK


def _undo(screen: Screen, rest: Any, run_id: str, agreed: bool) -> int:
    from branchline.commands.run_text import undo_text
    from branchline.runs import list_kept, undo_run

    progress = Progress(screen)
    foretold = undo_run(rest, run_id, progress.tell, dry_run=True)
    kept = list_kept(rest, run_id)
    if not agreed and not foretold["undo"]["message"]:
        print(undo_text(foretold, kept), flush=True)
        if not typer.confirm("Undo it?", default=False):
            return Exit.OK
        agreed = True
    run = undo_run(rest, run_id, progress.tell, dry_run=False) if agreed else foretold
    kept = list_kept(rest, run_id) if agreed else kept
    progress.end()
    screen.show({"run": run, "kept": kept}, lambda: undo_text(run, kept))
    return Exit.FAILED if run["undo"]["message"] else Exit.OK


def _show_rows(screen: Screen, rest: Any, run_id: str, fate: str) -> int:
    from branchline.runs import list_rows
    from branchline.screen import table

    found = list(list_rows(rest, run_id, fate))
    lines = [
        [one["sheet"], str(one["row"]), one["fate"], one["message"] or one["reason"], " | ".join(one["cells"])]
        for one in found
    ]
    screen.show(found, lambda: table(["sheet", "row", "fate", "reason", "cells"], lines, figures=(1,)))
    return Exit.OK


def _fetch_result(screen: Screen, rest: Any, run_id: str, target: Path) -> int:
    from branchline.runs import download_result

    size = download_result(rest, run_id, target)
    screen.show({"file": str(target), "bytes": size}, lambda: f"{target}: {size:,} bytes")
    return Exit.OK


def _pair(text: str, option: str, left: str, right: str) -> dict[str, str]:
    first, sign, second = text.rpartition("=")
    if not sign or not first:
        raise Failure(f"{option} takes {left.upper()}={right.upper()}, not {text!r}", Exit.USAGE, "USAGE")
    return {left: first, right: second}


def _choice(text: str) -> dict[str, str]:
    field, sign, rest = text.partition(":")
    if not sign:
        raise Failure(f"--choose takes FIELD:TEXT=MEANING, not {text!r}", Exit.USAGE, "USAGE")
    return {"field": field, **_pair(rest, "--choose", "text", "meaning")}


def _option(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign or name not in OPTION_NAMES:
        raise Failure(
            f"--read takes NAME=VALUE with one of {', '.join(OPTION_NAMES)}, not {text!r}", Exit.USAGE, "USAGE"
        )
    if name == "header_row":
        if not value.lstrip("-").isdigit():
            raise Failure(f"--read header_row takes a whole number, not {value!r}", Exit.USAGE, "USAGE")
        return name, int(value)
    return name, value.split(",") if name == "sheets" else value
