"""A platform of containers is saved by its own tools and put back as it was: counts, digests, and a new epoch."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from branchline.rest import Rest
from chassis.testing.eventually import eventually
from tests.compose.platforms import Composed
from tools.guide_blocks import Block, list_blocks

pytestmark = pytest.mark.timeout(1_800)
BUSY_SECONDS = 120.0  # of a machine that does much else


def blocks_of(page: str) -> list[Block]:
    """The page's blocks for containers."""
    return [block for block in list_blocks("compose") if block.page == page]


def make_person(rest: Rest, name: str) -> dict[str, Any]:
    """Record a person."""
    unit = rest.get("/units")["units"][0]["id"]
    made: dict[str, Any] = rest.post("/persons", {"display_name": name, "unit_id": unit}, key=str(uuid.uuid4()))
    return dict(made["person"])


def reported(rest: Rest) -> tuple[int, str]:
    """How many persons reporting has, and the digest of all it keeps."""
    found = rest.get("/freshness", with_digest="true")
    return int(found["counts"]["person"]), str(found["digest"])


def test_what_was_saved_comes_back_and_what_came_later_is_gone(composed: Composed, rest: Rest) -> None:
    before = reported(rest)[0]
    kept = make_person(rest, "Kept")
    eventually(lambda: reported(rest)[0] == before + 1, within=BUSY_SECONDS, every=0.5)
    saving, restoring = blocks_of("backup.md")
    told = "\n".join(composed.shell(line) for line in saving.lines)
    assert "saved in" in told
    at_saving = reported(rest)
    make_person(rest, "In a lost life")
    eventually(lambda: reported(rest)[0] == before + 2, within=BUSY_SECONDS, every=0.5)

    told = "\n".join(composed.shell(line) for line in restoring.lines)

    assert "equal to what was saved" in told
    composed.wait_until_it_answers()
    assert reported(rest) == at_saving
    assert rest.get(f"/persons/{kept['id']}")["display_name"] == "Kept"
    last = make_person(rest, "In its second life")
    spoken = f"SELECT epoch FROM event_log WHERE aggregate_id = '{last['id']}'"
    assert eventually(lambda: composed.sql("contacts", spoken), within=BUSY_SECONDS) == [["2"]]
    eventually(lambda: reported(rest)[0] == before + 2, within=BUSY_SECONDS, every=0.5)
