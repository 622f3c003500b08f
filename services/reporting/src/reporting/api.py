"""Reporting's first door: gRPC. Translate, call, translate."""

from __future__ import annotations

from datetime import date
from typing import Any, NoReturn

import grpc

from chassis import paging
from chassis.access import EXPORT, READ
from chassis.database import Database
from chassis.errors import PageTokenInvalid
from chassis.once import answer_once
from chassis.rpc.server import Servicer, current_access
from crm.reporting.v1 import reporting_pb2 as pb
from crm.reporting.v1 import reporting_pb2_grpc as rpc
from reporting.answers import records_answer, report_answer
from reporting.catalogue import REPORTS, list_records, newest_event_time, run_report
from reporting.exchange import list_exchange_rates, rate_message, set_exchange_rate
from reporting.freshness import count_records, digest, read_positions
from reporting.readings import LISTS, READINGS, STOPPED
from reporting.settings import SERVICE, Settings
from units.freezing import Freeze
from units.narrowing import narrow_reading
from units.records import AMOUNT, DEAL
from units.wall import wall_of

MAX_RATES, DEFAULT_RATES = 1_000, 200


class ReportingService(rpc.ReportingServiceServicer):
    """Runs reports over the read models."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def ListReports(self, request: pb.ListReportsRequest, context: grpc.ServicerContext) -> pb.ListReportsResponse:  # noqa: ARG002
        """Name the reports there are."""
        return pb.ListReportsResponse(
            reports=[
                pb.ReportDescription(name=one.NAME, description=one.DESCRIPTION, group_by=one.GROUP_BY)
                for one in REPORTS.values()
            ]
        )

    def RunReport(self, request: pb.RunReportRequest, context: grpc.ServicerContext) -> pb.RunReportResponse:  # noqa: ARG002
        """Run a report within what the caller may see, and as a file within what the caller may take along."""
        access = current_access()
        if request.as_file and not access.service:  # a service that writes an export has been given less already
            access = narrow_reading(access, EXPORT, "")
        with self.database.transaction(access) as work:
            answer = run_report(work, request.name, request.parameters)
            told = not work.access.hides(AMOUNT)
            return report_answer(request.name, answer, newest_event_time(work), with_amounts=told)

    def ListReportRecords(
        self,
        request: pb.ListReportRecordsRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> pb.ListReportRecordsResponse:
        """List the records behind one figure."""
        with self.database.reading(current_access()) as work:
            return records_answer(list_records(work, request), with_amounts=not work.access.hides(AMOUNT))

    def SetExchangeRate(
        self,
        request: pb.SetExchangeRateRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> pb.SetExchangeRateResponse:
        """Set a rate from a day on."""
        with self.database.transaction(current_access()) as work:
            return answer_once(
                work,
                request,
                pb.SetExchangeRateResponse,
                lambda: pb.SetExchangeRateResponse(rate=rate_message(set_exchange_rate(work, request.rate))),
            )

    def ListExchangeRates(
        self,
        request: pb.ListExchangeRatesRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> pb.ListExchangeRatesResponse:
        """List rates, youngest first."""
        size = paging.page_size(request.page_size, DEFAULT_RATES, MAX_RATES)
        after = _rate_key(paging.read_token("rates", request.page_token))
        with self.database.transaction(current_access()) as work:
            found = list_exchange_rates(work, size, after)
        token = ""
        if len(found) > size:
            last = found[size - 1]
            token = paging.make_token("rates", [last.start_date.isoformat(), last.from_currency, last.to_currency])
        return pb.ListExchangeRatesResponse(rates=[rate_message(row) for row in found[:size]], next_page_token=token)

    def GetFreshness(self, request: pb.GetFreshnessRequest, context: grpc.ServicerContext) -> pb.GetFreshnessResponse:  # noqa: ARG002
        """Say how far the read models are; only to those who may read everything."""
        access = current_access()
        access.require_everywhere(READ)
        with self.database.transaction(access) as work:
            return pb.GetFreshnessResponse(
                positions=read_positions(work),
                counts=count_records(work),
                digest=digest(work) if request.with_digest else "",
            )


def servicers(settings: Settings) -> tuple[Servicer, ...]:
    """The servicers of reporting, on its own database."""
    database = Database(
        settings.database_url, SERVICE, statement_timeout_ms=settings.statement_timeout_ms, wall=wall_of(DEAL)
    )
    return (
        Servicer(
            SERVICE,
            ReportingService(database),
            rpc.add_ReportingServiceServicer_to_server,
            readings=READINGS,
            admit=Freeze(database, STOPPED, LISTS).admit,
        ),
    )


def _rate_key(key: list[Any] | None) -> list[Any] | None:
    if key is None:
        return None
    try:
        day, *pair = key
        if len(pair) != 2:
            _refuse()
        return [date.fromisoformat(day), *(_text(one) for one in pair)]
    except (ValueError, TypeError):
        _refuse()


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        _refuse()
    return value


def _refuse() -> NoReturn:
    raise PageTokenInvalid("the page token is not one of ours; ask for the first page again")
