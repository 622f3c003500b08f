"""Cards of one customer become one, with all that is theirs; the other ids lead to it; undone, all is as it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa
from google.protobuf import field_mask_pb2

from chassis.access import ALL, Access, Grant
from chassis.errors import RemoteError
from contacts.tables import interaction
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import (
    ACTIONS,
    HQ,
    MOSCOW,
    MOSCOW_SELLER,
    STEWARD,
    TULA,
    TULA_SELLER,
    Contacts,
    Refusal,
    a_phone,
    a_row,
    an_access,
    fates_of,
    id_of,
)


def merge(contacts: Contacts, *cards: Any, access: Access = STEWARD, **more: Any) -> pb.MergeCustomersResponse:
    """Merge cards as they were read into the first one."""
    return contacts.call("MergeCustomers", asked(*cards, **more), access)  # type: ignore[no-any-return]


def asked(*cards: Any, **more: Any) -> pb.MergeCustomersRequest:
    named = [pb.MergedCard(id=card.id, etag=card.etag) for card in cards]
    record_type = "person" if isinstance(cards[0], pb.Person) else "organization"
    return pb.MergeCustomersRequest(record_type=record_type, survivor_id=cards[0].id, cards=named, **more)


def undo(contacts: Contacts, merge_id: str, access: Access = STEWARD) -> pb.UnmergeCustomersResponse:
    request = pb.UnmergeCustomersRequest(merge_id=merge_id)
    return contacts.call("UnmergeCustomers", request, access)  # type: ignore[no-any-return]


def read(contacts: Contacts, person_id: str, access: Access = STEWARD) -> pb.GetPersonResponse:
    return contacts.call("GetPerson", pb.GetPersonRequest(person_id=person_id), access)  # type: ignore[no-any-return]


def log(contacts: Contacts, **who: Any) -> pb.Interaction:
    talk = pb.Interaction(kind=pb.INTERACTION_KIND_CALL, summary="Asked for a price", unit_id=MOSCOW, **who)
    found = contacts.call("LogInteraction", pb.LogInteractionRequest(interaction=talk))
    return found.interaction  # type: ignore[no-any-return]


def talks(contacts: Contacts, **of: Any) -> list[tuple[str, str]]:
    found = contacts.call("ListInteractions", pb.ListInteractionsRequest(**of)).interactions
    return sorted((one.id, one.person_id or one.organization_id) for one in found)


def two(contacts: Contacts) -> tuple[pb.Person, pb.Person]:
    """Two cards of one person, of two branches."""
    first = contacts.create(name="Vsevolod Granin", phone="+7 495 123-45-67", unit_id=MOSCOW, owner_id=id_of("natasha"))
    other = contacts.create(
        name="Vsevolod Grannin", email="granin@vega.example", unit_id=TULA, owner_id=id_of("pyotr"),
        attributes={"color": "green"},
    )  # fmt: skip
    return first.person, other.person


def an_organization(contacts: Contacts, name: str, **more: Any) -> pb.Organization:
    asked = pb.Organization(display_name=name, **{"unit_id": MOSCOW, **more})
    made = contacts.call("CreateOrganization", pb.CreateOrganizationRequest(organization=asked))
    return made.organization  # type: ignore[no-any-return]


def test_a_dry_run_tells_the_card_and_what_to_choose_and_changes_nothing(contacts: Contacts) -> None:
    first, other = two(contacts)
    log(contacts, person_id=other.id)
    before = contacts.snapshot()
    told = merge(contacts, first, other, dry_run=True)
    assert (told.person.display_name, told.merge_id, told.interactions) == ("Vsevolod Granin", "", 1)
    assert list(told.differing_fields) == ["display_name", "owner_id"]
    assert contacts.snapshot() == before


def test_the_survivor_has_what_all_cards_said_and_the_values_that_were_chosen(contacts: Contacts) -> None:
    first, other = two(contacts)
    one = merge(contacts, first, other, choices={"display_name": other.id}).person
    assert (one.id, one.display_name, one.owner_id) == (first.id, "Vsevolod Grannin", id_of("natasha"))
    assert {channel.value for channel in one.channels} == {"+74951234567", "granin@vega.example"}
    assert dict(one.attributes) == {"color": "green"}
    assert set(one.unit_ids) == {MOSCOW, TULA}
    assert [hit.id for hit in contacts.call("SearchCustomers", pb.SearchCustomersRequest(query="grannin")).hits] == [
        first.id
    ]


def test_the_id_of_a_merged_card_leads_to_the_survivor_wherever_it_is_read(contacts: Contacts) -> None:
    first, other = two(contacts)
    merge(contacts, first, other)
    found = read(contacts, other.id)
    assert (found.person.id, found.merged_id, read(contacts, first.id).merged_id) == (first.id, other.id, "")
    batch = contacts.call("BatchGetPersons", pb.BatchGetPersonsRequest(person_ids=[other.id, first.id]))
    assert ([one.id for one in batch.persons], dict(batch.survivors)) == ([first.id], {other.id: first.id})
    names = contacts.call("BatchGetCustomerNames", pb.BatchGetCustomerNamesRequest(person_ids=[other.id]))
    assert dict(names.person_names) == {other.id: "Vsevolod Granin"}
    assert dict(names.survivors) == {other.id: first.id}
    talk = log(contacts, person_id=first.id)
    assert talks(contacts, person_id=other.id) == [(talk.id, first.id)]


def test_a_chain_of_merges_leads_to_its_end(contacts: Contacts) -> None:
    first, other = two(contacts)
    third = contacts.create(name="V. Granin", email="v@granin.example").person
    one = merge(contacts, first, other).person
    merge(contacts, third, one)
    assert read(contacts, other.id).person.id == third.id


def test_writing_to_a_merged_card_is_refused_with_the_survivors_id(contacts: Contacts, refusal: Refusal) -> None:
    first, other = two(contacts)
    merge(contacts, first, other)
    change = pb.UpdatePersonRequest(
        person=pb.Person(id=other.id, display_name="X"), etag=other.etag,
        update_mask=field_mask_pb2.FieldMask(paths=["display_name"]),
    )  # fmt: skip
    talk = pb.LogInteractionRequest(
        interaction=pb.Interaction(kind=pb.INTERACTION_KIND_NOTE, summary="Late", unit_id=MOSCOW, person_id=other.id)
    )
    for refused in (refusal("UpdatePerson", change), refusal("LogInteraction", talk)):
        assert (refused.reason, refused.metadata["survivor_id"]) == ("CUSTOMER_MERGED", first.id)
    refused = refusal("MergeCustomers", asked(first, other))
    assert refused.reason in ("CUSTOMER_MERGED", "STALE_ETAG")


def test_whoever_may_not_see_the_survivor_is_not_told_of_it(contacts: Contacts, refusal: Refusal) -> None:
    first, other = two(contacts)
    merge(contacts, first, other)
    outsider = an_access(MOSCOW, "own", "outsider")
    assert refusal("GetPerson", pb.GetPersonRequest(person_id=other.id), outsider).reason == "PERSON_NOT_FOUND"


def test_a_row_of_a_file_finds_the_survivor_by_the_number_of_the_merged_card(contacts: Contacts) -> None:
    row = a_row("Pavel Orlov", email="orlov@a.example", external_id="77")
    [fate] = contacts.import_persons(row, run="1")
    merged = read(contacts, fate.record_id).person
    survivor = contacts.create(name="Pavel P. Orlov", phone="+7 495 222-33-44").person
    merge(contacts, survivor, merged)
    [again] = contacts.import_persons(a_row("Pavel Orlov", email="orlov@a.example", external_id="77"), run="2")
    assert (fates_of([again]), again.record_id) == (["unchanged"], survivor.id)
    [news] = contacts.import_persons(
        a_row("Pavel Orlov", email="orlov@a.example", phone="+7 495 222-33-55", external_id="77"), run="3"
    )
    assert news.record_id == survivor.id


def test_interactions_go_with_their_card_and_each_is_told_once(contacts: Contacts) -> None:
    first, other = two(contacts)
    moved = sorted(log(contacts, person_id=other.id).id for _ in range(3))
    told = merge(contacts, first, other)
    assert told.interactions == 3
    assert talks(contacts, person_id=first.id) == [(one, first.id) for one in moved]
    news = contacts.events("InteractionMoved")
    assert sorted((one.interaction.id, one.interaction.person_id) for one in news) == [(one, first.id) for one in moved]
    [gone] = contacts.events("PersonMerged")
    assert (gone.person.id, gone.survivor_id, gone.merge_id) == (other.id, first.id, told.merge_id)
    assert contacts.events("PersonUpdated")[-1].person.id == first.id


def test_members_and_lower_organizations_go_to_the_survivor(contacts: Contacts) -> None:
    vega, wega = an_organization(contacts, "Vega Works"), an_organization(contacts, "Wega Works")
    below = an_organization(contacts, "Vega Tools", parent_id=wega.id)
    role = pb.Affiliation(organization_id=wega.id, role="buyer")
    member = contacts.create(name="Anna Belova", phone="+7 495 111-22-33", affiliations=[role]).person
    both = [pb.Affiliation(organization_id=one.id) for one in (vega, wega)]
    twice = contacts.create(name="Oleg Belov", phone="+7 495 111-22-44", affiliations=both).person
    told = merge(contacts, vega, wega)
    assert told.members == 2
    assert [(one.organization_id, one.role) for one in read(contacts, member.id).person.affiliations] == [
        (vega.id, "buyer")
    ]
    assert [one.organization_id for one in read(contacts, twice.id).person.affiliations] == [vega.id]
    lower = contacts.call("GetOrganization", pb.GetOrganizationRequest(organization_id=below.id)).organization
    assert lower.parent_id == vega.id
    back = undo(contacts, told.merge_id)
    assert [one.display_name for one in back.organizations] == ["Vega Works", "Wega Works"]
    assert list(back.conflicts) == []
    assert [one.organization_id for one in read(contacts, member.id).person.affiliations] == [wega.id]
    assert {one.organization_id for one in read(contacts, twice.id).person.affiliations} == {vega.id, wega.id}
    lower = contacts.call("GetOrganization", pb.GetOrganizationRequest(organization_id=below.id)).organization
    assert lower.parent_id == wega.id


def test_an_organization_merged_with_the_one_above_stands_above_nobody_twice(contacts: Contacts) -> None:
    top = an_organization(contacts, "Top")
    middle = an_organization(contacts, "Middle", parent_id=top.id)
    bottom = an_organization(contacts, "Bottom", parent_id=middle.id)
    one = merge(contacts, bottom, top).organization
    assert one.parent_id == ""
    found = contacts.call("GetOrganization", pb.GetOrganizationRequest(organization_id=middle.id)).organization
    assert found.parent_id == bottom.id


def test_undone_both_cards_are_as_they_were(contacts: Contacts) -> None:
    first, other = two(contacts)
    mine, theirs = log(contacts, person_id=first.id), log(contacts, person_id=other.id)
    told = merge(contacts, first, other, choices={"display_name": other.id})
    back = undo(contacts, told.merge_id)
    assert list(back.conflicts) == []
    for before, after in zip((first, other), back.persons, strict=True):
        for one in (before, after):
            one.ClearField("etag")
            one.ClearField("update_time")
        assert after == before
    assert talks(contacts, person_id=first.id) == [(mine.id, first.id)]
    assert talks(contacts, person_id=other.id) == [(theirs.id, other.id)]
    assert read(contacts, other.id).merged_id == ""
    assert contacts.events("PersonUnmerged")[-1].person.id == other.id
    assert contacts.create(name="Vsevolod Grannin", email="granin@vega.example").person.id == other.id


def test_what_changed_since_stays_and_is_told(contacts: Contacts) -> None:
    first, other = two(contacts)
    told = merge(contacts, first, other, choices={"display_name": other.id})
    change = pb.UpdatePersonRequest(
        person=pb.Person(id=first.id, display_name="Professor Granin", channels=[a_phone("+7 495 123-45-67")]),
        etag=told.person.etag, update_mask=field_mask_pb2.FieldMask(paths=["display_name"]),
    )  # fmt: skip
    contacts.call("UpdatePerson", change)
    back = undo(contacts, told.merge_id)
    assert [one.display_name for one in back.persons] == ["Professor Granin", "Vsevolod Grannin"]
    assert [(one.record_id, one.field, one.reason) for one in back.conflicts] == [
        (first.id, "display_name", "changed_since")
    ]


def test_a_merge_is_undone_once_and_not_under_a_later_one(contacts: Contacts, refusal: Refusal) -> None:
    first, other = two(contacts)
    third = contacts.create(name="V. Granin", email="v@granin.example").person
    lower = merge(contacts, first, other)
    upper = merge(contacts, third, lower.person)
    assert refusal("UnmergeCustomers", pb.UnmergeCustomersRequest(merge_id=lower.merge_id)).reason == "CUSTOMER_MERGED"
    undo(contacts, upper.merge_id)
    undo(contacts, lower.merge_id)
    assert refusal("UnmergeCustomers", pb.UnmergeCustomersRequest(merge_id=lower.merge_id)).reason == "MERGE_UNDONE"
    assert [read(contacts, one.id).person.id for one in (first, other, third)] == [first.id, other.id, third.id]
    merges = contacts.call(
        "GetCustomerMerges", pb.GetCustomerMergesRequest(record_type="person", record_id=first.id)
    ).customer_merges
    assert [(list(one.merged_names), one.HasField("undo_time")) for one in merges] == [(["Vsevolod Grannin"], True)]


def test_rights_are_needed_on_all_cards(contacts: Contacts, refusal: Refusal) -> None:
    first, other = two(contacts)
    unseen = refusal("MergeCustomers", asked(first, other), MOSCOW_SELLER)
    assert (unseen.reason, unseen.metadata["person"]) == ("PERSON_NOT_FOUND", other.id)
    reads_all = Grant("read", ALL)
    half = Access(id_of("half"), "Half", MOSCOW, (reads_all, *an_access(MOSCOW).grants))
    assert refusal("MergeCustomers", asked(first, other), half).reason == "NOT_PERMITTED"


def test_who_sees_both_in_one_branch_may_merge_them(contacts: Contacts) -> None:
    one = contacts.create(name="Ivan Petrov", phone="+7 4872 11-22-33", unit_id=TULA).person
    other = contacts.create(name="Ivan Petroff", email="p@a.example", unit_id=TULA).person
    assert merge(contacts, one, other, access=TULA_SELLER).person.id == one.id


def test_a_hidden_field_is_neither_chosen_nor_told_to_differ(contacts: Contacts, refusal: Refusal) -> None:
    first, other = two(contacts)
    blind = Access(
        id_of("blind"), "Blind", HQ, tuple(Grant(action, ALL) for action in ACTIONS),
        hidden=("customer.channels",),
    )  # fmt: skip
    refused = refusal("MergeCustomers", asked(first, other, choices={"channels": other.id}), blind)
    assert (refused.reason, refused.metadata["field"]) == ("NOT_PERMITTED", "channels")


def test_a_card_that_changed_since_it_was_read_is_not_merged(contacts: Contacts, refusal: Refusal) -> None:
    first, other = two(contacts)
    old = pb.Person(id=other.id, etag="99")
    assert refusal("MergeCustomers", asked(first, old)).reason == "STALE_ETAG"
    assert refusal("MergeCustomers", asked(first)).reason == "FIELD_INVALID"
    assert refusal("MergeCustomers", asked(first, other, choices={"shoe": other.id})).reason == "FIELD_INVALID"


def test_who_was_responsible_for_a_merged_card_stays_known(contacts: Contacts) -> None:
    first, other = two(contacts)
    mask = field_mask_pb2.FieldMask(paths=["owner_id"])
    heir = pb.Person(id=other.id, owner_id=id_of("heir"))
    changed = contacts.call(
        "UpdatePerson", pb.UpdatePersonRequest(person=heir, etag=other.etag, update_mask=mask)
    ).person
    merge(contacts, first, changed, choices={"owner_id": changed.id}, note="one customer")
    history = contacts.call("GetCustomerOwnerHistory", pb.GetCustomerOwnerHistoryRequest(person_id=first.id)).changes
    assert [(one.from_owner_id, one.to_owner_id, one.note) for one in history] == [
        (id_of("natasha"), id_of("heir"), "one customer"),
        (id_of("pyotr"), id_of("heir"), ""),
    ]


def test_possible_duplicates_of_a_merged_card_are_the_survivors_and_come_back(contacts: Contacts) -> None:
    first, other = two(contacts)
    third = contacts.create(name="Other Person", email="granin@vega.example").person
    told = merge(contacts, first, other)
    assert _pairs(contacts) == [{first.id, third.id}]
    undo(contacts, told.merge_id)
    assert {other.id, third.id} in [set(pair) for pair in _pairs(contacts)]


def test_no_interaction_is_left_behind_by_a_merge_of_the_same_moment(contacts: Contacts) -> None:
    first, other = two(contacts)
    refused: list[str] = []

    def note(_: int) -> None:
        try:
            log(contacts, person_id=other.id)
        except RemoteError as trouble:
            refused.append(trouble.reason)

    with ThreadPoolExecutor(8) as people:
        noting = [people.submit(note, number) for number in range(40)]
        merge(contacts, first, other)
        for one in noting:
            one.result()
    assert set(refused) <= {"CUSTOMER_MERGED"}
    with contacts.database.transaction() as work:
        named = work.execute(sa.select(interaction.c.person_id)).scalars().all()
    assert named == [first.id] * (40 - len(refused))


def test_a_merge_asked_for_twice_by_one_request_is_done_once(contacts: Contacts) -> None:
    first, other = two(contacts)
    told = [merge(contacts, first, other, request_id="a click") for _ in range(2)]
    assert told[0] == told[1]
    assert len(contacts.events("PersonMerged")) == 1


def test_two_who_merge_the_same_cards_the_other_way_round_make_one_card(contacts: Contacts) -> None:
    first, other = two(contacts)

    def attempt(cards: tuple[pb.Person, pb.Person]) -> str:
        try:
            return merge(contacts, *cards).person.id
        except RemoteError as trouble:
            return trouble.reason

    with ThreadPoolExecutor(2) as people:
        ends = set(people.map(attempt, ((first, other), (other, first))))
    assert len(ends & {first.id, other.id}) == 1
    assert ends - {first.id, other.id} <= {"CUSTOMER_MERGED", "STALE_ETAG"}


def _pairs(contacts: Contacts) -> list[set[str]]:
    found = contacts.call("ListPossibleDuplicates", pb.ListPossibleDuplicatesRequest()).possible_duplicates
    return [{one.first_id, one.second_id} for one in found]
