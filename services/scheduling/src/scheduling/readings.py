"""What callers see through each call, as the audit trail notes it, and which calls a frozen unit stops."""

from __future__ import annotations

from chassis.audit.entries import LIST, READ
from chassis.audit.reading_log import Reading

ACTIVITY = "activity"
READINGS = {
    "GetActivity": Reading(READ, ACTIVITY, "activity.id"),
    "BatchGetActivities": Reading(LIST, ACTIVITY, "activities.id"),
    "ListActivities": Reading(LIST, ACTIVITY, "activities.id"),
}
# What a frozen unit stops: what takes data away or changes many records at once, and reading lists page after page.
STOPPED = ("BatchReassignActivities", "HandOverActivities")
LISTS = ("ListActivities",)
