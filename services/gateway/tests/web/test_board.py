"""What the board answers: a move brings the columns it touched, news of a stage its column, a stale move the whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

COLUMN = re.compile(r'<section class="bl-column[^"]*" id="column-([0-9a-f-]{36})"')
WHOLE = 'id="board"'


@dataclass(frozen=True)
class Board:
    """A seller at a board of three stages with one deal in the first."""

    browser: Any
    path: str
    stages: list[str]
    deal: dict[str, Any]

    def move(self, stage: int, **fields: str) -> Any:
        """Move the deal as the board's script does."""
        values = {"stage": self.stages[stage], "etag": self.deal["etag"], **fields}
        return self.browser.post(f"/deals/{self.deal['id']}/move?{self.path}", values)


@pytest.fixture
def board(admin: Any, a_branch: Callable[..., Any], a_visitor: Callable[..., Any]) -> Board:
    """A board of its own."""
    unit = a_branch()
    stages = [{"name": name, "kind": "open"} for name in ("First", "Second", "Third")]
    stages += [{"name": "Won", "kind": "won"}, {"name": "Lost", "kind": "lost"}]
    pipeline = admin.post("/pipelines", {"name": f"Columns {unit['code']}", "stages": stages})
    deal = admin.post("/deals", {"title": "Cupboard", "unit_id": unit["id"], "pipeline_id": pipeline["id"]})
    ids = [one["id"] for one in pipeline["stages"]]
    path = f"view=board&pipeline={pipeline['id']}&unit={unit['id']}"
    return Board(a_visitor(unit, "head"), path, ids, deal)


def test_a_move_answers_the_two_columns_it_touched(board: Board) -> None:
    answer = board.move(2)
    assert (answer.status_code, answer.headers["x-moved"]) == (200, "yes")
    assert sorted(COLUMN.findall(answer.text)) == sorted([board.stages[0], board.stages[2]])
    assert WHOLE not in answer.text
    there, here = answer.text.split("<hx-partial")[1:3]
    assert f"column-{board.stages[2]}" in there
    assert "Cupboard" in there
    assert "Cupboard" not in here
    assert "Cupboard is now in Third" in answer.text


def test_a_move_that_somebody_else_made_first_answers_the_whole_board_as_it_is(board: Board) -> None:
    board.move(1)
    answer = board.move(2)
    assert (answer.status_code, answer.headers["x-moved"]) == (409, "no")
    assert WHOLE in answer.text
    assert COLUMN.findall(answer.text) == board.stages


def test_a_column_is_fetched_by_itself_as_it_stands_on_the_page(board: Board) -> None:
    page = board.browser.get(f"/deals?{board.path}").text
    column = next(one for one in re.findall(r"<section.*?</section>", page, re.DOTALL) if board.stages[0] in one)
    path = re.search(r'hx-get="(/deals/column[^"]+)"', column)
    assert path
    assert f'data-live="stage:{board.stages[0]}"' in column
    alone = board.browser.part(path[1].replace("&amp;", "&"))
    assert COLUMN.findall(alone.text) == board.stages[:1]
    assert re.sub(r"\s+", "", column) in re.sub(r"\s+", "", alone.text)


def test_no_column_is_answered_for_a_stage_that_is_none(board: Board) -> None:
    answer = board.browser.part(f"/deals/column?{board.path}&stage=nonsense")
    assert answer.status_code == 200
    assert not COLUMN.findall(answer.text)
