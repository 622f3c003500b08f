"""Fields that the contracts mark as confidential leave answers, and are not changed by those who may not see them."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from chassis.access import Access, Grant
from chassis.errors import NotPermitted
from chassis.hiding import holds_marks, marks_of, refuse_hidden, without_hidden
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.deals.v1 import deals_pb2 as deals

PERSON = contacts.Person(id="p", tax_id="7", channels=[contacts.Channel(value="+7495")])
LINE = deals.LineItem(quantity="2", discount="0.1")


def test_a_hidden_field_leaves_the_answer_and_is_named() -> None:
    answer = contacts.ListPersonsResponse(persons=[PERSON, contacts.Person(id="q")], next_page_token="t")
    shown = without_hidden(answer, ["customer.channels"])
    assert [list(one.channels) for one in shown.persons] == [[], []]
    assert [list(one.hidden_fields) for one in shown.persons] == [["channels"]] * 2  # whether there was a value or not
    assert (shown.persons[0].tax_id, shown.next_page_token) == ("7", "t")


def test_the_answer_itself_stays_as_it_was() -> None:
    answer = contacts.GetPersonResponse(person=PERSON)
    assert without_hidden(answer, ["customer.tax_id"]) is not answer
    assert answer.person.tax_id == "7"


def test_fields_deep_inside_are_found() -> None:
    board = deals.GetBoardResponse(columns=[deals.BoardColumn(count=1, deals=[deals.Deal(id="d", line_items=[LINE])])])
    (column,) = without_hidden(board, ["deal.amount"]).columns
    assert column.deals[0].line_items[0] == deals.LineItem(quantity="2")
    assert column.deals[0].hidden_fields == ["amount"]


@pytest.mark.parametrize("hidden", [(), ("interaction.summary",)])
def test_what_is_not_hidden_is_not_touched(hidden: tuple[str, ...]) -> None:
    answer = contacts.GetPersonResponse(person=PERSON)
    assert without_hidden(answer, hidden) == answer


def test_messages_without_marks_are_not_copied() -> None:
    answer = deals.ListPipelinesResponse()
    assert not holds_marks(deals.ListPipelinesResponse.DESCRIPTOR)
    assert without_hidden(answer, ["deal.amount"]) is answer


@pytest.mark.parametrize(
    ("request_message", "hidden"),
    [
        (contacts.UpdatePersonRequest(update_mask=FieldMask(paths=["channels"])), "customer.channels"),
        (contacts.UpdatePersonRequest(update_mask=FieldMask(paths=["address.city"])), "customer.address"),
        (deals.UpdateDealRequest(update_mask=FieldMask(paths=["title", "line_items"])), "deal.amount"),
    ],
)
def test_a_hidden_field_is_not_changed(request_message: Message, hidden: str) -> None:
    with pytest.raises(NotPermitted) as refusal:
        refuse_hidden(request_message, [hidden])
    assert refusal.value.metadata == {"field": hidden}
    refuse_hidden(request_message, ["activity.summary"])


def test_a_field_that_is_not_named_may_be_changed_beside_a_hidden_one() -> None:
    refuse_hidden(contacts.UpdatePersonRequest(update_mask=FieldMask(paths=["given_name"])), ["customer.channels"])


def test_marks_are_known_by_the_field_that_holds_them() -> None:
    assert marks_of(contacts.Person.DESCRIPTOR)["channels"] == {"customer.channels"}
    assert set(marks_of(deals.Deal.DESCRIPTOR)) == {"amount", "line_items"}


def test_what_is_hidden_travels_in_the_token() -> None:
    access = Access("u", grants=(Grant("read", "all"),), hidden=("deal.amount",))
    assert Access.from_claims(access.to_claims()) == access
    assert "hid" not in Access("u").to_claims()
    with pytest.raises(NotPermitted):
        access.require_shown("deal.amount", "sorted")
    access.require_shown("customer.tax_id", "sorted")
