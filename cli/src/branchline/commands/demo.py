"""`demo`: the main job on the shipped workbooks of three branches."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
