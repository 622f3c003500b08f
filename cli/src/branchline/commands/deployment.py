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
    group.command("certificates")(make)
    group.command("manifests")(print_manifests)
    group.command("administrator")(print_administrator)
    app.add_typer(group, name="deployment")


def write(
    context: typer.Context,
    folder: Folder,
    database_host: Annotated[str, typer.Option(help="PostgreSQL; {} stands for the service.")] = "{}-database",
    bus_host: Annotated[str, typer.Option(help="RabbitMQ.")] = "rabbitmq",
    encrypted_bus: Annotated[
        bool, typer.Option(help="RabbitMQ is spoken to encrypted (amqps://), as infra/rabbitmq/encrypted.conf has it.")
    ] = False,
    renew: Annotated[list[str] | None, typer.Option(help="A secret to make anew; may be repeated.")] = None,
    cell: Annotated[
        list[str] | None, typer.Option(envvar="BRANCHLINE_CELLS", help="Another cell whose bridge may come here.")
    ] = None,
) -> int:
    """Make the secrets that are missing, and a folder of files for each part. Repeating it changes none."""
    from branchline.deployment.secret_files import Places, SecretUnknown, write_secrets
    from chassis.naming import NameInvalid

    screen: Screen = context.obj
    places = Places(database_host=database_host, bus_host=bus_host, bus_encrypted=encrypted_bus)
    try:
        parts = write_secrets(folder, places, renew or [], cell or [])
    except SecretUnknown as trouble:
        raise Failure(str(trouble), Exit.USAGE, "SECRET_UNKNOWN") from trouble
    except NameInvalid as trouble:
        raise Failure(str(trouble), Exit.USAGE, "CELL_INVALID") from trouble
    screen.show({"folder": str(folder), "parts": parts}, lambda: f"{folder}: secrets of {', '.join(parts)}")
    return Exit.OK


def make(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder of the certificates; keep it as you keep passwords.")],
    name: Annotated[list[str] | None, typer.Option(help="A suffix of the parts' names, such as .crm.svc.")] = None,
) -> int:
    """Make a private authority, where there is none yet, and new certificates for all parts (TLS_FOLDER)."""
    from branchline.deployment.certificates import make_certificates

    screen: Screen = context.obj
    parts = make_certificates(folder, name or [])
    screen.show({"folder": str(folder), "parts": parts}, lambda: f"{folder}: certificates of {', '.join(parts)}")
    return Exit.OK


def print_manifests(context: typer.Context, folder: Folder) -> int:
    """Print secrets or certificates as Kubernetes Secrets, for `kubectl apply -f -`."""
    from branchline.deployment.manifests import list_manifests

    if not (folder / "authority").is_dir():
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
