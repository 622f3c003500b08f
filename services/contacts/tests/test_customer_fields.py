"""Fields of a company's own: made without a programmer, held to in every door, found by, and retired when unused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.access import ADMINISTER, ALL, READ, SUBTREE, WRITE, Access, Grant
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import (
    HQ,
    MOSCOW,
    MOSCOW_SELLER,
    TULA,
    TULA_SELLER,
    Contacts,
    Refusal,
    a_person,
    a_row,
    fates_of,
    id_of,
)

ADMINISTRATOR = Access(id_of("admin"), "Admin", HQ, tuple(Grant(action, ALL) for action in (READ, WRITE, ADMINISTER)))
HEAD_OF_TULA = Access(
    id_of("head"), "Head", TULA, tuple(Grant(one, SUBTREE, "hq.tula") for one in (READ, WRITE, ADMINISTER))
)
NUMBER, DATE = pb.CUSTOMER_FIELD_TYPE_NUMBER, pb.CUSTOMER_FIELD_TYPE_DATE
CHOICE, CHOICES = pb.CUSTOMER_FIELD_TYPE_CHOICE, pb.CUSTOMER_FIELD_TYPE_CHOICES


def make(contacts: Contacts, label: str, access: Access = ADMINISTRATOR, **more: Any) -> pb.CreateCustomerFieldResponse:
    """A field made by an administrator, a line of text of persons if nothing else is said."""
    values = {"record_type": "person", "type": pb.CUSTOMER_FIELD_TYPE_TEXT, **more}
    field = pb.CustomerField(label=label, **values)
    answer = contacts.call("CreateCustomerField", pb.CreateCustomerFieldRequest(customer_field=field), access)
    assert isinstance(answer, pb.CreateCustomerFieldResponse)
    return answer


def change(contacts: Contacts, field: pb.CustomerField, **values: Any) -> pb.CustomerField:
    """The field after a change of these properties."""
    answer = contacts.call("UpdateCustomerField", changed(field, **values), ADMINISTRATOR).customer_field
    assert isinstance(answer, pb.CustomerField)
    return answer


def changed(field: pb.CustomerField, **values: Any) -> pb.UpdateCustomerFieldRequest:
    return pb.UpdateCustomerFieldRequest(
        customer_field=pb.CustomerField(id=field.id, **values), update_mask=FieldMask(paths=values), etag=field.etag
    )


def rewrite(contacts: Contacts, card: pb.Person, attributes: Mapping[str, str]) -> pb.Person:
    """The person with other attributes."""
    answer = contacts.call("UpdatePerson", rewritten(card, attributes)).person
    assert isinstance(answer, pb.Person)
    return answer


def rewritten(card: pb.Person, attributes: Mapping[str, str]) -> pb.UpdatePersonRequest:
    person = pb.Person(id=card.id, attributes=attributes)
    return pb.UpdatePersonRequest(person=person, update_mask=FieldMask(paths=["attributes"]), etag=card.etag)


def names(contacts: Contacts, *conditions: str, access: Access = ADMINISTRATOR) -> list[str]:
    """Names of the persons that a list with these conditions has."""
    request = pb.ListPersonsRequest(field_conditions=conditions)
    return [one.display_name for one in contacts.call("ListPersons", request, access).persons]


def test_a_field_is_offered_and_held_to_as_soon_as_it_is_made(contacts: Contacts, refusal: Refusal) -> None:
    made = make(contacts, "Рост", key="height", type=NUMBER, labels={"en": "Height"}).customer_field
    listed = contacts.call("ListCustomerFields", pb.ListCustomerFieldsRequest(record_type="person"), MOSCOW_SELLER)
    assert list(listed.customer_fields) == [made]
    card = contacts.create(name="Иван", attributes={"height": " 180,50 "}).person
    assert card.attributes == {"height": "180.5"}
    wrong = refusal("CreatePerson", pb.CreatePersonRequest(person=a_person("Пётр", attributes={"height": "tall"})))
    assert wrong.violations[0].field == "person.attributes[height]"
    assert "write it as -12.5" in wrong.violations[0].description
    assert refusal("UpdatePerson", rewritten(card, {"height": "tall"})).reason == "FIELD_INVALID"


def test_rules_are_the_same_for_rows_of_files_and_headings_mean_fields(contacts: Contacts) -> None:
    make(contacts, "Рост", key="height", type=NUMBER, labels={"en": "Height, cm"})
    make(contacts, "Size", type=CHOICE, choices=["S", "M"], required=True)
    good = a_row("Иван Петров", phone="+79160000001", attributes={"height cm": "180", "SIZE": "m"})
    tall = a_row("Пётр Иванов", phone="+79160000002", attributes={"рост": "tall", "size": "M"})
    without = a_row("Анна Иванова", phone="+79160000003", attributes={"рост": "160"})
    first, second, third = contacts.import_persons(good, tall, without)
    assert fates_of([first, second, third]) == ["created", "refused", "refused"]
    assert (second.reason, third.reason) == ("field_not_a_number", "field_missing")
    assert "Size" in third.message
    card = contacts.call("GetPerson", pb.GetPersonRequest(person_id=first.record_id)).person
    assert card.attributes == {"height": "180", "Size": "M"}
    [known] = contacts.import_persons(a_row("Иван Петров", phone="+79160000001"), run="next")
    assert fates_of([known]) == ["unchanged"]  # a card that has its size already is not asked again


def test_values_that_cards_had_before_are_found_by_the_new_field(contacts: Contacts) -> None:
    contacts.create(name="Иван", attributes={"рост": "180"})
    contacts.create(name="Пётр", attributes={"рост": "as a tree"})
    made = make(contacts, "Рост", key="рост", type=NUMBER)
    assert made.adopted == 2
    assert names(contacts, "рост>=170") == ["Иван"]
    assert sorted(names(contacts, "рост=*")) == ["Иван", "Пётр"]


def test_what_no_longer_fits_stays_until_somebody_changes_it(contacts: Contacts, refusal: Refusal) -> None:
    card = contacts.create(name="Пётр", attributes={"рост": "as a tree"}).person
    make(contacts, "Рост", key="рост", type=NUMBER)
    card = rewrite(contacts, card, {"рост": "as a tree", "hobby": "sails"})
    assert card.attributes["hobby"] == "sails"
    assert refusal("UpdatePerson", rewritten(card, {"рост": "as a house"})).reason == "FIELD_INVALID"
    assert rewrite(contacts, card, {"рост": "190"}).attributes == {"рост": "190"}


def test_lists_are_narrowed_by_fields_and_counted(contacts: Contacts, refusal: Refusal) -> None:
    make(contacts, "Height", type=NUMBER)
    make(contacts, "Met", type=DATE)
    make(contacts, "Likes", type=CHOICES, choices=["Tea", "Coffee", "Milk"])
    contacts.create(name="Anna", attributes={"Height": "99.5", "Met": "2024-05-09", "Likes": "milk; tea"})
    boris = contacts.create(name="Boris", attributes={"Height": "180", "Met": "10.05.2024", "Likes": "Coffee"}).person
    contacts.create(name="Clara")
    assert names(contacts, "Height>=100") == ["Boris"]
    assert names(contacts, "Height<=100") == ["Anna"]
    assert names(contacts, "Met>=2024-05-09", "Met<=2024-05-09") == ["Anna"]
    assert names(contacts, "likes=TEA") == ["Anna"]
    assert names(contacts, "Height=") == ["Clara"]
    count = contacts.call("CountCustomers", pb.CountCustomersRequest(field_conditions=["Height=*"]), ADMINISTRATOR)
    assert (count.persons, count.organizations) == (2, 0)
    rewrite(contacts, boris, {"Height": "90"})
    assert names(contacts, "Height<=100") == ["Anna", "Boris"]
    assert names(contacts, "Likes=Coffee") == []
    for wrong in ("Height", "Weight=5", "Likes>=Tea", "Height>=tall", "Height>="):
        error = refusal("ListPersons", pb.ListPersonsRequest(field_conditions=[wrong]))
        assert error.violations[0].field == "field_conditions", wrong


def test_a_reader_finds_by_fields_only_whom_the_reader_may_see(contacts: Contacts) -> None:
    make(contacts, "Height", type=NUMBER)
    contacts.create(name="Anna", attributes={"Height": "170"}, unit_id=MOSCOW)
    assert names(contacts, "Height=170", access=MOSCOW_SELLER) == ["Anna"]
    assert names(contacts, "Height=170", access=TULA_SELLER) == []


def test_a_department_has_fields_of_its_own(contacts: Contacts, refusal: Refusal) -> None:
    make(contacts, "Meter", HEAD_OF_TULA, required=True, unit_id=TULA)
    make(contacts, "Tariff", HEAD_OF_TULA, default_value="day", unit_id=TULA)
    elsewhere = pb.CustomerField(record_type="person", label="X", type=NUMBER, unit_id=MOSCOW)
    refused = refusal("CreateCustomerField", pb.CreateCustomerFieldRequest(customer_field=elsewhere), HEAD_OF_TULA)
    assert refused.reason == "NOT_PERMITTED"
    assert contacts.create(name="Anna", unit_id=MOSCOW).person.attributes == {}
    error = refusal("CreatePerson", pb.CreatePersonRequest(person=a_person("Boris", unit_id=TULA)))
    assert (error.violations[0].field, "Meter" in error.violations[0].description) == ("person.attributes[Meter]", True)
    card = contacts.create(name="Boris", unit_id=TULA, attributes={"Meter": "7"}).person
    assert card.attributes == {"Meter": "7", "Tariff": "day"}
    assert "fill in Meter" in refusal("UpdatePerson", rewritten(card, {})).violations[0].description
    for unit, labels in ((MOSCOW, []), (TULA, ["Meter", "Tariff"])):
        listed = contacts.call("ListCustomerFields", pb.ListCustomerFieldsRequest(unit_id=unit)).customer_fields
        assert [one.label for one in listed] == labels


def test_a_new_label_breaks_nothing_and_a_type_never_changes(contacts: Contacts, refusal: Refusal) -> None:
    made = make(contacts, "Size", type=CHOICE, choices=["S", "M"]).customer_field
    contacts.create(name="Anna", attributes={"Size": "S"})
    renamed = change(contacts, made, label="Shirt", choices=["S", "M", "L"])
    assert (renamed.key, renamed.label, renamed.etag) == ("Size", "Shirt", "2")
    assert names(contacts, "Size=S") == names(contacts, "shirt=S") == ["Anna"]
    error = refusal("UpdateCustomerField", changed(renamed, type=NUMBER), ADMINISTRATOR)
    assert "make another field and retire this one" in error.violations[0].description
    assert refusal("UpdateCustomerField", changed(made, label="Hat"), ADMINISTRATOR).reason == "STALE_ETAG"


def test_a_retired_field_keeps_its_values_and_asks_for_none(contacts: Contacts, refusal: Refusal) -> None:
    made = make(contacts, "Size", required=True).customer_field
    card = contacts.create(name="Anna", attributes={"Size": "S"}).person
    retired = change(contacts, made, retired=True)
    assert contacts.create(name="Boris").person.attributes == {}
    assert contacts.call("GetPerson", pb.GetPersonRequest(person_id=card.id)).person.attributes == {"Size": "S"}
    assert not contacts.call("ListCustomerFields", pb.ListCustomerFieldsRequest()).customer_fields
    with_retired = pb.ListCustomerFieldsRequest(with_retired=True)
    assert contacts.call("ListCustomerFields", with_retired).customer_fields == [retired]
    again = pb.CustomerField(record_type="person", label="Size", type=NUMBER)
    taken = refusal("CreateCustomerField", pb.CreateCustomerFieldRequest(customer_field=again), ADMINISTRATOR)
    assert taken.reason == "CUSTOMER_FIELD_KNOWN"


def test_what_nobody_fills_in_is_reported_first(contacts: Contacts, refusal: Refusal) -> None:
    unused, used = (make(contacts, label).customer_field for label in ("Unused", "Used"))
    made = make(contacts, "Firm's", record_type="organization").customer_field
    contacts.create(name="Anna", attributes={"Used": "x"})
    contacts.create(name="Boris")
    request = pb.ReportCustomerFieldUseRequest()
    uses = contacts.call("ReportCustomerFieldUse", request, ADMINISTRATOR).uses
    told = [(one.customer_field_id, one.filled, one.records, one.HasField("last_use_time")) for one in uses]
    assert told == [(made.id, 0, 0, False), (unused.id, 0, 2, False), (used.id, 1, 2, True)]
    assert refusal("ReportCustomerFieldUse", request, MOSCOW_SELLER).reason == "NOT_PERMITTED"


def test_events_carry_the_values_of_fields_and_the_fields_themselves(contacts: Contacts) -> None:
    made = make(contacts, "Height", type=NUMBER).customer_field
    card = contacts.create(name="Anna", attributes={"Height": "170", "hobby": "sails"}).person
    rewrite(contacts, card, {"Height": "171"})
    change(contacts, made, label="Tall")
    [person], [moved] = contacts.events("PersonCreated"), contacts.events("PersonUpdated")
    assert person.person.personal.fields == {"Height": "170"}
    assert moved.person.personal.fields == {"Height": "171"}
    [field], [renamed] = contacts.events("CustomerFieldCreated"), contacts.events("CustomerFieldUpdated")
    assert (field.customer_field.key, field.customer_field.type) == ("Height", "number")
    assert renamed.customer_field.label == "Tall"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"label": ""}, "label"),
        ({"label": "a>b"}, "key"),
        ({"key": "a=b"}, "key"),
        ({"label": "x" * 101}, "label"),
        ({"record_type": "deal"}, "record_type"),
        ({"type": pb.CUSTOMER_FIELD_TYPE_UNSPECIFIED}, "type"),
        ({"type": CHOICE}, "choices"),
        ({"choices": ["a"]}, "choices"),
        ({"type": CHOICE, "choices": ["a;b"]}, "choices"),
        ({"type": NUMBER, "default_value": "many"}, "default_value"),
        ({"labels": {"english": "x"}}, "labels"),
        ({"position": -1}, "position"),
    ],
)
def test_a_field_that_could_not_work_is_refused(
    contacts: Contacts, refusal: Refusal, values: Mapping[str, Any], field: str
) -> None:
    asked = pb.CustomerField(**{"record_type": "person", "label": "X", "type": pb.CUSTOMER_FIELD_TYPE_TEXT, **values})
    error = refusal("CreateCustomerField", pb.CreateCustomerFieldRequest(customer_field=asked), ADMINISTRATOR)
    assert error.violations[0].field == f"customer_field.{field}"


def test_only_who_configures_makes_fields(contacts: Contacts, refusal: Refusal) -> None:
    asked = pb.CustomerField(record_type="person", label="X", type=NUMBER)
    request = pb.CreateCustomerFieldRequest(customer_field=asked)
    assert refusal("CreateCustomerField", request, MOSCOW_SELLER).reason == "NOT_PERMITTED"
    assert refusal("CreateCustomerField", request, HEAD_OF_TULA).reason == "NOT_PERMITTED"


def test_merged_cards_are_found_by_what_the_survivor_says_and_back_again(contacts: Contacts) -> None:
    make(contacts, "Height", type=NUMBER)
    kept = contacts.create(name="Anna", attributes={"Height": "170"}).person
    gone = contacts.create(name="Anna Ivanova", attributes={"Height": "160"}).person
    cards = [pb.MergedCard(id=card.id, etag=card.etag) for card in (kept, gone)]
    request = pb.MergeCustomersRequest(record_type="person", survivor_id=kept.id, cards=cards)
    merge_id = contacts.call("MergeCustomers", request).merge_id
    assert names(contacts, "Height=*") == ["Anna"]
    contacts.call("UnmergeCustomers", pb.UnmergeCustomersRequest(merge_id=merge_id))
    assert names(contacts, "Height=160") == ["Anna Ivanova"]
