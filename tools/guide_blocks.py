"""Which commands the operator's guide shows, and where each is run by a test; knows nothing of how they are run.

A block of commands begins with ```sh and the place where it runs, such as ```sh embedded, and may be followed by
<!-- prints: WORDS -->. Commands in running text are ours, which the command line must know, or stand in a block too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.protos import ROOT

GUIDE = ROOT / "docs" / "operator"
# Where blocks run: over an embedded platform, over docker compose, while a platform is upgraded, and over the chart.
PLACES = {
    "embedded": "tests/e2e/test_operator_guide.py",
    "compose": "tests/compose/test_operator_guide.py",
    "upgrade": "tests/compose/test_rolling_upgrade.py",
    "kubernetes": "tests/contract/test_operator_guide.py",
}
BLOCK = re.compile(r"^( *)```([^\n]*)\n(.*?)^ *```\n?(?:\s*<!-- prints: (.*?) -->)?", re.MULTILINE | re.DOTALL)
PLAIN = ("yaml", "json", "text", "env", "ini")  # what is shown and not run
INLINE = re.compile(r"`([^`\n]+)`")
COMMANDS = ("docker ", "helm ", "kubectl ", "rabbitmqctl ", "psql ", "git ", "apt-get ", "python ", "systemctl ")
OURS = "./branchline "


@dataclass(frozen=True)
class Block:
    """Commands that are run together: `lines` of shell on a page, what they must print, and under which heading."""

    page: str
    heading: str
    place: str
    lines: tuple[str, ...]
    prints: str

    @property
    def name(self) -> str:
        """How a test calls it."""
        return f"{self.page}: {self.heading}: {self.lines[0][:60]}"


def list_pages(guide: Path = GUIDE) -> list[Path]:
    """The guide's pages in the order in which its index names them."""
    index = guide / "index.md"
    named = re.findall(r"\]\(([a-z-]+\.md)\)", index.read_text(encoding="utf-8"))
    return [index, *(guide / name for name in named)]


def list_blocks(place: str = "", guide: Path = GUIDE) -> list[Block]:
    """Every block of commands of one place, of all without one, in the order in which the guide is read."""
    found = [block for page in list_pages(guide) for block in _blocks_of(page) if block.place not in PLAIN]
    return [block for block in found if not place or block.place == place]


def _blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        indent, kind, body, prints = found.groups()
        headings = re.findall(r"^#+ (.+)$", text[: found.start()], re.MULTILINE)
        lines = tuple(line.removeprefix(indent) for line in body.splitlines() if line.strip())
        place = kind.removeprefix("sh ") if kind.startswith("sh ") else kind
        yield Block(page.name, headings[-1] if headings else "", place, lines, prints or "")


def list_inline(guide: Path = GUIDE) -> list[tuple[str, str]]:
    """Every command in running text, with its page."""
    found = []
    for page in list_pages(guide):
        text = BLOCK.sub("", page.read_text(encoding="utf-8"))
        found += [(page.name, one) for one in INLINE.findall(text) if one.startswith((*COMMANDS, OURS))]
    return found


def check_guide(guide: Path = GUIDE) -> Iterator[str]:
    """Every page is in the index, every block has a place where it is run, every other command stands in a block."""
    for page in sorted({*guide.glob("*.md")} - set(list_pages(guide))):
        yield f"{page.name}: not named by index.md"
    for block in list_blocks(guide=guide):
        if block.place not in PLACES:
            yield f"{block.name}: ```{block.place} is run by no test; there are ```sh {', '.join(PLACES)}"
    shown = [line for block in list_blocks(guide=guide) for line in block.lines]
    for page_name, command in list_inline(guide):
        if not command.startswith(OURS) and not any(command.rstrip(" …") in line for line in shown):
            yield f"{page_name}: `{command}` stands in no block that is run"
