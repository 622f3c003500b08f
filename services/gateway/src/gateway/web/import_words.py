"""What the pages of imports call things: kinds of data, their fields, states of a run, fates of rows."""

from __future__ import annotations

from crm.imports.v1 import imports_pb2 as pb
from gateway.web.texts import gettext as _

FATES = ("created", "updated", "unchanged", "merged", "refused")
BEING_CHECKED = (pb.RUN_STATE_QUEUED, pb.RUN_STATE_INSPECTING, pb.RUN_STATE_CHECKING)
AT_WORK = (*BEING_CHECKED, pb.RUN_STATE_LOADING, pb.RUN_STATE_UNDOING)
ATTRIBUTE, OWN = "attribute", "attributes."  # a further fact; what begins the name of a company's own field
RECORD_TYPES = {"persons": "person", "organizations": "organization"}  # of cards, by the kind whose rows become them


def kind_words() -> dict[str, str]:
    """Each kind of data by name, as the choice of a new import shows it."""
    return {
        "persons": _("Persons"),
        "organizations": _("Organizations"),
        "products": _("Products"),
        "deals": _("Deals"),
        "plans": _("Plans"),
        "interactions": _("Calls, meetings and notes"),
        "employees": _("Employees"),
    }


def state_words(run: pb.Run) -> str:
    """Where a run stands, for people."""
    words = {
        pb.RUN_STATE_QUEUED: _("Waits to be read"),
        pb.RUN_STATE_INSPECTING: _("Being read"),
        pb.RUN_STATE_CHECKING: _("Being checked"),
        pb.RUN_STATE_WAITING: _("Stopped by findings") if run.blocked else _("Ready to load"),
        pb.RUN_STATE_LOADING: _("Loading"),
        pb.RUN_STATE_FINISHED: _("Finished"),
        pb.RUN_STATE_FAILED: _("Could not go on"),
        pb.RUN_STATE_CANCELLED: _("Ended by a person"),
        pb.RUN_STATE_UNDOING: _("Being undone"),
        pb.RUN_STATE_UNDONE: _("Undone"),
    }
    return words.get(run.state, "")


def fate_words() -> dict[str, str]:
    """What becomes of a row."""
    return {
        "created": _("new"),
        "updated": _("changed"),
        "unchanged": _("unchanged"),
        "merged": _("merged"),
        "refused": _("refused"),
    }


def fate_meanings() -> dict[str, str]:
    """What each fate means, in half a sentence."""
    return {
        "created": _("makes a new record"),
        "updated": _("its record takes new values"),
        "unchanged": _("its record says all of it already"),
        "merged": _("joins a record of another row, file or branch"),
        "refused": _("is not taken; the result file says why"),
    }


def kept_words() -> dict[str, str]:
    """Why a record stays although its import is undone."""
    return {
        "changed_since": _("changed by somebody since"),
        "said_since": _("another import speaks of it as well"),
        "merged": _("merged into another card"),
        "has_interactions": _("has calls, meetings or notes"),
        "has_members": _("persons belong to it"),
        "has_children": _("other organizations stand below it"),
        "in_use": _("deals or open activities name it"),
    }


def kept_field_words() -> dict[str, str]:
    """Fields of a card that stay as somebody changed them."""
    return {
        "display_name": _("Name"),
        "tax_id": _("Tax id"),
        "owner_id": _("Responsible"),
        "address": _("Address"),
        "birth_date": _("Birthday"),
        "industry": _("Industry"),
        "parent_id": _("Organization above"),
        "attributes": _("Further facts"),
    }


def severity_words() -> dict[str, str]:
    """How bad a finding is."""
    return {"error": _("Error"), "warning": _("Warning"), "info": _("Note")}


def field_words() -> dict[str, str]:
    """Each field of the kinds by name, as the column step offers it."""
    return _field_words_of_customers() | {
        "code": _("Article number"),
        "category": _("Group of products"),
        "unit_of_measure": _("Unit of measure"),
        "fraction_allowed": _("Fractions allowed"),
        "list_price": _("List price"),
        "currency": _("Currency"),
        "title": _("Title"),
        "person": _("Person"),
        "unit": _("Unit of the row"),
        "stage": _("Stage"),
        "open_date": _("Opened on"),
        "close_date": _("Won or lost on"),
        "expected_close_date": _("Expected on"),
        "amount": _("Amount"),
        "product": _("Product"),
        "quantity": _("Quantity"),
        "unit_price": _("Price of one"),
        "discount": _("Discount"),
        "loss_reason": _("Reason of the loss"),
        "loss_comment": _("Comment on the loss"),
        "business_line": _("Line of business"),
        "period": _("Period"),
        "start_date": _("First day"),
        "end_date": _("Last day"),
        "kind": _("Kind"),
        "occur_time": _("When it took place"),
        "author": _("Who had it"),
        "summary": _("What was said"),
        "outcome": _("Outcome"),
        "number": _("Number of the employee"),
    }


def _field_words_of_customers() -> dict[str, str]:
    return {
        "external_id": _("Number in the source"),
        "name": _("Name"),
        "tax_id": _("Tax number"),
        "phone": _("Telephone"),
        "email": _("E-mail"),
        "website": _("Web address"),
        "street": _("Street and house"),
        "city": _("Town"),
        "region": _("State or region"),
        "postal_code": _("Postal code"),
        "country": _("Country"),
        "industry": _("Industry"),
        "parent": _("Organization above it"),
        "owner": _("Responsible person"),
        "full_name": _("Whole name"),
        "parted_name": _("Whole name, to be parted"),
        "given_name": _("Given name"),
        "middle_name": _("Middle name"),
        "family_name": _("Family name"),
        "birth_date": _("Birthday"),
        "organization": _("Organization"),
        "organization_tax_id": _("Tax number of the organization"),
        "organization_external_id": _("Number of the organization in the source"),
        "role": _("Role"),
        "note": _("Note"),
    }


def origin_words() -> dict[str, str]:
    """Why a column was taken for a field."""
    return {
        "template": _("saved mapping"),
        "synonym": _("by its title"),
        "content": _("by its content"),
        "choice": _("chosen"),
    }


def cell_kind_words() -> dict[str, str]:
    """What the cells of a column hold."""
    return {
        "text": _("text"),
        "number": _("number"),
        "percent": _("per cent"),
        "date": _("date"),
        "datetime": _("date and time"),
        "time": _("time"),
        "flag": _("yes or no"),
        "error": _("error value"),
        "money": _("money"),
    }
