"""The secrets of a folder as Kubernetes Secrets, one a part, named as the chart's sub-charts look for them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from branchline.deployment.certificates import AUTHORITY

PREFIX = "branchline-"


def list_manifests(folder: Path) -> dict[str, Any]:
    """A List with one Secret for each part's folder. Shapes: values are base64, as the API has them.

    Of a folder of certificates the authority's own key stays where it is.
    """
    certificates = (folder / AUTHORITY).is_dir()
    prefix = f"{PREFIX}certificates-" if certificates else PREFIX
    parts = sorted(path for path in folder.iterdir() if path.is_dir() and path.name != AUTHORITY)
    return {"apiVersion": "v1", "kind": "List", "items": [_secret_of(part, prefix) for part in parts]}


def _secret_of(part: Path, prefix: str) -> dict[str, Any]:
    files = sorted(path for path in part.iterdir() if not path.name.startswith("."))
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": prefix + part.name, "labels": {"app.kubernetes.io/part-of": "branchline"}},
        "type": "Opaque",
        "data": {file.name: base64.b64encode(file.read_bytes()).decode() for file in files},
    }
