"""What every test of the repository shares: its tier, the chassis' PostgreSQL, and where the real data sets are."""

import os
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

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

pytest_plugins = ["chassis.testing.postgres", "tests.faults.figures"]

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


WORTH_NAMING = 30.0  # seconds

# Several workers begin with what takes longest, so that none ends alone.
LONGEST_FIRST = ("compose", "faults", "browser", "e2e", "integration", "contract", "service", "unit", "load")
# Their files share nothing that is dear to start; the files of any other folder stay together, with its fixtures.
TIERS_BY_FILE = ("e2e", "integration", "load")
# Containers come and go with network interfaces, at which a browser drops what it was loading: one worker has both.
WITH_CONTAINERS = ("compose", "faults", "browser")
MORE_WITH_CONTAINERS = ("tests/contract/messaging/", "tests/e2e/test_rabbitmq.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark every test with the tier of its folder, so that `-m unit` and `branchline test unit` mean the same."""
    for item in items:
        item.add_marker(find_tier(item.nodeid))
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: LONGEST_FIRST.index(find_tier(item.nodeid)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Several workers share out groups of tests instead of classes and modules."""
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class Groups(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return name_group(nodeid)

    return Groups(config, log)


def find_tier(nodeid: str) -> str:
    """Name the tier of a test. Errors: StopIteration for a folder that has none."""
    return next(tier for folder, tier in TIER_OF_FOLDER.items() if nodeid.startswith(f"{folder}/"))


def name_group(nodeid: str) -> str:
    """Name what one worker runs as a whole: a file that starts a platform of its own, or a folder's tests."""
    path = PurePosixPath(nodeid.partition("::")[0])
    if find_tier(nodeid) in WITH_CONTAINERS or nodeid.startswith(MORE_WITH_CONTAINERS):
        return "containers"
    if find_tier(nodeid) in TIERS_BY_FILE:
        return str(path)
    return str(path.parent if path.parts[0] == "tests" else PurePosixPath(*path.parts[:2]))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything is required (CI), a run in which something was skipped has failed."""
    if os.environ.get("BRANCHLINE_REQUIRE_ALL") == "1" and list_skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say where a run of several workers spent its time, and why one has failed in which something was skipped."""
    for name, seconds in sum_by_group(terminalreporter):
        terminalreporter.write_line(f"{seconds:6.0f} s  {name}")
    if os.environ.get("BRANCHLINE_REQUIRE_ALL") == "1" and list_skipped(config):
        terminalreporter.write_line(f"{len(list_skipped(config))} skipped where everything is required", red=True)


def sum_by_group(reporter: pytest.TerminalReporter) -> list[tuple[str, float]]:
    """Sum the seconds of what took more than half a minute: a worker's whole group, and the files of a group."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for reports in reporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and hasattr(report, "node"):
                worker, file = report.node.gateway.id, report.nodeid.partition("::")[0]
                for name in (worker, f"{worker} {name_group(report.nodeid)}", f"{worker} {file}"):
                    seconds[name] += report.duration
    return sorted((name, spent) for name, spent in seconds.items() if spent > WORTH_NAMING)


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
