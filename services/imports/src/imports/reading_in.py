"""How the rows of a file get into the run's table: which column is which field, then every row staged.

Persons and organizations that refer to nothing are compared with the base on the way; where no fate is foretold, a file
is mostly read once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from imports.batches import Batch, StagedRow
from imports.cell_values import ColumnForm
from imports.findings import ERROR, WARNING, Finding
from imports.foretelling import LOOKED_UP, Foretelling
from imports.kinds import ATTRIBUTE, OWN, FieldType, Kind
from imports.mapping import propose_mapping
from imports.money_columns import MoneyForm, money_form
from imports.records import MAX_ATTRIBUTES, MappedColumn, RecordReader
from imports.row_checks import refused_values
from imports.run_context import LOADERS, Check, branch_defaults, load_context
from imports.runs import Pace, change_run, forget_rows
from imports.staging import Staged, stage_rows
from imports.tables import run
from imports.workbook import GUESSED_FROM, OpenedTable, Survey

MARKED_EVERY = 0.5  # seconds between progress marks
# Fields of which it matters how their columns are written: which sign is the decimal one, which number is the day.
FORMED = frozenset({FieldType.NUMBER, FieldType.MONEY, FieldType.FRACTION, FieldType.DATE, FieldType.TIME})


def stage_file(check: Check, survey: Survey) -> tuple[Staged, OpenedTable, bool]:
    """Stage every row; tells too whether the fates were foretold on the way."""
    found = None if check.foretells else _stage_in_one_pass(check, survey)
    if found is None:
        survey.look_through()  # to the end, before anything is read as anything
        table = survey.table()
        reader = _reader_of(check, table)
        on_the_way = check.foretells and _refers_to_nothing(reader) and not check.findings.blocking
        staged = _stage_and_foretell(check, table, reader) if on_the_way else _stage_only(check, table, reader)
    else:
        (staged, table, reader), on_the_way = found, False
    check.findings.extend(table.findings_after())
    check.findings.extend(staged.findings.worst_first())
    if reader.dates:
        with check.database.transaction() as work:
            days = {"first_date": min(reader.dates), "last_date": max(reader.dates)}
            work.execute(sa.update(run).where(run.c.id == check.run.id).values(**days))
    return staged, table, on_the_way


def _reader_of(check: Check, table: OpenedTable) -> RecordReader:
    """The reader of the table's rows; what it reads as what is shown from now on, with what is amiss."""
    kind = check.kind
    mapping = _show(check, table)
    check.findings.extend(table.findings)
    columns = _mapped(kind, table, mapping)
    check.findings.extend(_of_mapping(kind, mapping, columns))
    return _read_as(check, columns)


def _show(check: Check, table: OpenedTable) -> list[dict[str, Any]]:
    """Store which column is which field and how the file is read; answers the columns."""
    given = [one for one in check.run.mapping if one.get("origin") in ("choice", "template")]
    mapping = propose_mapping(check.kind, table.columns, given)
    with check.database.transaction() as work:
        changed = {"mapping": mapping, "detected": table.detected, "state": "checking", "message": "checks every row"}
        change_run(work, check.run.id, **changed)
    return mapping


def _read_as(check: Check, columns: list[MappedColumn]) -> RecordReader:
    with check.database.transaction() as work:
        defaults = branch_defaults(work, check.run.unit_id)
    return RecordReader(check.kind, columns, defaults, refused_values(check.run.choices))


def _stage_in_one_pass(check: Check, survey: Survey) -> tuple[Staged, OpenedTable, RecordReader] | None:
    """Stage rows as what the first of them say the columns are; None when the rest of the file says otherwise.

    It rarely does: a file is then read once instead of twice. What was staged in vain is thrown away.
    """
    kind = check.kind
    rows = survey.rows()
    first = list(islice(rows, GUESSED_FROM))
    guess = survey.table()
    columns = _mapped(kind, guess, _show(check, guess))
    reader = _read_as(check, columns)
    tell = _paced(check, survey.rows_in_sheets, 1.0)
    staged = stage_rows(check.database, check.run.id, reader, chain(first, rows), tell)
    table = survey.table()
    mapping = _show(check, table)
    if _mapped(kind, table, mapping) != columns:
        with check.database.transaction() as work:
            forget_rows(work, check.run.id)
        return None
    check.findings.extend(table.findings)
    check.findings.extend(_of_mapping(kind, mapping, columns))
    return staged, table, reader


def _refers_to_nothing(reader: RecordReader) -> bool:
    """Whether each row can be compared with the base as soon as it is read."""
    fields = (column.field for column in reader.columns if column.field is not None)
    return reader.kind.name in LOOKED_UP and all(field.type is not FieldType.REFERENCE for field in fields)


