"""What a check found, in the language of who reads it: by its code, since its own sentence is English.

The sentence of the finding says more (the very value, the numbers it might be); pages in other languages show it below.
"""

from __future__ import annotations

from gateway.web.texts import DEFAULT, current_texts
from gateway.web.texts import gettext as _


def finding_words() -> dict[str, str]:
    """What is wrong and what to do, by code; nothing for who reads English."""
    if current_texts().language == DEFAULT:
        return {}
    return _of_cells() | _of_names() | _of_tables() | _of_files()


def _of_cells() -> dict[str, str]:
    return {
        "percent_in_number_column": _(
            "A percentage stands where a number is expected. Set the cells to the number format."
        ),
        "date_in_number_column": _("A date stands where a number is expected. Type the number again."),
        "flag_in_number_column": _("Yes or no stands where a number is expected. Type the number."),
        "text_in_number_column": _("Text stands where a number is expected. Turn the cell into a number."),
        "money_in_thousands": _("The heading says that the sums are in thousands or millions: they are multiplied."),
        "foreign_currency": _("The money is in another currency than the branch's, as the heading or the cell says."),
        "several_currencies": _("A row has money in two currencies. Split it, or correct the sign."),
        "unknown_currency": _("This is no currency. Write its code, like EUR."),
        "number_too_large": _("The number is too large. Check the value."),
        "ambiguous_number": _("This can be two numbers. Say which sign is the decimal one."),
        "number_in_date_column": _("A number stands where a date is expected. Set the cells to a date format."),
        "text_in_date_column": _("This is no date. Correct the cell."),
        "impossible_date": _("There is no such day in the calendar. Correct the cell."),
        "ambiguous_dates": _("This can be two days. Say in which order dates are written."),
        "contradicting_date": _("The date is not written like the others of its column. Correct the cell."),
        "not_a_flag": _("This is neither yes nor no. Write one of them."),
        "not_a_period": _("This is no month, quarter or year. Write it like 2024-05."),
        "not_an_email": _("This is no e-mail address. It is kept as written."),
        "error_cell": _("The cell shows an error. Mend the formula in the file."),
        "text_too_long": _("The text is too long. Shorten it."),
        "missing_value": _("A value is missing that every row needs. Fill it in."),
        "fraction_not_allowed": _("The product's unit of measure allows no fractions. Correct the quantity."),
        "damaged_text": _("The text was damaged by a wrong encoding. Choose the right one."),
    }


def _of_names() -> dict[str, str]:
    unknown = _("This name is not known. Choose what it means, or have its rows refused.")
    made = _("This name is new and will be made.")
    names = ("product", "person", "organization", "stage", "unit", "user", "pipeline", "customer")
    return {
        **{f"unknown_{name}": unknown for name in names},
        **{f"new_{name}": made for name in names},
        "field_not_mapped": _("No column was found for something that is needed. Choose the column."),
        "own_field_gone": _("The column is for an own field that is not in use here. Choose another field."),
        "too_many_facts": _("A card keeps 50 further facts. Leave out columns that nobody needs."),
        "no_stage_column": _("The file has no stages. Choose the stage of its deals."),
    }


def _of_tables() -> dict[str, str]:
    return {
        "extra_cells": _("The row has more cells than the table has columns."),
        "missing_cells": _("The row has fewer cells than the table has columns."),
        "blank_header": _("A column has no heading."),
        "duplicate_header": _("Two columns have the same heading."),
        "no_header": _("No headings were found. The columns are numbered."),
        "no_data": _("No table was found. Choose another sheet or file."),
        "no_rows": _("The file has no rows of data. Choose another sheet or file."),
        "title_rows": _("Rows above the table are taken for its title."),
        "hidden_sheet": _("A hidden sheet is not read."),
        "hidden_rows": _("Hidden rows are read too."),
        "hidden_columns": _("Hidden columns are read too."),
        "merged_cells": _("Of merged cells the first one holds the value."),
        "skipped_row": _("The row was passed over."),
        "other_sheets": _("Other tables of the file are not read now."),
    }


def _of_files() -> dict[str, str]:
    return {
        "formula_without_value": _("Formulas have no stored value. Open the file, save it and upload it again."),
        "formats_unknown": _("The formats of cells could not be read: percentages look like plain numbers."),
        "macros_ignored": _("The workbook has macros. They are not run."),
        "wrong_file_name": _("The file's ending does not fit its content. It is read by its content."),
        "encoding_guessed": _("The encoding was guessed. Choose another one if letters look wrong."),
        "delimiter_guessed": _("The separator was guessed. Choose another one if columns look wrong."),
    }
