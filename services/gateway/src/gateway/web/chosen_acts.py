"""What can be done with many records of a list at once: each act looks first, then does, and knows its way back.

Every record is decided by itself: the outcome of one is no reason to leave out the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chassis.access import ASSIGN, CHANGE
from chassis.errors import FieldInvalid, FieldViolation, RemoteError
from chassis.ids import is_id
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.deals.v1 import deals_pb2 as deals
from crm.scheduling.v1 import scheduling_pb2 as scheduling
from gateway.web.chosen_changes import CHANGES
from gateway.web.chosen_outcomes import Act, Chosen, Outcome, reason_words
from gateway.web.form_values import read_day
from gateway.web.people import ask_for_people, people_of
from gateway.web.refusals import title_of
from gateway.web.texts import gettext as _
from gateway.web.visits import AWAY, Visit

OWNER, MYSELF = "owner", "me"
EXPORT = "export"  # nothing changes by it: it has neither a preview nor a way back


def act_words() -> Mapping[str, str]:
    """What each act is called."""
    return {
        "give": _("Give to a colleague"),
        "task": _("Plan a task for each"),
        "tag": _("Give a tag"),
        "untag": _("Take a tag away"),
        "field": _("Fill in a field"),
        "move": _("Move to a stage"),
        EXPORT: _("Export"),
    }


def list_acts(visit: Visit, kind: str) -> list[tuple[str, str]]:
    """The acts that a list offers this person."""
    may_change = visit.session.access.allows_somewhere(CHANGE)
    allowed = {
        "give": visit.session.access.allows_somewhere(ASSIGN),
        **{one.key: may_change for one in CHANGES},
        EXPORT: visit.may_export,
    }
    return [
        (key, words)
        for key, words in act_words().items()
        if allowed.get(key, True) and (key == EXPORT or kind in ACTS[key].kinds)
    ]


# --- giving to a colleague


def _ask_give(visit: Visit, _kind: str) -> dict[str, Any]:
    return {"people": people_of(visit.gather(people=ask_for_people())["people"])}


def _look_give(visit: Visit, kind: str, records: Sequence[Chosen]) -> list[Outcome]:
    return _give(visit, kind, [(one, one.owner_id, _heir(visit)) for one in records], dry_run=True)


def _do_give(visit: Visit, kind: str, records: Sequence[Chosen]) -> list[Outcome]:
    return _give(visit, kind, [(one, one.owner_id, _heir(visit)) for one in records])


def _undo_give(visit: Visit, kind: str, backs: Sequence[tuple[Chosen, str]]) -> list[Outcome]:
    return _give(visit, kind, [(one, one.owner_id, before if is_id(before) else "") for one, before in backs])


def _heir(visit: Visit) -> str:
    if not is_id(visit.field("to_owner_id")):
        raise FieldInvalid(FieldViolation("to_owner_id", _("choose a colleague")))
    return visit.field("to_owner_id")


def _give(visit: Visit, kind: str, wanted: Sequence[tuple[Chosen, str, str]], dry_run: bool = False) -> list[Outcome]:
    """Records with who has them and who gets them, in one call of their service."""
    shared: dict[str, Any] = {"request_id": visit.field("request_id"), "note": visit.field("note"), "dry_run": dry_run}
    if kind == "deals":
        given: list[Any] = [
            deals.DealAssignment(deal_id=one.id, from_owner_id=has, to_owner_id=gets) for one, has, gets in wanted
        ]
        answer = visit.call("deals", "AssignDeals", deals.AssignDealsRequest(assignments=given, **shared))
        reasons: Any = deals.ErrorReason
    else:
        named = "person_id" if kind == "customers" else "organization_id"
        given = [
            contacts.CustomerAssignment(**{named: one.id}, from_owner_id=has, to_owner_id=gets)
            for one, has, gets in wanted
        ]
        answer = visit.call("contacts", "AssignCustomers", contacts.AssignCustomersRequest(assignments=given, **shared))
        reasons = contacts.ErrorReason
    return [
        Outcome(one, reason_words(reasons.Name(fate.refusal)) if fate.refusal else "", fate.unchanged, has)
        for (one, has, _gets), fate in zip(wanted, answer.fates, strict=True)
    ]


# --- a task for each


def _ask_task(visit: Visit, _kind: str) -> dict[str, Any]:
    return {
        "day": visit.today.isoformat(),
        "whose": [(MYSELF, _("Mine")), (OWNER, _("Of who is responsible for each"))],
    }


def _look_task(visit: Visit, _kind: str, records: Sequence[Chosen]) -> list[Outcome]:
    _read_task(visit)
    return [Outcome(one) for one in records]


def _do_task(visit: Visit, kind: str, records: Sequence[Chosen]) -> list[Outcome]:
    task = _read_task(visit)
    link = {"customers": "person_id", "organizations": "organization_id", "deals": "deal_id"}[kind]

    def plan(one: Chosen) -> str:
        owner = one.owner_id if visit.field("whose") == OWNER and one.owner_id else visit.user_id
        activity = scheduling.Activity(owner_id=owner)
        activity.MergeFrom(task)
        setattr(activity, link, one.id)
        asked = scheduling.CreateActivityRequest(request_id=_part_of(visit, one), activity=activity)
        return str(visit.call("scheduling", "CreateActivity", asked).activity.id)

    return [_try(one, plan) for one in records]


def _undo_task(visit: Visit, _kind: str, backs: Sequence[tuple[Chosen, str]]) -> list[Outcome]:
    made = {one.id: activity_id for one, activity_id in backs}

    def cancel(one: Chosen) -> str:
        asked = scheduling.CancelActivityRequest(request_id=_part_of(visit, one), activity_id=made[one.id])
        visit.call("scheduling", "CancelActivity", asked)
        return ""

    return [_try(one, cancel) for one, _id in backs]


def _read_task(visit: Visit) -> Any:
    """The task that each record gets. Errors: FieldInvalid."""
    if not visit.field("subject"):
        raise FieldInvalid(FieldViolation("subject", _("write what there is to do")))
    day = read_day("day", visit.field("day"))
    kind, zone = scheduling.ACTIVITY_KIND_TASK, visit.texts.zone.key
    return scheduling.Activity(kind=kind, subject=visit.field("subject"), time_zone=zone, due_date=day)


# --- moving deals to a stage


def _ask_move(visit: Visit, _kind: str) -> dict[str, Any]:
    found = visit.gather(
        pipelines=("deals", "ListPipelines", deals.ListPipelinesRequest()),
        reasons=("deals", "ListLossReasons", deals.ListLossReasonsRequest()),
    )
    pipelines = found["pipelines"].pipelines if found["pipelines"] else ()
    several = len(pipelines) > 1
    return {
        "stages": [
            (stage.id, f"{one.name}: {stage.name}" if several else stage.name)
            for one in pipelines
            for stage in one.stages
        ],
        "reasons": [(name, name) for name in found["reasons"].names] if found["reasons"] else [],
    }


def _look_move(visit: Visit, _kind: str, records: Sequence[Chosen]) -> list[Outcome]:
    stage = _stage(visit)
    known = {one.id: one for one in read_deals(visit, records)}
    pipelines = visit.call("deals", "ListPipelines", deals.ListPipelinesRequest()).pipelines
    home = next((one.id for one in pipelines for step in one.stages if step.id == stage), "")

    def judge(one: Chosen) -> Outcome:
        deal = known[one.id]
        if deal.pipeline_id != home:
            return Outcome(one, _("its pipeline has no such stage"))
        if deal.etag != one.version:
            return Outcome(one, _("somebody changed it in the meantime"))
        return Outcome(one, unchanged=deal.stage_id == stage)

    return [judge(one) for one in records]


def _do_move(visit: Visit, _kind: str, records: Sequence[Chosen]) -> list[Outcome]:
    stage, reason = _stage(visit), visit.field("loss_reason")
    lost = {
        step.id
        for one in visit.call("deals", "ListPipelines", deals.ListPipelinesRequest()).pipelines
        for step in one.stages
        if step.kind == deals.STAGE_KIND_LOST
    }
    return [
        _try(one, lambda record: _move(visit, record, stage, record.version, reason if stage in lost else ""))
        for one in records
    ]


def _undo_move(visit: Visit, _kind: str, backs: Sequence[tuple[Chosen, str]]) -> list[Outcome]:
    before = {one.id: back.partition(":") for one, back in backs}

    def put_back(one: Chosen) -> str:
        stage, _bar, version = before[one.id]
        return _move(visit, one, stage, version, "")

    return [_try(one, put_back) for one, _back in backs]


def _move(visit: Visit, one: Chosen, stage: str, version: str, reason: str) -> str:
    """Move a deal; answers the stage it came from and the version it has now. Errors: RemoteError."""
    asked = deals.MoveDealRequest(
        request_id=_part_of(visit, one), deal_id=one.id, stage_id=stage, etag=version, loss_reason=reason
    )
    moved = visit.call("deals", "MoveDeal", asked).deal
    before = moved.stage_history[-1].from_stage_id if moved.stage_history else ""
    return f"{before}:{moved.etag}"


def _stage(visit: Visit) -> str:
    if not is_id(visit.field("stage_id")):
        raise FieldInvalid(FieldViolation("stage_id", _("choose a stage")))
    return visit.field("stage_id")


def read_deals(visit: Visit, records: Sequence[Chosen]) -> Sequence[Any]:
    """The chosen deals as they are now, those visible. Errors: RemoteError."""
    asked = deals.BatchGetDealsRequest(deal_ids=[one.id for one in records])
    return list(visit.call("deals", "BatchGetDeals", asked).deals)


def _try(one: Chosen, act: Callable[[Chosen], str]) -> Outcome:
    """The outcome of a call for one record; a service that is away ends the whole. Errors: RemoteError."""
    try:
        return Outcome(one, back=act(one))
    except RemoteError as refusal:
        if refusal.kind in AWAY:
            raise
        return Outcome(one, f"{title_of(refusal)}: {refusal.message}")


def _part_of(visit: Visit, one: Chosen) -> str:
    """A request id for one record, so that a form sent twice does nothing twice."""
    return f"{visit.field('request_id')[:100]}:{visit.field('step')[:10]}:{one.id}"


ACTS = {
    one.key: one
    for one in (
        Act("give", ("customers", "organizations", "deals"), _ask_give, _look_give, _do_give, _undo_give),
        Act("task", ("customers", "organizations", "deals"), _ask_task, _look_task, _do_task, _undo_task),
        Act("move", ("deals",), _ask_move, _look_move, _do_move, _undo_move),
        *CHANGES,
    )
}
