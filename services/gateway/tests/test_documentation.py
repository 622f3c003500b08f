"""The examples of docs/integrator/rest.md, sent as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from .conftest import PASSWORD, Platform

PAGE = Path(__file__).resolve().parents[3] / "docs" / "integrator" / "rest.md"
EXAMPLE = re.compile(r"```http (\d{3})\n(.*?)```\n(?:<!-- keep (.*?) -->)?", re.DOTALL)


def test_every_example_is_answered_as_the_page_says(platform: Platform) -> None:
    known = {"PASSWORD": PASSWORD}
    client = platform.guest().client
    examples = EXAMPLE.findall(PAGE.read_text())
    assert len(examples) > 10
    for status, text, keeps in examples:
        request = re.sub(r"\$([A-Z]+)", lambda name: known[name[1]], text)
        head, _, body = request.partition("\n\n")
        first, *lines = head.splitlines()
        method, path = first.split(" ", 1)
        headers = dict(line.split(": ", 1) for line in lines)
        if "TOKEN" in known:
            headers["Authorization"] = f"Bearer {known['TOKEN']}"
        answer = client.request(method, path, headers=headers, content=body.strip() or None)
        assert answer.status_code == int(status), f"{first}: {answer.text}"
        platform.spread_units()
        for entry in filter(None, keeps.split("; ")):
            name, _, place = entry.partition(" = ")
            known[name] = _at(answer.json(), place)


def _at(value: Any, place: str) -> str:
    for part in place.split("."):
        value = value[part]
    return str(value)
