"""Every command that the operator's guide shows for the embedded platform does what it says, in the guide's order."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.guide_blocks import Block, list_blocks

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def workplace() -> Iterator[Path]:
    """A folder as an operator has it, with our command and nothing started."""
    place = Path(tempfile.mkdtemp(prefix="branchline-guide-"))
    file = place / "branchline"
    file.write_text(f'#!/bin/sh\nexec {sys.executable} -m branchline "$@"\n')
    file.chmod(0o755)
    yield place
    do("./branchline down", place)
    shutil.rmtree(place, ignore_errors=True)


def do(script: str, workplace: Path) -> subprocess.CompletedProcess[str]:
    """Run lines of shell in the folder, with the data below it."""
    mine = {key: value for key, value in os.environ.items() if not key.startswith("BRANCHLINE_")}
    told = {**mine, "BRANCHLINE_DATA": str(workplace / ".branchline")}
    return subprocess.run(("sh", "-euc", script), cwd=workplace, env=told, capture_output=True, text=True, timeout=240)


@pytest.mark.parametrize("block", list_blocks("embedded"), ids=lambda block: block.name)
def test_what_the_page_says_can_be_done(block: Block, workplace: Path) -> None:
    ended = do("\n".join(block.lines), workplace)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert block.prints in ended.stdout
