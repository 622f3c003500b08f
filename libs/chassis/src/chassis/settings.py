"""Settings from the environment, or from a folder with a file a setting; all that is missing or wrong is named at once.

The folder is for secrets: what stands in an environment is seen by whoever may inspect a container.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

S = TypeVar("S")
FOLDER = "SETTINGS_FOLDER"  # the variable that names the folder


class SettingsInvalid(Exception):
    """One or more settings are missing or wrong; the message names each with the way out."""


def load_settings(kind: type[S], prefix: str, environ: Mapping[str, str] | None = None) -> S:
    """Fill a frozen dataclass from variables named like its fields.

    `CONTACTS_POOL_SIZE` is looked up first for prefix `CONTACTS_`, then `POOL_SIZE`, then the file `pool_size` of the
    folder that SETTINGS_FOLDER names. What is required may not be empty.
    Field types: str, int, float, bool (TypeError for others). Errors: SettingsInvalid with every trouble.
    """
    source = os.environ if environ is None else environ
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    troubles: list[str] = []
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        name = field.name.upper()
        text = source.get(prefix + name, source.get(name))
        if text is None:
            text = _read_file(source.get(FOLDER, ""), field.name)
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if text is None or (required and not text.strip()):
            if required:
                troubles.append(f"{prefix}{name} is not set ({field.metadata.get('help', 'required')})")
            continue
        try:
            values[field.name] = _parse(text, hints[field.name])
        except ValueError as trouble:
            troubles.append(f"{prefix}{name} is {text!r}: {trouble}")
    if troubles:
        raise SettingsInvalid("settings: " + "; ".join(troubles))
    return kind(**values)


def _read_file(folder: str, name: str) -> str | None:
    """What a file of the folder holds, without the line's end that editors and `echo` leave; None without the file."""
    if not folder:
        return None
    try:
        return Path(folder, name).read_text(encoding="utf-8").removesuffix("\n")
    except FileNotFoundError:
        return None


def _parse(text: str, kind: Any) -> Any:
    if kind is bool:
        if text.lower() in ("1", "true", "yes", "on"):
            return True
        if text.lower() in ("0", "false", "no", "off", ""):
            return False
        raise ValueError("expected true or false")
    if kind is int:
        return int(text)
    if kind is float:
        return float(text)
    if kind is str:
        return text
    raise TypeError(f"a setting cannot be of type {kind}")
