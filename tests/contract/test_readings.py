"""Every call that shows records leaves an entry in the audit trail, or stands here with the reason why it does not."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from gateway.services import CONTRACTS

SHOWING = ("Get", "List", "BatchGet", "Search", "Run", "Download", "Explain")
# Names, settings and counts; parts of a card whose reading is noted; one's own day.
NO_RECORDS = {
    "contacts": {"BatchGetCustomerNames", "BatchGetLatestInteractions", "ListPossibleDuplicates",
        "GetCustomerOwnerHistory", "GetDuplicateSearches", "ListCustomerFields", "ListCustomerTags",
        "ListSegments"},
    "deals": {"ListPipelines", "ListProducts", "ListLossReasons", "ListPlans", "ListDealMoves", "GetDealOwnerHistory"},
    "scheduling": {
        "ListActivityHistory", "GetToday", "GetCalendar", "BatchGetNextSteps", "ListNotifications", "ListAbsences",
        "GetWorkingWeeks", "GetHolidays", "GetWorkload",
    },
    "imports": {"GetRun", "ListRuns", "ListTemplates", "ListKinds", "ListExportLists"},
    "reporting": {"ListReports", "ListExchangeRates", "GetFreshness"},
    "directory": {"GetUnit", "ListUnits", "GetUser", "BatchGetUsers", "ListRoles", "ListRestrictions",
        "ListFieldGroups", "ListApiKeys", "ListReorganizations", "ListSeats", "ListPasskeys", "GetSignInWays",
        "ListStaffGroups"},
}  # fmt: skip


def methods_of(service: str) -> dict[str, Any]:
    """The methods of a service's contract by name."""
    contract = CONTRACTS[service][0].DESCRIPTOR.services_by_name[f"{service.title()}Service"]
    return dict(contract.methods_by_name)


@pytest.mark.parametrize("service", sorted(CONTRACTS))
def test_every_call_that_shows_records_is_noted(service: str) -> None:
    showing = {name for name in methods_of(service) if name.startswith(SHOWING)}
    readings = import_module(f"{service}.readings").READINGS
    assert showing - readings.keys() - NO_RECORDS[service] == set()
    assert readings.keys() & NO_RECORDS[service] == set()


@pytest.mark.parametrize("service", sorted(CONTRACTS))
def test_what_is_noted_of_a_call_is_there_to_be_noted(service: str) -> None:
    methods = methods_of(service)
    for name, reading in import_module(f"{service}.readings").READINGS.items():
        kind = methods[name].output_type
        for part in filter(None, reading.ids.split(".")):
            found = kind.fields_by_name[part]
            kind = found.message_type
        for field in filter(None, (reading.text, reading.said)):
            assert field in methods[name].input_type.fields_by_name