def _stage_only(check: Check, table: OpenedTable, reader: RecordReader) -> Staged:
    tell = _paced(check, table.expected_rows, 0.5 if check.foretells else 1.0)
    return stage_rows(check.database, check.run.id, reader, table.rows(), tell)


def _stage_and_foretell(check: Check, table: OpenedTable, reader: RecordReader) -> Staged:
    """Two things at once: while rows are read and stored, those before them are compared with the base."""
    context = load_context(check.database, check.peers, check.run.id, dry_run=True)
    tell = _paced(check, table.expected_rows, 1.0)
    load = LOADERS[check.run.kind]
    with Foretelling(
        check.database, context, load, check.run.user_id, lambda work, _: check.job.save(work)
    ) as foretelling:

        def ask(rows: Sequence[StagedRow]) -> None:
            for start in range(0, len(rows), check.settings.batch_rows):
                records = [[row] for row in rows[start : start + check.settings.batch_rows]]
                foretelling.ask(Batch(records, records[-1][0].place))

        staged = stage_rows(check.database, check.run.id, reader, table.rows(), tell, ask)
    check.findings.extend(foretelling.findings.worst_first())
    return staged


def _paced(check: Check, expected: int, share: float) -> Callable[[UnitOfWork, int], None]:
    pace = Pace(MARKED_EVERY)

    def tell(work: UnitOfWork, rows: int) -> None:
        if pace.is_due():
            done = min(rows / expected, 1.0) if expected else 0.5  # half-way is as good as any where nobody knows
            check.tell(done * share, f"{rows:,} rows checked", work)

    return tell


def _mapped(kind: Kind, table: OpenedTable, mapping: list[dict[str, Any]]) -> list[MappedColumn]:
    columns = []
    for place, one in enumerate(mapping):
        if one["field"] == ATTRIBUTE:
            columns.append(MappedColumn(place, one["column"], None))
        elif one["field"]:
            field = kind.field(one["field"])
            form = table.forms[place] if field is not None and field.type in FORMED else ColumnForm()
            is_money = field is not None and field.type is FieldType.MONEY
            money = money_form(one["column"]) if is_money else MoneyForm()
            columns.append(MappedColumn(place, one["column"], field, form, money))
    return columns


def _of_mapping(kind: Kind, mapping: list[dict[str, Any]], columns: Sequence[MappedColumn]) -> Iterator[Finding]:
    """What is amiss with the columns as they are mapped."""
    yield from _unmapped(kind, mapping)
    yield from _gone(kind, mapping)
    yield from _multiplied(columns)
    yield from _beyond(columns)


def _gone(kind: Kind, mapping: list[dict[str, Any]]) -> Iterator[Finding]:
    """Columns for fields of the company's own that there are not, or not here, or no longer."""
    for one in mapping:
        column, name = one["column"], one["field"]
        if name.startswith(OWN) and kind.field(name) is None:
            yield Finding(
                "own_field_gone",
                ERROR,
                f"column {column!r} is for the own field {name.removeprefix(OWN)!r}, which is not in use here",
                "choose another field for the column, or keep it as a further fact",
                column=column,
            )


def _beyond(columns: Sequence[MappedColumn]) -> Iterator[Finding]:
    """Columns that a card has no room for when all before them are filled."""
    own = sum(1 for one in columns if one.field is not None and one.field.key)
    beyond = [one.header for one in columns if one.field is None][max(MAX_ATTRIBUTES - own, 0) :]
    if beyond:
        named = ", ".join(beyond)[:400]
        yield Finding(
            "too_many_facts",
            WARNING,
            f"a card keeps {MAX_ATTRIBUTES} further facts; of a row with more, these are left out: {named}",
            "leave out columns that nobody needs",
            column=beyond[0],
        )


def _multiplied(columns: Sequence[MappedColumn]) -> list[Finding]:
    """Money that stands in thousands or millions, as its heading says."""
    return [
        Finding(
            "money_in_thousands",
            WARNING,
            f"the heading {one.header!r} says that 1 means {one.money.scale:,}: the values are multiplied",
            "write another heading if the cells hold the whole sums",
            column=one.header,
            value=one.header,
        )
        for one in columns
        if one.money.scale != 1
    ]


def _unmapped(kind: Kind, mapping: list[dict[str, Any]]) -> list[Finding]:
    """Required fields that no column feeds keep the file from loading."""
    fed = {one["field"] for one in mapping}
    if "parted_name" in fed:
        fed.add("full_name")
    groups = [(one.name,) for one in kind.fields if one.required] + list(kind.needs)
    return [
        Finding(
            "field_not_mapped",
            ERROR,
            f"no column was found for {' or '.join(names)}",
            f"choose the column; the file has {', '.join(one['column'] for one in mapping)}"[:500],
        )
        for names in groups
        if not fed.intersection(names)
    ]
