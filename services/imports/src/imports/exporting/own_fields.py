"""The columns that a company's own fields are: each is named by its key, as files with it are imported again.

In a request such a column is `own.` with the field's id, since a key may hold any sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis.errors import FieldInvalid, FieldViolation
from chassis.ids import is_id
from crm.contacts.v1 import contacts_pb2 as contacts
from imports.exporting.cells import DATE, NUMBER, TEXT, Around
from imports.exporting.lists import Column, ExportList
from imports.peers import PeerServices

OWN = "own."
TYPES = {contacts.CUSTOMER_FIELD_TYPE_NUMBER: NUMBER, contacts.CUSTOMER_FIELD_TYPE_DATE: DATE}


def is_own(found: ExportList, name: str) -> bool:
    """Whether a name may be that of a field of the list's records; which there are is asked when they are read."""
    return bool(found.own_fields_of) and name.startswith(OWN) and is_id(name.removeprefix(OWN))


def choose_columns(peers: PeerServices, found: ExportList, names: Sequence[str]) -> list[tuple[str, Column]]:
    """The columns by their names in requests: those named, else all, with the own fields that are in use.

    Errors: FieldInvalid for a field that there is not.
    """
    own = _ask(peers, found) if found.own_fields_of and (not names or any(is_own(found, one) for one in names)) else []
    if not names:
        in_use = [(OWN + one.id, _column(found, one)) for one in own if not one.retired]
        return [*((one.name, one) for one in found.columns), *in_use]
    known = {OWN + one.id: _column(found, one) for one in own}
    chosen = [(name, found.column(name) or known.get(name)) for name in names]
    gone = [name for name, column in chosen if column is None]
    if gone:
        raise FieldInvalid(FieldViolation("columns", f"has {gone[0]}, which is no field any more; choose others"))
    return [(name, column) for name, column in chosen if column is not None]


def _ask(peers: PeerServices, found: ExportList) -> list[contacts.CustomerField]:
    asked = contacts.ListCustomerFieldsRequest(record_type=found.own_fields_of, with_retired=True)
    return list(peers.read("contacts", "ListCustomerFields", asked).customer_fields)


def _column(found: ExportList, one: contacts.CustomerField) -> Column:
    def read(record: Any, _: Around) -> str:
        return str(record.attributes.get(one.key, ""))

    taken = found.column(one.key) is not None  # a heading that stands there already
    return Column(f"{one.key} (own)" if taken else one.key, read, TYPES.get(one.type, TEXT))
