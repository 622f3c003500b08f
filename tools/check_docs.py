"""Says where the documents mislead: links that lead nowhere, a README that grew past a page or lost its two commands.

python -m tools.check_docs
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from tools.protos import ROOT

README_LINES = 120
README_COMMANDS = ("./branchline demo", "./branchline test")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)[^)]*\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
ELSEWHERE = ("http://", "https://", "mailto:")


def list_documents(root: Path = ROOT) -> list[Path]:
    """List every Markdown file of the project, without what is installed or made."""
    hidden = {".venv", ".git", ".branchline", "node_modules"}
    documents = (path for path in root.rglob("*.md") if not hidden.intersection(path.relative_to(root).parts))
    return sorted(documents)


def check_links(document: Path, root: Path) -> Iterator[str]:
    """Every relative link leads to a file of the checkout, and its fragment to a heading there."""
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    for link in LINK.findall(text):
        if link.startswith(ELSEWHERE):
            continue
        address, _, fragment = unquote(link).partition("#")
        target = (document.parent / address).resolve() if address else document
        if not target.exists() or not target.is_relative_to(root.resolve()):
            yield f"{document.relative_to(root)}: {link} leads nowhere"
        elif fragment and target.suffix == ".md" and fragment not in list_anchors(target):
            yield f"{document.relative_to(root)}: {link} names no heading of {target.name}"


def list_anchors(document: Path) -> set[str]:
    """List the fragments that headings make: lower case, blanks as hyphens, punctuation gone."""
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+\s+(.+?)\s*$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_readme(root: Path) -> Iterator[str]:
    """The README stays a page and shows the two commands."""
    lines = (root / "README.md").read_text(encoding="utf-8").splitlines()
    if len(lines) >= README_LINES:
        yield f"README.md: {len(lines)} lines, {README_LINES - 1} are allowed"
    for command in README_COMMANDS:
        if not any(line.strip().startswith(command) for line in lines):
            yield f"README.md: does not show {command}"


def check_documents(root: Path = ROOT) -> list[str]:
    """List what is wrong with the documents of a checkout."""
    problems = [problem for document in list_documents(root) for problem in check_links(document, root)]
    return [*problems, *check_readme(root)]


def main(argv: list[str]) -> int:
    """Print every problem. Returns 1 when there is one."""
    if argv:
        print(__doc__)
        return 2
    problems = check_documents()
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
