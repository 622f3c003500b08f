"""`up`, `down`, `status`, `migrate`: the embedded platform on this machine."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from branchline.exits import Exit, Failure
from branchline.screen import Screen

STOP_SECONDS = 25.0  # the supervisor itself gives its processes 17 s and PostgreSQL the rest


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("up")(up)
    app.command("down")(down)
    app.command("status")(status)
    app.command("migrate")(migrate)


def up(
    context: typer.Context,
    detach: Annotated[bool, typer.Option("--detach", help="Give the prompt back when the platform is ready.")] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the gateway; otherwise the one used before, or 8480.")
    ] = 0,
    bus: Annotated[
        str, typer.Option(envvar="BRANCHLINE_BUS", help="amqp://… uses RabbitMQ instead of the bus inside PostgreSQL.")
    ] = "",
    company: Annotated[str, typer.Option(help="Name of the company, at the first start.")] = "",
    country: Annotated[str, typer.Option(help="Its country, two letters, at the first start.")] = "",
    currency: Annotated[str, typer.Option(help="Its currency, three letters, at the first start.")] = "",
    zone: Annotated[str, typer.Option(help="Its time zone, such as Europe/Berlin, at the first start.")] = "",
) -> int:
    """Start the platform; data are kept in the data folder from start to start."""
    if bus and not bus.startswith(("amqp://", "amqps://")):
        raise Failure(f"--bus takes an amqp:// or amqps:// address, not {bus!r}", Exit.USAGE, "BUS_INVALID")
    screen: Screen = context.obj
    named = {"company": company, "country_code": country.upper(), "currency_code": currency.upper(), "time_zone": zone}
    facts = {key: value for key, value in named.items() if value}
    return _up_detached(screen, port, bus, facts) if detach else _up_here(screen, port, bus, facts)


def _up_detached(screen: Screen, port: int, bus: str, company: dict[str, str]) -> int:
    from branchline.platform.launch import is_running, start_detached

    folder = screen.folder()
    if is_running(folder):
        screen.show({"running": True, **describe(screen)}, lambda: f"the platform is running already: {_url(screen)}")
        return Exit.OK
    first = not folder.credentials.exists()
    state = start_detached(folder, port, bus, company, screen.say)
    screen.show(
        {"running": True, "seconds_to_ready": state["seconds_to_ready"], **describe(screen)},
        lambda: f"ready after {state['seconds_to_ready']:.1f} s: {_url(screen)}\n{_sign_in(screen, first)}",
    )
    return Exit.OK


def _up_here(screen: Screen, port: int, bus: str, company: dict[str, str]) -> int:
    from branchline.platform.claim import AlreadyRunning
    from branchline.platform.ports import PortTaken
    from branchline.platform.supervisor import NotStarted, Options, Supervisor

    folder = screen.folder()
    first = not folder.credentials.exists()

    def tell_ready(seconds: float) -> None:
        shown_once = first and sys.stderr.isatty()  # a password does not belong in a log
        screen.say(f"ready after {seconds:.1f} s: {_url(screen)}\n{_sign_in(screen, shown_once)}\nCtrl-C stops it")

    try:
        Supervisor(folder, Options(port, bus, company), screen.say, tell_ready).run()
    except AlreadyRunning:
        screen.show({"running": True, **describe(screen)}, lambda: f"the platform is running already: {_url(screen)}")
    except (NotStarted, PortTaken) as trouble:
        raise Failure(str(trouble), reason="NOT_STARTED") from trouble
    return Exit.OK


def down(context: typer.Context) -> int:
    """Stop the platform; its data stay."""
    from branchline.platform.claim import NotStopped, stop_holder

    screen: Screen = context.obj
    try:
        stopped = stop_holder(screen.folder(), STOP_SECONDS)
    except NotStopped as trouble:
        raise Failure(str(trouble), reason="NOT_STOPPED") from trouble
    text = "stopped" if stopped else "the platform is not running"
    screen.show({"stopped": bool(stopped)}, lambda: text)
    return Exit.OK


def status(context: typer.Context) -> int:
    """Say which processes run, how much memory they hold, how far events are behind and what is parked."""
    from branchline.commands.status_text import status_text

    screen: Screen = context.obj
    found = describe(screen)
    if not found["running"]:
        raise Failure(
            f"the platform is not running over {found['data']}; start it with ./branchline up",
            Exit.UNREACHABLE,
            "NOT_RUNNING",
        )
    screen.show(found, lambda: status_text(found))
    return Exit.OK if found["phase"] == "ready" else Exit.FAILED


def describe(screen: Screen) -> dict[str, Any]:
    """All that is known of the platform: processes with memory, address, and what its services say of themselves."""
    from branchline.platform.describing import describe_platform

    return describe_platform(screen.folder())


def migrate(context: typer.Context) -> int:
    """Bring the databases of the data folder to their newest schemas without starting the platform."""
    from branchline.platform.claim import AlreadyRunning
    from branchline.platform.supervisor import NotStarted, Options, Supervisor

    screen: Screen = context.obj
    try:
        Supervisor(screen.folder(), Options(), screen.say).prepare_only()
    except AlreadyRunning as trouble:
        raise Failure(f"{trouble}; its start has migrated everything", reason="RUNNING") from trouble
    except NotStarted as trouble:
        raise Failure(str(trouble), reason="NOT_MIGRATED") from trouble
    screen.show({"migrated": True}, lambda: "every database has its newest schema")
    return Exit.OK


def _url(screen: Screen) -> str:
    from branchline.platform.folder import read_json

    return str(read_json(screen.folder().credentials).get("url", ""))


def _sign_in(screen: Screen, first: bool) -> str:
    from branchline.platform.folder import read_json

    folder = screen.folder()
    found = read_json(folder.credentials)
    if first:
        return f"sign in as {found['login']} with password {found['password']} (kept in {folder.credentials})"
    return f"sign in as {found['login']}; the password is in {folder.credentials}"
