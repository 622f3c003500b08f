"""What every test of the repository shares: its tier, taken from its folder, and where the shared data sets are."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("BRANCHLINE_SHARED", ROOT.parent / "shared"))

# First folder that fits; tests/ holds what spans services, one folder a tier.
TIER_OF_FOLDER = {
    "libs": "unit",
    "services": "service",
    "cli": "service",
    "tools": "unit",
    "tests/contract": "contract",
    "tests/integration": "integration",
    "tests/e2e": "e2e",
    "tests/faults": "faults",
    "tests/load": "load",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test with the tier of its folder, so that `-m unit` and `branchline test unit` mean the same."""
    for item in items:
        folder = item.path.relative_to(ROOT).as_posix()
        for start, tier in TIER_OF_FOLDER.items():
            if folder.startswith(f"{start}/"):
                item.add_marker(tier)
                break


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Give the folder of a shared data set by name; where the sets are absent the test is skipped, in CI it fails."""

    def find_data_set(name: str) -> Path:
        folder = SHARED / "data" / name
        if folder.is_dir():
            return folder
        if os.environ.get("CI") == "true":
            pytest.fail(f"data set {name} is not in {SHARED / 'data'}; set BRANCHLINE_SHARED")
        pytest.skip(f"data set {name} is not on this machine")  # skip-ok: sets live beside the checkout, not in it

    return find_data_set
