"""What every test of the repository shares: its tier, the chassis' PostgreSQL, and where the real data sets are."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no failure; where everything is required the same examples come each time.
settings.register_profile(
    "branchline",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    derandomize=os.environ.get("BRANCHLINE_REQUIRE_ALL") == "1",
)
settings.load_profile("branchline")

ROOT = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("BRANCHLINE_SHARED", ROOT.parent / "shared"))

pytest_plugins = ["chassis.testing.postgres"]

# First folder that fits; tests/ holds what spans services, one folder a tier.
TIER_OF_FOLDER = {
    "libs": "unit",
    "services": "service",
    "cli": "service",
    "tools": "unit",
    "tests/contract": "contract",
    "tests/integration": "integration",
    "tests/e2e": "e2e",
    "tests/browser": "browser",
    "tests/faults": "faults",
    "tests/compose": "compose",
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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything is required (CI), a run in which something was skipped has failed."""
    if os.environ.get("BRANCHLINE_REQUIRE_ALL") == "1" and list_skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say why such a run has failed."""
    if os.environ.get("BRANCHLINE_REQUIRE_ALL") == "1" and list_skipped(config):
        terminalreporter.write_line(f"{len(list_skipped(config))} skipped where everything is required", red=True)


def list_skipped(config: pytest.Config) -> list[object]:
    """List the reports of skipped tests; none where no terminal reports, as in a worker process."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.stats.get("skipped", []) if reporter else []


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Give the folder of a real data set by name; where the sets are absent the test is skipped, in CI it fails."""

    def find_data_set(name: str) -> Path:
        folder = SHARED / "data" / name
        if folder.is_dir():
            return folder
        if os.environ.get("CI") == "true" or os.environ.get("BRANCHLINE_REQUIRE_ALL") == "1":
            pytest.fail(f"data set {name} is not in {SHARED / 'data'}; set BRANCHLINE_SHARED")
        pytest.skip(f"data set {name} is not on this machine")  # skip-ok: sets live beside the checkout, not in it

    return find_data_set
