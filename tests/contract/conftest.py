"""What the tests of the chart and of its commands share: a Python with Helm's library and Kubernetes' schemas."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.protos import ROOT

HELM = ROOT / "infra" / "helm"
INSTALL_SECONDS = 400


@pytest.fixture(scope="session")
def chart_tools() -> Path:
    """A Python with Helm's library and the schemas, made once a lock; skipped where there are none, in CI failed."""
    place, lock = ROOT / ".venv" / "chart-tools", HELM / "tools.lock"
    stamp = place / "installed.lock"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        uv = str(Path(sys.executable).parent / "uv")
        for words in (
            ("venv", "--quiet", "--clear", "--python", sys.executable, str(place)),
            ("pip", "sync", "--quiet", "--require-hashes", "--python", str(place / "bin" / "python"), str(lock)),
        ):
            ended = subprocess.run((uv, *words), capture_output=True, text=True, timeout=INSTALL_SECONDS)
            if ended.returncode and os.environ.get("BRANCHLINE_REQUIRE_ALL") != "1":
                pytest.skip(f"no tools for the chart: {ended.stderr[-300:]}")  # skip-ok: no registry here; CI has one
            assert ended.returncode == 0, ended.stderr
        stamp.write_bytes(lock.read_bytes())
    return place / "bin" / "python"
