"""Every command that the operator's guide shows for containers does what the page says, in the order of the guide."""

from __future__ import annotations

import pytest

from tests.compose.platforms import Composed
from tools.guide_blocks import Block, list_blocks

pytestmark = pytest.mark.timeout(1_800)
# Saving and putting back has a test of its own, which looks at what is in the databases then.
BLOCKS = [block for block in list_blocks("compose") if block.page != "backup.md"]
# What the platform of these tests was brought up by, and what is run while a platform is upgraded.
RUN_ALREADY = ("docker compose up --detach",)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_what_the_page_says_can_be_done(block: Block, composed: Composed) -> None:
    printed = [composed.shell(line) for line in block.lines if line not in RUN_ALREADY]

    composed.wait_until_it_answers()
    assert block.prints in "\n".join(printed)
