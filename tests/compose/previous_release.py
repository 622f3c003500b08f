"""The release before this checkout: which commit it is, its files, its images.

It is the newest tag v* below HEAD. While there is none, `infra/compose/previous_release` names a commit; so does
BRANCHLINE_PREVIOUS, before both.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.compose.platforms import Composed
from tools.check_breaking import NoSuchCommit, run_git
from tools.protos import ROOT

NAMED = ROOT / "infra" / "compose" / "previous_release"
BUILT = ("setup", "directory", "contacts", "deals", "scheduling", "imports", "reporting", "gateway")
BUILD_SECONDS = 900.0  # of a machine that has none of the layers


def find_previous(root: Path = ROOT, named: Path = NAMED) -> str:
    """The commit of the release before. Errors: NoSuchCommit with the way out."""
    asked = os.environ.get("BRANCHLINE_PREVIOUS") or _newest_tag(root) or named.read_text(encoding="utf-8").strip()
    try:
        return run_git(root, "rev-parse", "--verify", f"{asked}^{{commit}}")
    except NoSuchCommit as trouble:
        raise NoSuchCommit(
            f"the release before, {asked}, is not in this clone: clone it whole (git fetch --unshallow --tags), "
            "or name another by BRANCHLINE_PREVIOUS"
        ) from trouble


def _newest_tag(root: Path) -> str:
    """The nearest tag v* behind HEAD, not HEAD's own; empty without one."""
    try:
        return run_git(root, "describe", "--tags", "--abbrev=0", "--match=v*", "HEAD~1")
    except NoSuchCommit:
        return ""


def export_release(commit: str, place: Path) -> None:
    """Write the files of a commit into a folder."""
    archive = subprocess.run(("git", "-C", str(ROOT), "archive", commit), capture_output=True, check=True).stdout
    subprocess.run(("tar", "-xf", "-"), cwd=place, input=archive, check=True)


def build_images(release: Composed) -> None:
    """Build the images of a release, unless this engine has them: a commit's images never change."""
    tag = release.variables["BRANCHLINE_VERSION"]
    names = [f"branchline/{'cli' if name == 'setup' else name}:{tag}" for name in BUILT]
    there = subprocess.run(("docker", "image", "inspect", *names), capture_output=True, check=False, timeout=60)
    if there.returncode != 0:
        release.compose("build", timeout=BUILD_SECONDS)
