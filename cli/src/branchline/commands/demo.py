"""`demo`: the main job on the shipped workbooks of three branches."""

from __future__ import annotations

from typing import Annotated

import typer

from branchline.exits import Exit
from branchline.screen import Screen


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the gateway; otherwise 8480 or a free one.")] = 0,
) -> int:
    """Start a platform of its own, import three branches' workbooks and print the consolidated report."""
    from branchline.demo import Demo, demo_text, read_company
    from branchline.platform.folder import DEMO, DataFolder, choose_folder, is_named
    from branchline.platform.launch import is_running, start_detached
    from branchline.rest import connect

    screen: Screen = context.obj
    folder = choose_folder(screen.data) if is_named(screen.data) else DataFolder(DEMO)
    facts = read_company()
    if not is_running(folder):
        state = start_detached(folder, port, "", facts["company"], screen.say)
        screen.say(f"ready after {state['seconds_to_ready']:.1f} s")
    with connect(folder) as rest:
        found = Demo(screen, rest, folder, facts).run()
    screen.show(found, lambda: demo_text(found, folder))
    return Exit.OK
