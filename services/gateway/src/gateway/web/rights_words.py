"""How actions, kinds of records, scopes and roles of the directory are called on a page, in the viewer's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chassis.access import (
    ADMINISTER,
    ALL,
    ASSIGN,
    AUDIT,
    CHANGE,
    CONFIGURE,
    CREATE,
    DELETE,
    EXPORT,
    IMPORT,
    OWN,
    PLAN,
    PROVISION,
    READ,
    SUBSCRIBE,
    SUBTREE,
    TEAM,
    WRITE,
)
from gateway.web.texts import gettext as _
from units import records

# Of units, not of single records: nobody owns what they speak of.
RULING = (PLAN, ADMINISTER, CONFIGURE, AUDIT, PROVISION)
SCOPES = ("", OWN, TEAM, f"{TEAM} {OWN}", SUBTREE, f"{SUBTREE} {OWN}", ALL)


def action_words() -> dict[str, str]:
    """What a right lets one do, in the order of the matrix."""
    return {
        READ: _("Read"),
        WRITE: _("Write: create, change, assign"),
        CREATE: _("Create"),
        CHANGE: _("Change"),
        ASSIGN: _("Give to others"),
        DELETE: _("Delete"),
        EXPORT: _("Export"),
        IMPORT: _("Import"),
        PLAN: _("Set plans"),
        ADMINISTER: _("Administer"),
        CONFIGURE: _("Configure"),
        AUDIT: _("See who may see what"),
        PROVISION: _("Bring people in and close them"),
        SUBSCRIBE: _("Tell systems outside"),
    }


def record_words() -> dict[str, str]:
    """Kinds of records; the empty one is every kind."""
    return {
        "": _("Every kind"),
        records.CUSTOMER: _("Customers"),
        records.INTERACTION: _("Interactions"),
        records.DEAL: _("Deals"),
        records.PLAN: _("Plans"),
        records.CATALOGUE: _("Products, pipelines"),
        records.ACTIVITY: _("Activities"),
        records.RUN: _("Imports"),
        records.STAFF: _("Units and people"),
    }


def scope_words() -> dict[str, str]:
    """How far a right reaches; the empty one is nowhere."""
    return {
        "": "–",
        OWN: _("own"),
        TEAM: _("unit alone"),
        f"{TEAM} {OWN}": _("unit alone, own"),
        SUBTREE: _("unit and below"),
        f"{SUBTREE} {OWN}": _("unit and below, own"),
        ALL: _("everywhere"),
    }


def role_name(code: str, name: str) -> str:
    """A role's name: of those every installation has in the viewer's language, of others as it was given."""
    built_in: dict[str, Callable[[], str]] = {
        "seller": lambda: _("Seller"),
        "assistant": lambda: _("Assistant"),
        "head": lambda: _("Head"),
        "branch_head": lambda: _("Head of a branch"),
        "steward": lambda: _("Data steward"),
        "security_officer": lambda: _("Security officer"),
        "administrator": lambda: _("Administrator"),
        "none": lambda: _("No rights"),
    }
    return built_in[code]() if code in built_in else name or code


def combine_scopes(scopes: Iterable[str]) -> str:
    """Several scopes of one right as the one of `SCOPES` that reaches as far."""
    said = set(scopes)
    if ALL in said:
        return ALL
    units = SUBTREE if SUBTREE in said else TEAM if TEAM in said else ""
    return " ".join(one for one in (units, OWN if OWN in said else "") if one)


def field_words() -> dict[str, str]:
    """Confidential fields, `kind.field`."""
    return {
        "customer.channels": _("Telephones, e-mails, messengers"),
        "customer.address": _("Postal address"),
        "customer.birth_date": _("Birthday"),
        "customer.tax_id": _("Tax id"),
        "customer.attributes": _("Other facts"),
        "interaction.summary": _("What was said"),
        "deal.amount": _("Amounts, prices, discounts"),
        "activity.description": _("Description"),
        "activity.summary": _("Result"),
    }


def group_name(records: str, code: str, name: str) -> str:
    """A group's name: of those every installation begins with in the viewer's language, until it gets another one."""
    first: dict[tuple[str, str, str], Callable[[], str]] = {
        ("customer", "contacts", "Telephones, e-mails, address"): lambda: _("Telephones, e-mails, address"),
        ("customer", "identity", "Date of birth, tax number"): lambda: _("Date of birth, tax number"),
        ("customer", "facts", "Facts of one's own"): lambda: _("Facts of one's own"),
        ("interaction", "content", "What was said"): lambda: _("What was said"),
        ("deal", "amounts", "Amounts and prices"): lambda: _("Amounts and prices"),
        ("activity", "content", "Description and result"): lambda: _("Description and result"),
    }
    return first[records, code, name]() if (records, code, name) in first else name
