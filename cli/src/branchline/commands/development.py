"""`test`, `pictures`, `check`, `proto`: what a developer runs in a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated

import typer

from branchline.exits import Exit, Failure
from branchline.screen import Screen

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("test", context_settings=PASSED_ON)(run_tiers)
    app.command("pictures")(pictures)
    app.command("check")(check)
    app.command("proto")(proto)


def run_tiers(
    context: typer.Context,
    tiers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TIER",
            help="unit, service, contract, integration, e2e, browser, faults, compose; all without one.",
        ),
    ] = None,
) -> int:
    """Run the tests, and say plainly which parts this machine cannot run. Options of pytest are handed on.

    `faults --all` also runs the long fault tests and writes docs/reliability.md.
    """
    from branchline.testing import list_parts, provide_chromium, run_tests, wants_browser

    screen: Screen = context.obj
    words = [*(tiers or []), *context.args]
    if wants_browser(words):
        provide_chromium(screen.say)
    parts = list_parts()
    for part in parts:
        screen.say(f"{part.name}: {'yes' if part.there else 'not on this machine'}, {part.why}")
    missing = [part for part in parts if not part.there]
    code = run_tests(words, capture=screen.as_json)
    if missing:
        screen.say("not run on this machine: " + "; ".join(part.tests for part in missing))
    screen.show({"passed": code == 0, "parts": [vars(part) for part in parts]}, lambda: "")
    return Exit.OK if code == 0 else Exit.FAILED


def pictures(context: typer.Context) -> int:
    """Take the pictures of the user guide again, by running the tests in the browser."""
    from branchline.testing import PICTURES, find_chromium, provide_chromium, run_tests

    screen: Screen = context.obj
    provide_chromium(screen.say)
    if find_chromium() is None:
        raise Failure("there is no chromium here; install it", Exit.FAILED, "NO_BROWSER")
    os.environ[PICTURES] = "1"
    code = run_tests(["browser"], capture=screen.as_json)
    screen.show({"passed": code == 0}, lambda: "")
    return Exit.OK if code == 0 else Exit.FAILED


def check(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Checks by name; all without one.")] = None,
) -> int:
    """Run lint, types, import rules, contracts, generated code, lock and documents."""
    return _run_tool(context.obj, "run_checks", *(names or []))


def proto(context: typer.Context) -> int:
    """Make the generated code and the missing samples from proto/."""
    return _run_tool(context.obj, "generate_proto") or _run_tool(context.obj, "make_samples")


def _run_tool(screen: Screen, name: str, *arguments: str) -> int:
    from branchline.platform.folder import ROOT

    if not (ROOT / "tools" / f"{name}.py").exists():
        raise Failure("this command needs a checkout of the repository", Exit.FAILED, "NO_CHECKOUT")
    ended = subprocess.run(
        [sys.executable, "-m", f"tools.{name}", *arguments], cwd=ROOT, capture_output=screen.as_json, text=True
    )
    if screen.as_json:
        screen.show({"passed": ended.returncode == 0, "output": ended.stdout + ended.stderr}, str)
    return Exit.OK if ended.returncode == 0 else Exit.FAILED
