"""The steps of each service's schema are one line: a file a step, each after the one before it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SERVICES = Path(__file__).resolve().parents[2] / "services"
SAID = re.compile(r'^(down_revision|revision) = (?:"(\w+)"|None)', re.MULTILINE)


@pytest.mark.parametrize("service", sorted(one.parents[1].name for one in SERVICES.glob("*/migrations/versions")))
def test_every_step_follows_the_one_before_it(service: str) -> None:
    files = sorted((SERVICES / service / "migrations/versions").glob("*.py"))
    said = [dict(SAID.findall(one.read_text())) for one in files]
    assert [one["revision"] for one in said] == [one.name.partition("_")[0] for one in files]
    assert [one["down_revision"] for one in said] == ["", *(one["revision"] for one in said[:-1])]
