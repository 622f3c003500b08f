"""Shows when ./branchline has the browser's files installed, and that no command fails for want of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAIN = "import sys\nprint('ran', *sys.argv[1:])\n"
SECONDS = 280.0  # a busy machine is slow at making environments
INSTALLING = "import sys\nsys.stderr.write('installing assets\\n')\nsys.exit({status})\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing to install but assets, with a gateway that only says that it does."""
    web = tmp_path / "services" / "gateway" / "src" / "gateway" / "web"
    line = tmp_path / "cli" / "src" / "branchline"
    for folder in (web / "vendor", line):
        folder.mkdir(parents=True)
    (line / "__main__.py").write_text(MAIN, encoding="utf-8")
    (web / "installing.py").write_text(INSTALLING.format(status=1), encoding="utf-8")
    (tmp_path / "services" / "gateway" / "assets.lock").write_text("version 1\n", encoding="utf-8")
    (tmp_path / "requirements.lock").write_text("# nothing\n", encoding="utf-8")
    shutil.copy(ROOT / "branchline", tmp_path / "branchline")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").symlink_to(Path(sys.executable).parent / "uv")
    return tmp_path


def run(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command as its user does."""
    path = f"{checkout / 'bin'}:/usr/bin:/bin"
    given = {"PATH": path, "BRANCHLINE_PYTHON": sys.executable, "UV_OFFLINE": "1"}
    command = [str(checkout / "branchline"), *words]
    return subprocess.run(command, env=given, capture_output=True, text=True, check=False, timeout=SECONDS)


def test_only_commands_that_open_pages_install_and_a_failure_stops_none(checkout: Path) -> None:
    for words, installs in ((("up", "--detach"), True), (("--json", "test"), True), (("report", "funnel"), False)):
        ended = run(checkout, *words)
        assert (ended.returncode, ended.stdout) == (0, f"ran {' '.join(words)}\n"), ended.stderr
        assert ("installing assets" in ended.stderr) is installs, words


def test_files_of_the_present_lock_are_not_installed_again_and_those_of_another_are(checkout: Path) -> None:
    lock = checkout / "services" / "gateway" / "assets.lock"
    shutil.copy(lock, checkout / "services" / "gateway" / "src" / "gateway" / "web" / "vendor" / "installed.lock")
    assert "installing assets" not in run(checkout, "up").stderr
    lock.write_text("version 2\n", encoding="utf-8")
    assert "installing assets" in run(checkout, "up").stderr
