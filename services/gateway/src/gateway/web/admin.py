"""The administrator's pages: who may come in, and what their forms share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import wraps

from google.type import date_pb2
from starlette.responses import Response

from chassis.dates import to_date
from chassis.errors import FieldInvalid, FieldViolation, NotPermitted
from crm.directory.v1 import directory_pb2 as directory
from gateway.web.mounting import Page
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

Answer = Callable[[Visit], Response]


def for_administrators(answer: Answer) -> Answer:
    """The page for those who run the platform; others are refused. The services decide by themselves once more."""

    @wraps(answer)
    def guarded(visit: Visit) -> Response:
        if not visit.may_administer:
            raise NotPermitted(_("Only administrators may see this."))
        return answer(visit)

    return guarded


def kind_words() -> dict[int, str]:
    """What level of the organization a unit is."""
    return {
        directory.UNIT_KIND_COMPANY: _("Company"),
        directory.UNIT_KIND_REGION: _("Region"),
        directory.UNIT_KIND_BRANCH: _("Branch"),
        directory.UNIT_KIND_DEPARTMENT: _("Department"),
        directory.UNIT_KIND_TEAM: _("Team"),
    }


def read_day(visit: Visit, field: str, contract_field: str) -> date_pb2.Date | None:
    """A day of a form as the contract's date; None where it is empty. Errors: FieldInvalid."""
    text = visit.field(field)
    if not text:
        return None
    try:
        return to_date(date.fromisoformat(text))
    except ValueError:
        raise FieldInvalid(FieldViolation(contract_field, _("is not a day"))) from None


def read_choice(visit: Visit, field: str, contract_field: str) -> int:
    """A number of an enumeration from a form. Errors: FieldInvalid."""
    text = visit.field(field)
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise FieldInvalid(FieldViolation(contract_field, _("is missing; choose one")))
    return int(text)


def show_admin(visit: Visit) -> Response:
    """The first of the administrator's pages."""
    return visit.go("/admin/units")


PAGES = (Page("GET", "/admin", for_administrators(show_admin)),)
