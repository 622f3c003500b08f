"""`events`: the feed of each service, and the events that failed too often."""

from __future__ import annotations

from typing import Annotated

import typer

Service = Annotated[
    str, typer.Option("--service", help="Whose: directory, contacts, deals, imports, reporting; all without it.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
