"""docs/operator/security.md names for every attack a test that is there; and what the page says of addresses holds."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "operator" / "security.md"
ROW = re.compile(r"^\| (\d+) \| .+ \| .+ \| `(test_\w+)` \|$")
TEST = re.compile(r"^ *(?:async )?def (test_\w+)\(", re.MULTILINE)
REASON = re.compile(r"^\| (\d+) \| [^|]+ \| [^|`]+ \|$")
ATTACKS = set(range(1, 49))  # the kinds of the list of attacks that the page follows
CLIENTS = {"httpx", "httpx2", "requests", "aiohttp", "urllib3", "http", "urllib", "ftplib", "smtplib"}
CLIENTS |= {"h11", "httpcore", "httpcore2", "websockets"}
# Who may open an address: the operator's provider of sign-ins and broker; what a webhook says, once it was looked at;
# one of ours, for health and for tests.
OPENERS = {
    "libs/chassis/src/chassis/check_health.py",
    "libs/chassis/src/chassis/testing/rabbit.py",
    "services/gateway/src/gateway/webhooks/sending.py",
    "services/directory/src/directory/broker_users.py",
    "services/directory/src/directory/provider.py",
}


def rows_of(page: str) -> list[tuple[int, str]]:
    """The rows that name a test: number and name."""
    return [(int(found[1]), found[2]) for line in page.splitlines() if (found := ROW.match(line))]


def reasons_of(page: str) -> set[int]:
    """The kinds of which the page says why no test tries them."""
    return {int(found[1]) for line in page.splitlines() if (found := REASON.match(line))}


def known_tests() -> set[str]:
    """The names of all tests."""
    folders = ("tests", "libs", "services", "cli")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("test_*.py")]
    return {name for path in paths for name in TEST.findall(path.read_text(encoding="utf-8"))}


def unknown_tests(page: str) -> set[str]:
    """The tests that a page names and that are not there."""
    return {name for _, name in rows_of(page)} - known_tests()


def test_every_attack_has_a_test_that_is_there() -> None:
    page = PAGE.read_text(encoding="utf-8")
    table = [line for line in page.splitlines() if re.match(r"^\| \d", line)]
    assert len(rows_of(page)) + len(reasons_of(page)) == len(table), "a row without a test"
    assert unknown_tests(page) == set()
    tried, told = {number for number, _ in rows_of(page)}, reasons_of(page)
    assert tried | told == ATTACKS, "a kind has a test or the reason why it has none"
    assert tried & told == set()


def test_a_row_whose_test_was_renamed_is_found() -> None:
    assert unknown_tests("| 1 | a | b | `test_that_never_was` |") == {"test_that_never_was"}


def opens_addresses(source: str) -> bool:
    """Whether a module takes in something that opens addresses; names of addresses, such as urllib.parse, do not."""
    return any(name.split(".")[0] in CLIENTS and name not in ("urllib.parse", "http") for name in _imported(source))


def _imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_no_service_opens_an_address_that_a_user_wrote() -> None:
    paths = [path for folder in ("libs", "services") for path in (ROOT / folder).glob("*/src/**/*.py")]
    openers = {str(path.relative_to(ROOT)) for path in paths if opens_addresses(path.read_text(encoding="utf-8"))}
    assert len(paths) > 300
    assert openers - OPENERS == set()
    assert opens_addresses("from urllib.request import urlopen")
    assert not opens_addresses("from urllib.parse import quote")
