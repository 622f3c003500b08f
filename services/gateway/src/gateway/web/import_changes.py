"""What a person does with an import run: reads it another way, maps columns, says what names mean, loads, ends."""

from __future__ import annotations

import itertools
from itertools import takewhile

from starlette.responses import Response

from chassis.errors import FieldInvalid, FieldViolation
from crm.imports.v1 import imports_pb2 as pb
from gateway.web.import_runs import read_run
from gateway.web.mounting import Page
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

SHEETS = "\n"  # between names of sheets, which may hold anything else
MOST_DIGITS = 9  # of a version, which has 32 bits
REFUSE, KEEP = "refuse", ""  # choices of the form that the contract spells otherwise


def change_reading(visit: Visit) -> Response:
    """Have the file read another way; it is checked again."""
    header = visit.field("header_row") or "0"
    if not header.removeprefix("-").isdecimal() or len(header) > 7:
        raise FieldInvalid(FieldViolation("options.header_row", _("is not the number of a row")))
    options = pb.ReadOptions(
        sheets=[name.strip() for name in visit.field("sheets").split(SHEETS) if name.strip()],
        encoding=visit.field("encoding"),
        delimiter=_as_sent(visit, "delimiter"),
        quote=_as_sent(visit, "quote"),
        header_row=int(header),
        decimal_sign=visit.field("decimal_sign"),
        date_order=visit.field("date_order"),
    )
    return _update(visit, pb.UpdateRunRequest(update_mask=["options"], options=options))


def change_columns(visit: Visit) -> Response:
    """Take columns for the fields a person chose; the file is checked again."""
    mapping = [
        pb.ColumnMapping(column=column.column, field=visit.field(f"field-{at}", column.field))
        for at, column in enumerate(read_run(visit).mapping)
    ]
    return _update(visit, pb.UpdateRunRequest(update_mask=["mapping"], mapping=mapping))


def use_template(visit: Visit) -> Response:
    """Take the columns, the reading and the meanings that a saved mapping has, in its newest or a named version."""
    run = read_run(visit)
    found = _find_template(visit, run.kind, visit.field("template_name"), visit.field("template_version"))
    fields = {column.column: column.field for column in found.mapping}
    mapping = [
        pb.ColumnMapping(column=column.column, field=fields[column.column])
        for column in run.mapping
        if column.column in fields
    ]
    change = pb.UpdateRunRequest(
        update_mask=["mapping", "options", "choices"], mapping=mapping, options=found.options, choices=found.choices
    )
    return _update(visit, change)


def save_template(visit: Visit) -> Response:
    """Save the mapping under a name."""
    asked = pb.SaveTemplateRequest(run_id=visit.path["run"], name=visit.field("name"))
    saved = visit.call("imports", "SaveTemplate", asked).template
    return visit.done(_("Saved as “%(name)s”, version %(version)s") % {"name": saved.name, "version": saved.version})


def change_choices(visit: Visit) -> Response:
    """Say what unknown names mean; the file is checked again."""
    choices = []
    for at in takewhile(lambda at: f"field-{at}" in visit.form, itertools.count()):
        wish, other = _as_sent(visit, f"meaning-{at}"), visit.field(f"other-{at}")
        if wish == KEEP and not other:
            continue
        meaning = other or ("" if wish == REFUSE else wish.removeprefix("="))
        choices.append(
            pb.ValueChoice(field=visit.field(f"field-{at}"), text=_as_sent(visit, f"text-{at}"), meaning=meaning)
        )
    if not choices:
        raise FieldInvalid(FieldViolation("choices", _("are missing; say of one name at least what it means")))
    return _update(visit, pb.UpdateRunRequest(update_mask=["choices"], choices=choices))


def confirm_run(visit: Visit) -> Response:
    """Load the run."""
    asked = pb.ConfirmRunRequest(run_id=visit.path["run"], etag=visit.field("etag"))
    visit.call("imports", "ConfirmRun", asked)
    return visit.go(f"/imports/{visit.path['run']}")


def cancel_run(visit: Visit) -> Response:
    """End the run; what is loaded stays."""
    visit.call("imports", "CancelRun", pb.CancelRunRequest(run_id=visit.path["run"]))
    return visit.go(f"/imports/{visit.path['run']}")


def undo_run(visit: Visit) -> Response:
    """Take back what the run did, or count what that would do."""
    asked = pb.UndoRunRequest(run_id=visit.path["run"], dry_run=visit.field("dry_run") == "yes")
    visit.call("imports", "UndoRun", asked)
    return visit.go(f"/imports/{visit.path['run']}")


def _find_template(visit: Visit, kind: str, name: str, version: str) -> pb.Template:
    if version and not (version.isascii() and version.isdigit() and len(version) <= MOST_DIGITS):
        raise FieldInvalid(FieldViolation("template_version", _("is not the number of a version")))
    asked = pb.ListTemplatesRequest(page_size=200, kind=kind, name=name)
    saved = visit.call("imports", "ListTemplates", asked) if name else pb.ListTemplatesResponse()
    if not saved.templates:
        raise FieldInvalid(FieldViolation("template_name", _("is none of the saved mappings; choose one")))
    newest = saved.templates[0]
    while True:
        found = next((one for one in saved.templates if one.version == int(version or newest.version)), None)
        if found is not None:
            return found
        if not saved.next_page_token:
            raise FieldInvalid(
                FieldViolation(
                    "template_version",
                    _("was never saved; the newest is %(newest)s") % {"newest": visit.texts.number(newest.version, 0)},
                )
            )
        asked.page_token = saved.next_page_token
        saved = visit.call("imports", "ListTemplates", asked)


def _as_sent(visit: Visit, name: str) -> str:
    """A field with the blanks at its ends, which may be what it is about."""
    value = visit.form.get(name, "")
    return value if isinstance(value, str) else ""


def _update(visit: Visit, change: pb.UpdateRunRequest) -> Response:
    change.run_id, change.etag = visit.path["run"], visit.field("etag")
    visit.call("imports", "UpdateRun", change)
    return visit.go(f"/imports/{change.run_id}")


PAGES = (
    Page("POST", "/imports/{run}/reading", change_reading),
    Page("POST", "/imports/{run}/columns", change_columns),
    Page("POST", "/imports/{run}/use-template", use_template),
    Page("POST", "/imports/{run}/template", save_template),
    Page("POST", "/imports/{run}/choices", change_choices),
    Page("POST", "/imports/{run}/confirm", confirm_run),
    Page("POST", "/imports/{run}/cancel", cancel_run),
    Page("POST", "/imports/{run}/undo", undo_run),
)
