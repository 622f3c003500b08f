"""Rows of files become cards: one a customer, each row with one fate, nothing lost, nothing twice."""

from __future__ import annotations

from collections import Counter

from contacts.tables import affiliation, organization, person, provenance
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import a_row


def names(fates):
    return [pb.Fate.Name(one.fate).removeprefix("FATE_").lower() for one in fates]


def test_rows_become_cards_with_their_organizations(contacts):
    rows = [
        a_row(f"Иван {n}", phone=f"+7916000{n:04d}", organization=f"ООО Рога {n % 3}", role="директор")
        for n in range(30)
    ]
    fates = contacts.import_persons(*rows, run="r1")
    assert Counter(names(fates)) == {"created": 30}
    assert contacts.count(organization) == 3
    assert len(contacts.events("PersonCreated")) == 30
    assert len(contacts.events("OrganizationCreated")) == 3
    assert contacts.count(affiliation) == 30
    assert contacts.count(provenance) == 30
    shown = contacts.call("GetPerson", pb.GetPersonRequest(person_id=fates[0].record_id)).person
    [membership] = shown.affiliations
    assert (membership.organization_name, membership.role) == ("ООО Рога 0", "директор")
    assert membership.organization_id == fates[0].organization_id


def test_the_same_file_again_changes_nothing(contacts):
    rows = [
        a_row(f"Иван {n}", phone=f"8 (916) 000-{n:02d}-00", organization="Рога", external_id=str(n)) for n in range(20)
    ]
    rows += [a_row("Иван 3", phone="+79160000300", organization="РОГА", external_id="999")]
    first = contacts.import_persons(*rows, run="r1")
    assert names(first) == ["created"] * 20 + ["merged"]
    assert first[20].record_id == first[3].record_id
    events = len(contacts.events("PersonCreated", "PersonUpdated", "OrganizationUpdated"))
    again = contacts.import_persons(*rows, run="r2")
    assert names(again) == ["unchanged"] * 21
    assert len(contacts.events("PersonCreated", "PersonUpdated", "OrganizationUpdated")) == events
    assert contacts.count(person) == 20
