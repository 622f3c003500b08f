"""What callers see through each call, as the audit trail notes it, and which calls a frozen unit stops."""

from __future__ import annotations

from chassis.audit.entries import REPORT
from chassis.audit.reading_log import Reading

READINGS = {
    "RunReport": Reading(REPORT, "report", said="name", as_file="as_file"),
    "ListReportRecords": Reading(REPORT, "report", said="name"),
}
# What a frozen unit stops: what takes data away or changes many records at once, and reading lists page after page.
STOPPED = ()
LISTS = ("ListReportRecords",)
