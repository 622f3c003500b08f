"""The child process of survey_apart.py: opens one file and answers each pass it is asked for, as survey_lines.py says.

Run as `python -m imports.survey_child '{"path": …}'`; the words of its standard input are passes. It ends with its
input, and with the process that started it.
"""

from __future__ import annotations

import gc
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from chassis.parent_death import end_with_parent
from imports.reading.cells import SourceRow
from imports.reading.limits import UnreadableFile
from imports.survey_lines import (
    AGAIN,
    LOOK,
    SURVEY,
    plain_findings,
    plain_refusal,
    plain_rows,
    plain_table,
    to_line,
)
from imports.workbook import GUESSED_FROM, FileSurvey, OpenedTable, open_survey

ROWS_A_LINE = 100  # a few of them fit into a pipe, so that the reading goes on while the other process stages
COLLECT_AFTER = 50_000  # objects: rows are no rings, so looking for some after each 700 finds nothing


def main() -> int:
    """Answer passes until there are no more words; a file that is refused ends it too."""
    request = json.loads(sys.argv[1])
    end_with_parent(request["parent"], signal.SIGKILL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    try:
        with closing(open_survey(Path(request["path"]), request["name"], request["options"])) as survey:
            _say("opened", survey.rows_in_sheets)
            for word in sys.stdin:
                _answer(survey, word.strip())
    except UnreadableFile as refusal:
        _say("refused", *plain_refusal(refusal))
    return 0


def _answer(survey: FileSurvey, word: str) -> None:
    if word == AGAIN:
        table = survey.table()
        _give_rows(table.rows())
        _end_pass(table)
        return
    if word == SURVEY:
        _give_rows(_surveyed(survey))
    elif word == LOOK:
        survey.look_through()
    table = survey.table()
    _say("table", plain_table(table))
    _end_pass(table)


def _surveyed(survey: FileSurvey) -> Iterator[SourceRow]:
    """The rows; what the first ones say of the columns is told before the last of them is given."""
    for count, row in enumerate(survey.rows(), 1):
        if count == GUESSED_FROM:
            _say("table", plain_table(survey.table()))
        yield row


def _give_rows(rows: Iterator[SourceRow]) -> None:
    for _, of_part in groupby(rows, key=itemgetter(0, 3)):
        held: list[SourceRow] = []
        for row in of_part:
            held.append(row)
            if len(held) == ROWS_A_LINE:
                _say("rows", *plain_rows(held))
                held = []
        if held:
            _say("rows", *plain_rows(held))


def _end_pass(table: OpenedTable) -> None:
    _say("end", table.skipped(), plain_findings(table.findings_after()))


def _say(*said: object) -> None:
    sys.stdout.buffer.write(to_line(*said))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
