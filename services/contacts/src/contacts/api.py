"""The gRPC door of contacts: each method opens the transaction, calls its topic and gives the answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from chassis.database import Database, UnitOfWork
from chassis.once import answer_once
from chassis.rpc.server import Servicer, current_access
from contacts import (
    access_requests,
    assigning,
    counting,
    duplicates,
    importing,
    interaction_rows,
    interactions,
    latest,
    mass_changing,
    matching,
    members,
    merging,
    naming,
    organizations,
    owners,
    persons,
    searching,
    searching_duplicates,
    summarizing,
    tags,
    timeline,
    undoing_imports,
    unmerging,
)
from contacts.customer_fields import defining, using
from contacts.customer_fields.knowing import forget_fields
from contacts.readings import LISTS, READINGS, STOPPED
from contacts.segments import defining as segments
from contacts.settings import SERVICE, Settings
from crm.contacts.v1 import contacts_pb2 as pb
from crm.contacts.v1 import contacts_pb2_grpc as pb_grpc
from units.freezing import Freeze
from units.records import CUSTOMER, INTERACTION
from units.wall import wall_of

A = TypeVar("A", bound=Message)
BULK_MS = 60_000  # a batch may wait for another one that holds the same customers


class ContactsServicer(pb_grpc.ContactsServiceServicer):
    """Answers crm.contacts.v1.ContactsService; `bulk` has longer time-outs and connections of its own."""

    def __init__(self, database: Database, bulk: Database) -> None:
        self.database, self.bulk = database, bulk

    def CreatePerson(self, request: pb.CreatePersonRequest, _: grpc.ServicerContext) -> pb.CreatePersonResponse:
        return self._write(request, pb.CreatePersonResponse, persons.create_person)

    def UpdatePerson(self, request: pb.UpdatePersonRequest, _: grpc.ServicerContext) -> pb.UpdatePersonResponse:
        return self._write(request, pb.UpdatePersonResponse, persons.update_person)

    def GetPerson(self, request: pb.GetPersonRequest, _: grpc.ServicerContext) -> pb.GetPersonResponse:
        return self._read(request, persons.get_person)

    def BatchGetPersons(
        self, request: pb.BatchGetPersonsRequest, _: grpc.ServicerContext
    ) -> pb.BatchGetPersonsResponse:
        return self._read(request, persons.batch_get_persons)

    def ListPersons(self, request: pb.ListPersonsRequest, _: grpc.ServicerContext) -> pb.ListPersonsResponse:
        return self._read(request, persons.list_persons)

    def CreateOrganization(
        self, request: pb.CreateOrganizationRequest, _: grpc.ServicerContext
    ) -> pb.CreateOrganizationResponse:
        return self._write(request, pb.CreateOrganizationResponse, organizations.create_organization)

    def UpdateOrganization(
        self, request: pb.UpdateOrganizationRequest, _: grpc.ServicerContext
    ) -> pb.UpdateOrganizationResponse:
        return self._write(request, pb.UpdateOrganizationResponse, organizations.update_organization)

    def GetOrganization(
        self, request: pb.GetOrganizationRequest, _: grpc.ServicerContext
    ) -> pb.GetOrganizationResponse:
        return self._read(request, organizations.get_organization)

    def BatchGetOrganizations(
        self, request: pb.BatchGetOrganizationsRequest, _: grpc.ServicerContext
    ) -> pb.BatchGetOrganizationsResponse:
        return self._read(request, organizations.batch_get_organizations)

    def BatchGetCustomerNames(
        self, request: pb.BatchGetCustomerNamesRequest, _: grpc.ServicerContext
    ) -> pb.BatchGetCustomerNamesResponse:
        return self._read(request, naming.batch_get_customer_names)

    def ListOrganizations(
        self, request: pb.ListOrganizationsRequest, _: grpc.ServicerContext
    ) -> pb.ListOrganizationsResponse:
        return self._read(request, organizations.list_organizations)

    def MatchCustomers(self, request: pb.MatchCustomersRequest, _: grpc.ServicerContext) -> pb.MatchCustomersResponse:
        return self._read(request, matching.match_customers, walled=False)  # answers for the one customer base

    def LogInteraction(self, request: pb.LogInteractionRequest, _: grpc.ServicerContext) -> pb.LogInteractionResponse:
        return self._write(request, pb.LogInteractionResponse, interactions.log_interaction)

    def ListInteractions(
        self, request: pb.ListInteractionsRequest, _: grpc.ServicerContext
    ) -> pb.ListInteractionsResponse:
        return self._read(request, timeline.list_interactions)

    def SummarizeInteractions(
        self, request: pb.SummarizeInteractionsRequest, _: grpc.ServicerContext
    ) -> pb.SummarizeInteractionsResponse:
        return self._read(request, summarizing.summarize_interactions)

    def BatchGetLatestInteractions(
        self, request: pb.BatchGetLatestInteractionsRequest, _: grpc.ServicerContext
    ) -> pb.BatchGetLatestInteractionsResponse:
        return self._read(request, latest.batch_get_latest_interactions)

    def ListAffiliations(
        self, request: pb.ListAffiliationsRequest, _: grpc.ServicerContext
    ) -> pb.ListAffiliationsResponse:
        return self._read(request, members.list_affiliations)

    def SearchCustomers(
        self, request: pb.SearchCustomersRequest, _: grpc.ServicerContext
    ) -> pb.SearchCustomersResponse:
        return self._read(request, searching.search_customers)

    def CountCustomers(self, request: pb.CountCustomersRequest, _: grpc.ServicerContext) -> pb.CountCustomersResponse:
        return self._read(request, counting.count_customers)

    def GroupCustomers(self, request: pb.GroupCustomersRequest, _: grpc.ServicerContext) -> pb.GroupCustomersResponse:
        return self._read(request, counting.group_customers)

    def ListPossibleDuplicates(
        self, request: pb.ListPossibleDuplicatesRequest, _: grpc.ServicerContext
    ) -> pb.ListPossibleDuplicatesResponse:
        return self._read(request, duplicates.list_possible_duplicates)

    def DismissPossibleDuplicate(
        self, request: pb.DismissPossibleDuplicateRequest, _: grpc.ServicerContext
    ) -> pb.DismissPossibleDuplicateResponse:
        return self._write(request, pb.DismissPossibleDuplicateResponse, duplicates.dismiss_possible_duplicate)

    def MergeCustomers(self, request: pb.MergeCustomersRequest, _: grpc.ServicerContext) -> pb.MergeCustomersResponse:
        return self._write(request, pb.MergeCustomersResponse, merging.merge_customers)

    def UnmergeCustomers(
        self, request: pb.UnmergeCustomersRequest, _: grpc.ServicerContext
    ) -> pb.UnmergeCustomersResponse:
        return self._write(request, pb.UnmergeCustomersResponse, unmerging.unmerge_customers)

    def GetCustomerMerges(
        self, request: pb.GetCustomerMergesRequest, _: grpc.ServicerContext
    ) -> pb.GetCustomerMergesResponse:
        return self._read(request, unmerging.get_customer_merges)

    def FindDuplicates(self, request: pb.FindDuplicatesRequest, _: grpc.ServicerContext) -> pb.FindDuplicatesResponse:
        return self._write(request, pb.FindDuplicatesResponse, searching_duplicates.find_duplicates)

    def GetDuplicateSearches(
        self, request: pb.GetDuplicateSearchesRequest, _: grpc.ServicerContext
    ) -> pb.GetDuplicateSearchesResponse:
        return self._read(request, searching_duplicates.get_duplicate_searches)

    def RequestCustomerAccess(
        self, request: pb.RequestCustomerAccessRequest, _: grpc.ServicerContext
    ) -> pb.RequestCustomerAccessResponse:
        return self._write(request, pb.RequestCustomerAccessResponse, access_requests.request_customer_access)

    def ListAccessRequests(
        self, request: pb.ListAccessRequestsRequest, _: grpc.ServicerContext
    ) -> pb.ListAccessRequestsResponse:
        return self._read(request, access_requests.list_access_requests)

    def DecideAccessRequest(
        self, request: pb.DecideAccessRequestRequest, _: grpc.ServicerContext
    ) -> pb.DecideAccessRequestResponse:
        return self._write(request, pb.DecideAccessRequestResponse, access_requests.decide_access_request)

    def CreateCustomerField(
        self, request: pb.CreateCustomerFieldRequest, _: grpc.ServicerContext
    ) -> pb.CreateCustomerFieldResponse:
        act = defining.create_customer_field
        return self._define(self._write(request, pb.CreateCustomerFieldResponse, act, self.bulk))

    def UpdateCustomerField(
        self, request: pb.UpdateCustomerFieldRequest, _: grpc.ServicerContext
    ) -> pb.UpdateCustomerFieldResponse:
        return self._define(self._write(request, pb.UpdateCustomerFieldResponse, defining.update_customer_field))

    def ListCustomerFields(
        self, request: pb.ListCustomerFieldsRequest, _: grpc.ServicerContext
    ) -> pb.ListCustomerFieldsResponse:
        return self._read(request, defining.list_customer_fields)

    def ListCustomerTags(
        self, request: pb.ListCustomerTagsRequest, _: grpc.ServicerContext
    ) -> pb.ListCustomerTagsResponse:
        return self._read(request, tags.list_customer_tags)

    def ReportCustomerFieldUse(
        self, request: pb.ReportCustomerFieldUseRequest, _: grpc.ServicerContext
    ) -> pb.ReportCustomerFieldUseResponse:
        return self._read(request, using.report_customer_field_use, walled=False)  # for who rules over all of them

    def CreateSegment(self, request: pb.CreateSegmentRequest, _: grpc.ServicerContext) -> pb.CreateSegmentResponse:
        return self._write(request, pb.CreateSegmentResponse, segments.create_segment)

    def UpdateSegment(self, request: pb.UpdateSegmentRequest, _: grpc.ServicerContext) -> pb.UpdateSegmentResponse:
        return self._write(request, pb.UpdateSegmentResponse, segments.update_segment)

    def ListSegments(self, request: pb.ListSegmentsRequest, _: grpc.ServicerContext) -> pb.ListSegmentsResponse:
        return self._read(request, segments.list_segments)

    def CountSegment(self, request: pb.CountSegmentRequest, _: grpc.ServicerContext) -> pb.CountSegmentResponse:
        return self._read(request, segments.count_segment)

    def HandOverCustomers(
        self, request: pb.HandOverCustomersRequest, _: grpc.ServicerContext
    ) -> pb.HandOverCustomersResponse:
        return self._write(request, pb.HandOverCustomersResponse, owners.hand_over_customers)

    def AssignCustomers(
        self, request: pb.AssignCustomersRequest, _: grpc.ServicerContext
    ) -> pb.AssignCustomersResponse:
        return self._write(request, pb.AssignCustomersResponse, assigning.assign_customers)

    def ChangeCustomers(
        self, request: pb.ChangeCustomersRequest, _: grpc.ServicerContext
    ) -> pb.ChangeCustomersResponse:
        return self._write(request, pb.ChangeCustomersResponse, mass_changing.change_customers)

    def GetCustomerOwnerHistory(
        self, request: pb.GetCustomerOwnerHistoryRequest, _: grpc.ServicerContext
    ) -> pb.GetCustomerOwnerHistoryResponse:
        return self._read(request, owners.list_owner_changes_of_customer)

    def ImportPersons(self, request: pb.ImportPersonsRequest, _: grpc.ServicerContext) -> pb.ImportPersonsResponse:
        # Whom a batch comes after is no part of what is asked: one repeated by a sender that leaves it out is the same.
        after = request.after_request_id
        request.ClearField("after_request_id")
        act = partial(importing.import_persons, after=after)
        return self._write(request, pb.ImportPersonsResponse, act, self.bulk)

    def ImportOrganizations(
        self, request: pb.ImportOrganizationsRequest, _: grpc.ServicerContext
    ) -> pb.ImportOrganizationsResponse:
        return self._write(request, pb.ImportOrganizationsResponse, importing.import_organizations, self.bulk)

    def ImportInteractions(
        self, request: pb.ImportInteractionsRequest, _: grpc.ServicerContext
    ) -> pb.ImportInteractionsResponse:
        return self._write(request, pb.ImportInteractionsResponse, interaction_rows.import_interactions, self.bulk)

    def UndoImport(self, request: pb.UndoImportRequest, _: grpc.ServicerContext) -> pb.UndoImportResponse:
        # What hangs on the cards is no part of what is asked: it may be more when the same is asked once more.
        used = frozenset(request.used_ids)
        request.ClearField("used_ids")
        act = partial(undoing_imports.undo_import, used=used)
        return self._write(request, pb.UndoImportResponse, act, self.bulk)

    def _read(self, request: Any, act: Callable[[UnitOfWork, Any], A], *, walled: bool = True) -> A:
        with self.database.reading(current_access(), walled=walled) as work:
            return act(work, request)

    def _define(self, answer: A) -> A:
        """Have this process ask for the fields anew; others do so within seconds."""
        forget_fields(self.database.engine.url)
        return answer

    def _write(
        self, request: Any, answer: type[A], act: Callable[[UnitOfWork, Any], A], database: Database | None = None
    ) -> A:
        """Once per request id, and again when the database asks for it, as when two calls wait for each other."""
        return (database or self.database).attempt(
            lambda work: answer_once(work, request, answer, lambda: act(work, request)), current_access()
        )


def servicers(settings: Settings) -> tuple[Servicer, ...]:
    """The servicers of this service on its own database."""
    database = Database(settings.database_url, SERVICE, overflow=8, wall=wall_of(CUSTOMER, INTERACTION))
    # Batches of the same customers wait for each other: enough connections that none is turned away meanwhile.
    bulk = Database(
        settings.database_url,
        SERVICE,
        pool_size=2,
        overflow=14,
        statement_timeout_ms=BULK_MS,
        lock_timeout_ms=BULK_MS,
    )
    servicer = ContactsServicer(database, bulk)
    return (
        Servicer(
            SERVICE,
            servicer,
            pb_grpc.add_ContactsServiceServicer_to_server,
            readings=READINGS,
            admit=Freeze(database, STOPPED, LISTS).admit,
        ),
    )
