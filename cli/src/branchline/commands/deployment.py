"""`deployment`: what a distributed platform needs before its first start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from branchline.exits import Exit, Failure
from branchline.screen import Screen

Folder = Annotated[Path, typer.Argument(help="Folder of the secrets; keep it as you keep passwords.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Make the secrets of a distributed platform, and hand them over.", no_args_is_help=True)
    group.command("secrets")(write)
    group.command("manifests")(print_manifests)
    group.command("administrator")(print_administrator)
    app.add_typer(group, name="deployment")


def write(
    context: typer.Context,
    folder: Folder,
    database_host: Annotated[str, typer.Option(help="PostgreSQL; {} stands for the service.")] = "{}-database",
    bus_host: Annotated[str, typer.Option(help="RabbitMQ.")] = "rabbitmq",
    renew: Annotated[list[str] | None, typer.Option(help="A secret to make anew; may be repeated.")] = None,
) -> int:
    """Make the secrets that are missing, and a folder of files for each part. Repeating it changes none."""
    from branchline.deployment.secret_files import Places, SecretUnknown, write_secrets

    screen: Screen = context.obj
    try:
        parts = write_secrets(folder, Places(database_host=database_host, bus_host=bus_host), renew or [])
    except SecretUnknown as trouble:
        raise Failure(str(trouble), Exit.USAGE, "SECRET_UNKNOWN") from trouble
    screen.show({"folder": str(folder), "parts": parts}, lambda: f"{folder}: secrets of {', '.join(parts)}")
    return Exit.OK


def print_manifests(context: typer.Context, folder: Folder) -> int:
    """Print them as Kubernetes Secrets, for `kubectl apply -f -`."""
    from branchline.deployment.manifests import list_manifests

    _require(folder)
    screen: Screen = context.obj
    found = list_manifests(folder)
    screen.show(found, lambda: json.dumps(found, indent=2))
    return Exit.OK


def print_administrator(context: typer.Context, folder: Folder) -> int:
    """Print how the first administrator signs in."""
    from branchline.deployment.secret_files import ADMINISTRATOR

    _require(folder)
    screen: Screen = context.obj
    password = (folder / ADMINISTRATOR / "password").read_text(encoding="utf-8")
    screen.show({"login": "admin", "password": password}, lambda: f"login admin, password {password}")
    return Exit.OK


def _require(folder: Path) -> None:
    if not (folder / "administrator").is_dir():
        raise Failure(f"{folder} has no secrets; `branchline deployment secrets` makes them", reason="NO_SECRETS")
