"""`backup` and `restore`: all services' databases into a folder, and back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from branchline.exits import Exit
from branchline.screen import Screen, table

Distributed = Annotated[
    bool,
    typer.Option(
        "--distributed", help="The databases are those named by the settings CONTACTS_DATABASE_URL and so on."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder to make; keep it as safe as the data themselves.")],
    distributed: Distributed = False,
) -> int:
    """Save all services' databases as they stand at one moment; people go on working meanwhile."""
    from branchline.backup.databases import urls_of_settings
    from branchline.backup.embedded import facts_of, urls_to_save
    from branchline.backup.saving import save

    screen: Screen = context.obj
    begun = time.monotonic()
    if distributed:
        made = save(urls_of_settings(), folder, {}, screen.say)
    else:
        with urls_to_save(screen.folder()) as urls:
            made = save(urls, folder, facts_of(screen.folder()), screen.say)
    seconds = time.monotonic() - begun
    screen.show(
        _without_secrets(made) | {"seconds": round(seconds, 1)}, lambda: _text(made, f"saved in {seconds:.1f} s")
    )
    return Exit.OK


def restore(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A folder made by `branchline backup`.")],
    replace: Annotated[bool, typer.Option("--replace", help="Throw away what the databases hold.")] = False,
    distributed: Distributed = False,
) -> int:
    """Put a backup back while nothing runs: counted, compared with what was saved, and with a new epoch for events."""
    from branchline.backup.databases import urls_of_settings
    from branchline.backup.embedded import take_facts, urls_to_fill
    from branchline.backup.restoring import require_fillable
    from branchline.backup.restoring import restore as put_back
    from branchline.backup.saving import read_manifest

    screen: Screen = context.obj
    begun = time.monotonic()
    manifest = read_manifest(folder)
    if distributed:
        require_fillable(urls_of_settings(), manifest, replace)
        epochs = put_back(urls_of_settings(), folder, manifest, screen.say)
    else:
        with urls_to_fill(screen.folder(), lambda urls: require_fillable(urls, manifest, replace)) as urls:
            epochs = put_back(urls, folder, manifest, screen.say)
            take_facts(screen.folder(), manifest)
    seconds = time.monotonic() - begun
    found = _without_secrets(manifest) | {"epochs": epochs, "seconds": round(seconds, 1)}
    screen.show(found, lambda: _text(manifest, f"restored in {seconds:.1f} s, equal to what was saved"))
    return Exit.OK


def _without_secrets(manifest: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in manifest.items() if name != "administrator"}


def _text(manifest: dict[str, Any], last: str) -> str:
    rows = [
        [name, f"{sum(one['rows'] for one in store['tables'].values()):,}", f"{store['bytes'] / 1e6:,.1f}"]
        for name, store in manifest["stores"].items()
    ]
    return f"{table(['store', 'rows', 'MB'], rows, figures=(1, 2))}\n\nof {manifest['time']}; {last}"
