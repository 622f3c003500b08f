"""The `branchline` command: which commands there are, and how every one of them begins and ends.

Only the option parser is imported here; what a command needs is imported when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from branchline.commands import (
    auditing,
    backing_up,
    bench,
    bridging,
    demo,
    deployment,
    development,
    events,
    exporting,
    importing,
    platform,
    rebuilding,
    reports,
    units,
    webhooks,
)
from branchline.exits import Exit, Failure
from branchline.screen import Screen

app = typer.Typer(
    name="branchline",
    help="Branchline: the branches' workbooks in, one customer base and one true report out.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (
    platform,
    demo,
    importing,
    exporting,
    reports,
    units,
    events,
    webhooks,
    rebuilding,
    auditing,
    backing_up,
    bridging,
    bench,
    deployment,
    development,
):
    group.register(app)

FLAGS, VALUED = ("--json",), ("--data",)


@app.callback()
def begin(
    context: typer.Context,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document. May stand after the command.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="Data folder of the platform meant. May stand after the command.")
    ] = None,
) -> None:
    """Branchline: the branches' workbooks in, one customer base and one true report out."""
    context.obj = Screen(as_json, data)


def split_globals(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Take out the options that may stand anywhere, since the parser expects them in front; what follows `--` stays."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in FLAGS or word.startswith(tuple(f"{name}=" for name in VALUED)):
            front.append(word)
        elif word in VALUED:
            front += [word, *([value] if (value := next(words, None)) is not None else [])]
        else:
            rest.append(word)
    return front, rest


def run(arguments: Sequence[str]) -> int:
    """Run one command line and answer its exit status."""
    front, rest = split_globals(arguments)
    try:
        found = app([*front, *(rest or ["--help"])], prog_name="branchline", standalone_mode=False)
    except Failure as failed:
        Screen("--json" in front).fail(failed)
        return failed.status
    except TyperException as wrong:
        Screen("--json" in front).fail(Failure(wrong.format_message(), Exit.USAGE, "USAGE"))
        return Exit.USAGE
    except (typer.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    return int(found) if isinstance(found, int) else Exit.OK


def main() -> None:
    """Run the command line of this process."""
    sys.exit(run(sys.argv[1:]))
