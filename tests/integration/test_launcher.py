"""Shows that ./branchline makes a complete .venv once, from anywhere, and never takes a half-made one for complete."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAIN = "import os, sys\nprint(sys.prefix, *sys.argv[1:])\n"
LONGEST = 100  # seconds; making a venv with pip takes five on a busy machine

Start = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing to install, in a folder whose name has a blank."""
    root = tmp_path / "a checkout"
    for package in ("libs/values/src/values", "services/deals/src/deals", "cli/src/branchline"):
        (root / package).mkdir(parents=True)
        (root / package / "__init__.py").touch()
    (root / "cli" / "src" / "branchline" / "__main__.py").write_text(MAIN, encoding="utf-8")
    (root / "requirements.lock").write_text("# nothing\n", encoding="utf-8")
    shutil.copy(ROOT / "branchline", root / "branchline")
    return root


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """No network, and uv on the path, which makes a venv faster than pip."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "uv").symlink_to(Path(sys.executable).parent / "uv")
    return {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "BRANCHLINE_PYTHON": sys.executable,
        "UV_OFFLINE": "1",
        "PIP_NO_INDEX": "1",
    }


@pytest.fixture
def start(checkout: Path, environment: dict[str, str]) -> Start:
    """Run the command to its end."""

    def run(*arguments: str, program: Path = checkout / "branchline", **more: str) -> subprocess.CompletedProcess[str]:
        command = [str(program), *arguments]
        return subprocess.run(
            command, cwd="/", env=environment | more, capture_output=True, text=True, check=False, timeout=LONGEST
        )

    return run


def test_the_first_start_installs_and_runs_the_command(start: Start, checkout: Path) -> None:
    result = start("report", "a name with blanks")

    assert result.stdout == f"{checkout / '.venv'} report a name with blanks\n"
    assert "installed" in result.stderr


def test_a_later_start_installs_nothing(start: Start) -> None:
    start()

    assert start("status").stderr == ""


def test_the_command_runs_through_a_symlink(start: Start, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("a checkout/branchline")

    assert start("status", program=link).stdout.endswith(".venv status\n")


def test_a_changed_lock_is_installed(start: Start, checkout: Path) -> None:
    start()
    (checkout / "requirements.lock").write_text("# nothing, but written otherwise\n", encoding="utf-8")

    assert "installed" in start().stderr


def test_without_uv_pip_installs(start: Start, checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "bin" / "uv").unlink()
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"

    result = start("status", PATH=path)

    assert result.stdout.endswith(".venv status\n"), result.stderr


def test_a_failed_installation_is_not_believed_and_can_be_repeated(start: Start, checkout: Path) -> None:
    lock = checkout / "requirements.lock"
    lock.write_text(f"nothing-of-that-name==1 --hash=sha256:{'0' * 64}\n", encoding="utf-8")

    for _ in range(2):
        failed = start("status")
        assert failed.returncode == 1
        assert "the installation failed" in failed.stderr
        assert failed.stdout == ""

    lock.write_text("# nothing\n", encoding="utf-8")
    assert start("status").returncode == 0


def test_a_half_made_environment_is_made_again(start: Start, checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to("/nowhere/python")

    assert start("status").returncode == 0


def test_of_several_first_starts_one_installs(checkout: Path, environment: dict[str, str]) -> None:
    starts = [
        subprocess.Popen(
            [checkout / "branchline", "status"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    results = [process.communicate(timeout=LONGEST) for process in starts]

    assert [process.returncode for process in starts] == [0] * 4
    assert sum("branchline: installed" in errors for _, errors in results) == 1


def test_the_lock_of_a_process_that_is_gone_is_taken_away(start: Start, checkout: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "install.lock").symlink_to(f"{socket.gethostname()}:{gone.pid}")

    assert start("status").returncode == 0
    assert not (checkout / ".venv" / "install.lock").is_symlink()


def test_a_new_package_is_on_the_path_at_the_next_start(start: Start, checkout: Path) -> None:
    start()
    package = checkout / "services" / "scheduling" / "src" / "scheduling"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (checkout / "cli" / "src" / "branchline" / "__main__.py").write_text("import scheduling\n", encoding="utf-8")

    assert start().returncode == 0


def test_a_machine_without_a_fitting_python_is_told_so(start: Start) -> None:
    result = start(BRANCHLINE_PYTHON="/nowhere/python")

    assert result.returncode == 1
    assert "no Python 3.11 or newer found" in result.stderr


def test_a_python_without_venv_names_the_package(start: Start, tmp_path: Path) -> None:
    python = tmp_path / "bin" / "bare-python"
    python.write_text(f'#!/bin/sh\ncase $2 in "import venv"*) exit 1 ;; esac\nexec {sys.executable} "$@"\n', "utf-8")
    python.chmod(0o755)

    result = start(BRANCHLINE_PYTHON=str(python))

    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert result.returncode == 1
    assert f"apt-get install python{version}-venv" in result.stderr
