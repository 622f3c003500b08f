"""What a check tells: a trouble of a column once, each unknown name by itself, and always what blocks."""

from __future__ import annotations

from imports.findings import ERROR, INFO, MOST_FINDINGS, Finding, Findings


def unknown(name: str) -> Finding:
    return Finding("unknown_user", ERROR, f"there is no user {name!r}", column="Seller", value=name)


def test_the_same_trouble_of_a_column_is_told_once_with_its_cells() -> None:
    found = Findings()
    for row in (2, 3):
        found.add(Finding("not_a_date", ERROR, "no date", cell=f"B{row}", row=row, column="Day"))
    (one,) = found.worst_first()
    assert (one.count, one.cells) == (2, ["B2", "B3"])


def test_each_unknown_name_is_a_question_of_its_own() -> None:
    found = Findings()
    for name in ("Moses", "Darcel", "Moses"):
        found.add(unknown(name), apart=name)
    assert [(one.value, one.count) for one in found.worst_first()] == [("Moses", 2), ("Darcel", 1)]


def test_what_blocks_is_kept_behind_any_number_of_notes() -> None:
    found = Findings()
    for at in range(MOST_FINDINGS + 10):
        found.add(Finding("skipped_row", INFO, "left out", row=at), apart=str(at))
    assert not found.blocking
    found.add(unknown("Moses"))
    assert found.blocking
    assert found.worst_first()[0].value == "Moses"
    assert found.dropped == 10
