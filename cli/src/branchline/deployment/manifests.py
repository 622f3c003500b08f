"""The secrets of a folder as Kubernetes Secrets, one a part, named as the chart's sub-charts look for them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

PREFIX = "branchline-"


def list_manifests(folder: Path) -> dict[str, Any]:
    """A List with one Secret for each part's folder. Shapes: values are base64, as the API has them."""
    parts = sorted(path for path in folder.iterdir() if path.is_dir())
    return {"apiVersion": "v1", "kind": "List", "items": [_secret_of(part) for part in parts]}


def _secret_of(part: Path) -> dict[str, Any]:
    files = sorted(path for path in part.iterdir() if not path.name.startswith("."))
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": PREFIX + part.name, "labels": {"app.kubernetes.io/part-of": "branchline"}},
        "type": "Opaque",
        "data": {file.name: base64.b64encode(file.read_bytes()).decode() for file in files},
    }
