"""What callers see through each call, as the audit trail notes it."""

from __future__ import annotations

from chassis.audit.entries import LIST
from chassis.audit.reading_log import Reading

READINGS = {
    "ListUsers": Reading(LIST, "user", "users.id"),
    "FindUsers": Reading(LIST, "user", "users.id"),
    "ListSessions": Reading(LIST, "session", said="user_id"),
    "ExplainAccess": Reading(LIST, "access", said="owner_id"),
}
