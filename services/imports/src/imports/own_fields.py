"""A company's own fields as fields of a kind: a column is mapped to one and read by what the field holds.

In a mapping such a field is `attributes.` with its key. contacts says which there are; its rules decide on each value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from chassis.access import is_below
from chassis.database import Database
from crm.contacts.v1 import contacts_pb2 as contacts
from imports.kinds import OWN, RECORD_TYPES, Field, FieldType, Kind
from imports.peers import PeerServices
from units.tables import unit

# All others are texts: whether one is a choice or an address is for the rules of the field.
TYPES: Mapping[int, FieldType] = {
    contacts.CUSTOMER_FIELD_TYPE_NUMBER: FieldType.NUMBER,
    contacts.CUSTOMER_FIELD_TYPE_MONEY: FieldType.MONEY,
    contacts.CUSTOMER_FIELD_TYPE_DATE: FieldType.DATE,
    contacts.CUSTOMER_FIELD_TYPE_YES_NO: FieldType.FLAG,
}


def with_own_fields(database: Database, peers: PeerServices, kind: Kind, unit_id: str) -> Kind:
    """The kind with the fields in use that the company made for cards of this unit; asks as whoever is called for."""
    if kind.name not in RECORD_TYPES:
        return kind
    request = contacts.ListCustomerFieldsRequest(record_type=RECORD_TYPES[kind.name])
    found = list(peers.read("contacts", "ListCustomerFields", request).customer_fields)
    wanted = {unit_id, *(one.unit_id for one in found if one.unit_id)}
    with database.reading() as work:
        rows = work.execute(sa.select(unit.c.id, unit.c.path).where(unit.c.id.in_(wanted)))
        paths = {str(row.id): row.path for row in rows}
    here = paths.get(unit_id, "")
    fields = [_field(one) for one in found if not one.unit_id or is_below(here, paths.get(one.unit_id, ""))]
    return replace(kind, fields=(*kind.fields, *fields))


def _field(one: Any) -> Field:
    words = (one.key, one.label, *one.labels.values())
    return Field(OWN + one.key, TYPES.get(one.type, FieldType.TEXT), one.label, words, key=one.key)
