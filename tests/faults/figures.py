"""The figures a fault test found, and docs/reliability.md, which shows them and is written anew by a run of all tests.

A pytest plugin: the option `--all`, the fixture `note_figures`, and the writing at the end of a run with `--all`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
COLUMNS = 5  # figures a row ends with
NOTHING = ("–",) * COLUMNS


@dataclass(frozen=True)
class Figures:
    """What a test counted; `seconds` until all that was waiting had its effect, None where nothing had to recover."""

    acknowledged: int
    lost: int
    doubled: int
    disordered: int
    seconds: float | None = None

    def cells(self) -> tuple[str, ...]:
        """The end of a row."""
        seconds = "–" if self.seconds is None else f"{self.seconds:.1f}"
        return (*(f"{one:,}" for one in (self.acknowledged, self.lost, self.doubled, self.disordered)), seconds)


Note = Callable[[Figures], None]
BOOK = pytest.StashKey[dict[str, Figures]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--all`."""
    parser.addoption(
        "--all", action="store_true", dest="all_faults", help="also the long fault tests; writes docs/reliability.md"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin with no figures."""
    config.stash[BOOK] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long tests out of a usual run; they are not part of it, so they are not skipped either."""
    if config.getoption("all_faults"):
        return
    long = [one for one in items if one.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [one for one in items if one not in long]


@pytest.fixture
def note_figures(request: pytest.FixtureRequest) -> Note:
    """Keeps the figures of the test that asks."""

    def note(figures: Figures) -> None:
        request.config.stash[BOOK][request.node.originalname] = figures
        print(f"\n{request.node.name}: {figures}")  # noqa: T201 (the figures are asked for)

    return note


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker process counted, where several run side by side."""
    told = getattr(node, "workeroutput", {}).get("figures", {})
    node.config.stash[BOOK].update({name: Figures(*values) for name, values in told.items()})


def pytest_sessionfinish(session: pytest.Session) -> None:
    """After a run with `--all`, show what it counted."""
    book = session.config.stash[BOOK]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = {name: astuple(one) for name, one in book.items()}
    elif session.config.getoption("all_faults") and book:
        PAGE.write_text(with_figures(PAGE.read_text(encoding="utf-8"), book), encoding="utf-8")


def with_figures(page: str, found: Mapping[str, Figures]) -> str:
    """The page with new figures in the rows of these tests; every other line as it is."""
    return "\n".join(_with_figures(line, found) for line in page.split("\n"))


def _with_figures(line: str, found: Mapping[str, Figures]) -> str:
    name = next((one for one in found if f"`{one}`" in line), "")
    if not name or not line.startswith("|"):
        return line
    cells = [one.strip() for one in line.strip("|").split("|")]
    return "| " + " | ".join([*cells[:-COLUMNS], *found[name].cells()]) + " |"
