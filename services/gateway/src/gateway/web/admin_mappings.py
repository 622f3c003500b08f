"""Saved mappings of imports: which column of a file is which field, so that next month needs no second look."""

from __future__ import annotations

from starlette.responses import Response

from crm.imports.v1 import imports_pb2 as pb
from gateway.web.admin import for_administrators
from gateway.web.import_words import field_words, kind_words
from gateway.web.imports import user_names
from gateway.web.mounting import Page
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

ROWS = 50


def show_mappings(visit: Visit) -> Response:
    """Each in its newest version, or all versions of one: its columns, and what written names mean."""
    asked = pb.ListTemplatesRequest(page_size=ROWS, page_token=visit.query.get("page", ""))
    if visit.query.get("kind", "") in kind_words():
        asked.kind = visit.query["kind"]
        asked.name = visit.query.get("name", "")
    found = visit.gather(templates=("imports", "ListTemplates", asked))["templates"]
    templates, names = found.templates if found else [], field_words()
    return visit.render(
        "admin/mappings.html",
        help="imports",
        place="mappings",
        away=None if found else found,
        templates=templates,
        next_token=found.next_page_token if found else "",
        users=user_names(visit, {one.user_id for one in templates}),
        kinds=kind_words(),
        kind=asked.kind,
        name=asked.name,
        meanings=[
            [(names.get(choice.field, choice.field), choice.text, choice.meaning) for choice in one.choices]
            for one in templates
        ],
        fields={"": _("left out"), "attribute": _("a further fact")} | names,
    )


PAGES = (Page("GET", "/admin/mappings", for_administrators(show_mappings)),)
