"""What a command prints: its result on standard output, its progress on standard error.

A result is text for people or one JSON document. A command hands over plain data and a way to show it; with --json the
data are printed as they are.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from branchline.exits import Failure
from branchline.platform.folder import DataFolder, choose_folder

WIDE = 160  # columns where no terminal says how wide it is
QUIET_SECONDS = 10.0  # between two lines of progress in a log


@dataclass
class Screen:
    """The screen of one command: `as_json` as asked for, `data` the folder named on the command line."""

    as_json: bool = False
    data: Path | None = None

    def folder(self) -> DataFolder:
        """The data folder this command is about."""
        return choose_folder(self.data)

    def say(self, sentence: str) -> None:
        """Tell a step to people; scripts read standard output only."""
        if not self.as_json:
            print(sentence, file=sys.stderr, flush=True)

    def show(self, data: Any, as_text: Callable[[], str]) -> None:
        """Print the result."""
        print(json.dumps(data, indent=2, ensure_ascii=False, default=str) if self.as_json else as_text(), flush=True)

    def fail(self, failed: Failure) -> None:
        """Say why the command cannot do what was asked."""
        if self.as_json:
            error = {"reason": failed.reason, "message": failed.message, **failed.details}
            print(json.dumps({"error": error}, indent=2, ensure_ascii=False, default=str), flush=True)
        else:
            print(f"branchline: {failed.message}", file=sys.stderr, flush=True)


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], figures: Sequence[int] = ()) -> str:
    """A table for people; `figures` are the places of columns set flush right."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    width = shutil.get_terminal_size((WIDE, 24)).columns if sys.stdout.isatty() else WIDE
    console = Console(width=width, highlight=False, no_color=not sys.stdout.isatty())
    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, title in enumerate(titles):
        made.add_column(_plain(title), justify="right" if place in figures else "left", overflow="fold")
    for row in rows:
        made.add_row(*map(_plain, row))
    with console.capture() as captured:
        console.print(made)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _plain(text: str) -> str:
    """Text of files and people is shown as it is, never read as markup, and cannot steer the terminal."""
    from rich.markup import escape

    return escape("".join(sign if sign.isprintable() else " " for sign in text))


class Progress:
    """One line that moves on a terminal; elsewhere a line now and then, so that a log shows that something goes on."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.moves = sys.stderr.isatty()
        self.told = time.monotonic()

    def tell(self, words: str, share: float | None = None) -> None:
        """Show what goes on and how much of it is done, 0 to 1."""
        if self.screen.as_json:
            return
        line = words if not share else f"{words} {share:.0%}"
        if self.moves:
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self.told > QUIET_SECONDS:
            print(line, file=sys.stderr, flush=True)
            self.told = time.monotonic()

    def end(self) -> None:
        """Leave the line."""
        if self.moves and not self.screen.as_json:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
