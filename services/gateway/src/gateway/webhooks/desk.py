"""Where people's wishes about webhooks arrive, from REST and from the pages: rights asked, address checked, stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from chassis import clock
from chassis.access import SUBSCRIBE, Access, is_below
from chassis.audit.entries import ACT, MOST_REASON, write_entry
from chassis.database import Database, UnitOfWork
from chassis.errors import DomainError, FieldInvalid, FieldViolation, Kind, NotPermitted
from chassis.ids import new_id
from crm.directory.v1 import directory_pb2
from gateway.services import Services
from gateway.webhooks import progress, subscriptions
from gateway.webhooks.addresses import AddressForbidden, AddressUnknown
from gateway.webhooks.carrying import TOLD_SERVICES, Carrier, Logs
from gateway.webhooks.rules import Outcome
from gateway.webhooks.sending import Post
from gateway.webhooks.signing import Sealing, sign
from gateway.webhooks.subscriptions import Place, Told, WebhookNotFound
from gateway.webhooks.telling import MEDIA_TYPE, TEST_TYPE, trial_body

UNITS = 1_000  # a page of them


class WebhooksOff(DomainError):
    """The operator gave this gateway no secret and no key for webhooks."""

    kind = Kind.PRECONDITION
    reason = "WEBHOOKS_OFF"


@dataclass(frozen=True)
class Seen:
    """A webhook with how far it has got."""

    row: Any
    cursors: list[Any]
    waiting: list[Any]
    tries: list[Any]


@dataclass(frozen=True)
class Desk:
    """What people may do with webhooks; calls to services go out for the present caller."""

    services: Services
    database: Database
    logs: Logs
    sealing: Sealing
    post: Post
    carrier: Carrier

    def list_seen(self, access: Access) -> list[Any]:
        """Those the person may see: own ones, and those of units whose records they may have told."""
        access.require_somewhere(SUBSCRIBE)
        with self.database.reading() as work:
            rows = subscriptions.list_webhooks(work)
        paths = self._paths({str(row.unit_id) for row in rows})
        return [row for row in rows if self._is_theirs(access, row, paths)]

    def troubled(self, access: Access) -> list[Any]:
        """The person's own webhooks that need somebody."""
        if not access.allows_somewhere(SUBSCRIBE):
            return []
        with self.database.reading() as work:
            return subscriptions.list_troubled(work, self.sealing, access.user_id)

    def read(self, access: Access, webhook_id: str) -> Seen:
        """One of them. Errors: WebhookNotFound, NotPermitted."""
        row = self._theirs(access, webhook_id)
        with self.database.reading() as work:
            return Seen(row, *subscriptions.read_standing(work, webhook_id))

    def state_of(self, row: Any) -> str:
        """How a webhook is, also where only its secret is the trouble."""
        return subscriptions.state_of(self.sealing, row)

    def make(self, access: Access, told: Told) -> tuple[Any, str]:
        """Make one from now on; its secret is told this once. Errors: FieldInvalid, NotPermitted, TooManyWebhooks."""
        told = self._checked(access, told)
        self._refuse_frozen(access, told.unit_path)
        places = [self.logs.standing(name) for name in TOLD_SERVICES]
        with self.database.transaction() as work:
            row, secret = subscriptions.make_webhook(work, self.sealing, access, told, places)
            _note(work, access, "MakeWebhook", row.id, told)
        return row, secret

    def change(self, access: Access, webhook_id: str, told: Told, etag: str) -> Any:
        """Say something else or elsewhere. Errors: FieldInvalid, NotPermitted, StaleEtag, WebhookNotFound."""
        self._theirs(access, webhook_id)
        told = self._checked(access, told)
        self._refuse_frozen(access, told.unit_path)
        with self.database.transaction() as work:
            row = subscriptions.change_webhook(work, access, webhook_id, told, etag)
            _note(work, access, "ChangeWebhook", webhook_id, told)
        return row

    def pause(self, access: Access, webhook_id: str) -> Any:
        """Say nothing until it is resumed. Errors: WebhookNotFound, NotPermitted."""
        return self._act(access, webhook_id, "PauseWebhook", lambda work: subscriptions.pause_webhook(work, webhook_id))

    def resume(self, access: Access, webhook_id: str) -> Any:
        """Go on where it was stopped. Errors: WebhookNotFound, NotPermitted."""
        return self._act(
            access, webhook_id, "ResumeWebhook", lambda work: subscriptions.resume_webhook(work, webhook_id)
        )

    def change_secret(self, access: Access, webhook_id: str) -> tuple[Any, str]:
        """Give a new secret beside the former one. Errors: WebhookNotFound, NotPermitted."""
        found: tuple[Any, str] = self._act(
            access, webhook_id, "ChangeSecret", lambda work: subscriptions.change_secret(work, self.sealing, webhook_id)
        )
        return found

    def remove(self, access: Access, webhook_id: str) -> None:
        """End it. Errors: WebhookNotFound, NotPermitted."""
        self._act(access, webhook_id, "RemoveWebhook", lambda work: subscriptions.remove_webhook(work, webhook_id))

    def replay(self, access: Access, webhook_id: str, service: str, position: int) -> Any:
        """Tell a service's events behind a position once more. Errors: FieldInvalid, EVENTS_GONE, as well."""
        if service not in TOLD_SERVICES:
            raise FieldInvalid(FieldViolation("service", f"is one of {', '.join(TOLD_SERVICES)}"))
        self._refuse_frozen(access, self._told(self._theirs(access, webhook_id)).unit_path)
        found = self.logs.read(service, position, 0, 1)
        if position > found.last_position:
            raise FieldInvalid(FieldViolation("position", f"is behind the last one, {found.last_position}"))
        place = Place(service, "", found.epoch, position)
        return self._act(
            access, webhook_id, "Replay", lambda work: subscriptions.replay_webhook(work, webhook_id, place)
        )

    def skip(self, access: Access, webhook_id: str, service: str, position: int) -> Any:
        """Let an event that waits go untold. Errors: WebhookNotFound, NotPermitted."""
        return self._act(
            access,
            webhook_id,
            "SkipEvent",
            lambda work: subscriptions.skip_waiting(work, webhook_id, service, position),
        )

    def try_out(self, access: Access, webhook_id: str) -> Outcome:
        """Say that this is a test, now and once; what becomes of it is kept with the tries. Errors: WebhookNotFound."""
        row = self._theirs(access, webhook_id)
        told = self._told(row)
        event_id, moment = new_id(), clock.now()
        body = trial_body(event_id, webhook_id, row.name, moment.isoformat())
        headers = {"Content-Type": MEDIA_TYPE, **sign(event_id, moment, body, [self.sealing.open(row.sealed)])}
        outcome = self.post.send(row.address, headers, body)
        with self.database.transaction() as work:
            progress.write_try(work, webhook_id, event_id, TEST_TYPE, 1, outcome)
            _note(work, access, "TestWebhook", webhook_id, told)
        return outcome

    def _act(self, access: Access, webhook_id: str, deed: str, act: Callable[[UnitOfWork], Any]) -> Any:
        told = self._told(self._theirs(access, webhook_id))
        with self.database.transaction() as work:
            found = act(work)
            _note(work, access, deed, webhook_id, told)
        return found

    def _checked(self, access: Access, told: Told) -> Told:
        """What is to be told, with its unit found and its address reached for. Errors: FieldInvalid, NotPermitted."""
        if told.unit_id:
            asked = directory_pb2.GetUnitRequest(unit=told.unit_id)
            unit = self.services.call("directory", "GetUnit", asked).unit
            told = Told(told.name, told.address, told.types, unit.id, unit.path)
        subscriptions.check_told(access, told)
        try:
            self.post.check(told.address)
        except (AddressForbidden, AddressUnknown) as refusal:
            raise FieldInvalid(FieldViolation("address", refusal.message, refusal.reason)) from None
        return told

    def _theirs(self, access: Access, webhook_id: str) -> Any:
        """A webhook that is the person's business; others' are not found. Errors: WebhookNotFound, NotPermitted."""
        access.require_somewhere(SUBSCRIBE)
        with self.database.reading() as work:
            row = subscriptions.find_webhook(work, webhook_id)
        if not self._is_theirs(access, row, self._paths({str(row.unit_id)})):
            raise WebhookNotFound(f"there is no webhook {webhook_id[:40]!r}")
        return row

    @staticmethod
    def _is_theirs(access: Access, row: Any, paths: dict[str, str]) -> bool:
        if str(row.owner_id) == access.user_id or subscriptions.may_rule(access, ""):
            return True
        path = paths.get(str(row.unit_id), "")
        return bool(path) and subscriptions.may_rule(access, path)

    def _told(self, row: Any) -> Told:
        """What a webhook tells, with the path of its unit as the caller sees it."""
        unit_id = str(row.unit_id)
        return Told(row.name, row.address, tuple(row.types), unit_id, self._paths({unit_id}).get(unit_id, ""))

    def _paths(self, unit_ids: set[str]) -> dict[str, str]:
        """The paths of units, as far as the caller may see them."""
        if not unit_ids - {""}:
            return {}
        return {one.id: one.path for one in self._units() if one.id in unit_ids}

    def _refuse_frozen(self, access: Access, unit_path: str) -> None:
        """Errors: NotPermitted where the person or what is to be told is of a frozen unit, as for exports."""
        for one in self._units():
            if one.freeze_reason and (is_below(access.unit_path, one.path) or is_below(unit_path, one.path)):
                raise NotPermitted(
                    f"new webhooks and telling again are stopped in {one.path}: {one.freeze_reason}",
                    metadata={"frozen": one.path},
                )

    def _units(self) -> Iterator[directory_pb2.Unit]:
        """All units that the caller may see."""
        asked = directory_pb2.ListUnitsRequest(page_size=UNITS)
        while True:
            found = self.services.call("directory", "ListUnits", asked)
            yield from found.units
            if not found.next_page_token:
                return
            asked.page_token = found.next_page_token


def _note(work: UnitOfWork, access: Access, deed: str, webhook_id: str, told: Told) -> None:
    """Write who does what into the trail. Of the address its host: what follows may be a secret of the receiver."""
    reason = f"{told.name}, {urlsplit(told.address).hostname or ''}"[:MOST_REASON]
    write_entry(
        work, ACT, f"webhooks/{deed}", "webhook", [str(webhook_id)], by=access, unit_path=told.unit_path, reason=reason
    )
