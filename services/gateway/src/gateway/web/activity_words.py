"""How activities are called on their pages: kinds, results, rhythms, whose move it is, what was done with them."""

from __future__ import annotations

from typing import Any

from crm.scheduling.v1 import scheduling_pb2 as pb
from gateway.web.texts import gettext as _
from gateway.web.texts import ngettext

KINDS = {"task": pb.ACTIVITY_KIND_TASK, "call": pb.ACTIVITY_KIND_CALL, "meeting": pb.ACTIVITY_KIND_MEETING}
SIDES = {
    "owner": pb.WAITING_SIDE_OWNER,
    "user": pb.WAITING_SIDE_USER,
    "customer": pb.WAITING_SIDE_CUSTOMER,
}
UNITS = {"day": pb.REPETITION_UNIT_DAY, "week": pb.REPETITION_UNIT_WEEK, "month": pb.REPETITION_UNIT_MONTH}
USUAL_OUTCOMES = ("done", "reached", "away", "busy", "no_answer", "agreed", "declined")


def kind_choices() -> list[tuple[str, str]]:
    """What may be planned."""
    return [("task", _("Task")), ("call", _("Call")), ("meeting", _("Meeting"))]


def kind_key(kind: int) -> str:
    """The word of a kind in forms and addresses; empty for one that is not known here."""
    return next((name for name, number in KINDS.items() if number == kind), "")


def kind_words(kind: int) -> str:
    """A kind in a word."""
    return dict(kind_choices()).get(kind_key(kind), _("Activity"))


def title_of_activity(activity: Any) -> str:
    """What it is about; its kind where nothing was written."""
    return str(activity.subject) or kind_words(activity.kind)


def unit_choices() -> list[tuple[str, str]]:
    """What a repetition counts."""
    return [("", _("does not repeat")), ("day", _("days")), ("week", _("weeks")), ("month", _("months"))]


def side_choices() -> list[tuple[str, str]]:
    """On whose side a question may lie."""
    return [("owner", _("The owner's")), ("user", _("A colleague's")), ("customer", _("The customer's"))]


def repetition_words(repetition: Any) -> str:
    """A rhythm: every 2 weeks."""
    every = repetition.every
    return {
        pb.REPETITION_UNIT_DAY: ngettext("every day", "every %(num)s days", every),
        pb.REPETITION_UNIT_WEEK: ngettext("every week", "every %(num)s weeks", every),
        pb.REPETITION_UNIT_MONTH: ngettext("every month", "every %(num)s months", every),
    }.get(repetition.unit, "") % {"num": every}


def waiting_words(activity: Any) -> str:
    """Whose move it is, and for how long already."""
    waiting = activity.waiting
    if waiting.side == pb.WAITING_SIDE_CUSTOMER:
        said = _("The customer's move")
    elif waiting.side == pb.WAITING_SIDE_USER:
        said = _("%(name)s's move") % {"name": waiting.user_name or "…"}
    else:
        return ""
    if waiting.days < 1:
        return said
    days = ngettext("for %(num)s day", "for %(num)s days", waiting.days) % {"num": waiting.days}
    return f"{said} · {days}"


def change_words(change: int) -> str:
    """What was done with an activity."""
    words: dict[int, str] = {
        pb.ACTIVITY_CHANGE_CREATED: _("planned"),
        pb.ACTIVITY_CHANGE_UPDATED: _("changed"),
        pb.ACTIVITY_CHANGE_MOVED: _("moved"),
        pb.ACTIVITY_CHANGE_REASSIGNED: _("given on"),
        pb.ACTIVITY_CHANGE_WAITING_SET: _("the move passed on"),
        pb.ACTIVITY_CHANGE_REMINDED: _("reminded"),
        pb.ACTIVITY_CHANGE_COMPLETED: _("done"),
        pb.ACTIVITY_CHANGE_CANCELLED: _("cancelled"),
    }
    return words.get(change, _("changed"))
