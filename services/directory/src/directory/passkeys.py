"""Passkeys: keys of people's devices (WebAuthn), made by who signed in, and good to sign in with instead of a password.

The device checks its user (a finger, a face, a code), so a passkey is both factors. A key is good for the host under
which it was made, and the browser tells the host truly; so nothing need be configured.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.dialects.postgresql import insert
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from chassis.access import ADMINISTER
from chassis.audit.entries import ACT, REFUSED, write_entry
from chassis.clock import now
from chassis.database import Database, UnitOfWork
from chassis.errors import NotPermitted
from chassis.ids import is_id, new_id
from directory import rules
from directory.errors import PasskeyNotFound, SignInRefused
from directory.tables import passkey, used_challenge
from directory.users import find_user

NAME = "Branchline"
TICKET_SECONDS = 600
MOST_NAME, MOST_KEYS, MOST_ANSWER, MOST_ORIGIN = 100, 20, 20_000, 300
CHALLENGE_BYTES = 32
REFUSED_TEXT = "the passkey is not good here; sign in again"


@dataclass(frozen=True)
class Ticket:
    """What the browser brings back, sealed: the challenge, where it was asked, and for whom where that is known."""

    challenge: str
    origin: str
    user_id: str = ""

    @property
    def host(self) -> str:
        """The host a passkey made there is good for."""
        return urlsplit(self.origin).hostname or ""


class Tickets:
    """Seals tickets with a key that is made of the directory's own."""

    def __init__(self, key: bytes) -> None:
        self._seal = Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"passkey ticket" + key).digest()))

    def make(self, origin: str, user_id: str = "") -> tuple[str, bytes, Ticket]:
        """A sealed ticket, its challenge, and what is in it. Errors: FieldInvalid."""
        parts = urlsplit(origin)
        if len(origin) > MOST_ORIGIN or parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
            raise rules.invalid("origin", "is not where a workplace is, such as https://crm.example.org")
        challenge = os.urandom(CHALLENGE_BYTES)
        ticket = Ticket(base64.b64encode(challenge).decode(), origin, user_id)
        sealed = self._seal.encrypt(json.dumps([ticket.challenge, origin, user_id]).encode()).decode()
        return sealed, challenge, ticket

    def open(self, sealed: str) -> Ticket | None:
        """What is in a ticket; None for one that is old or not ours."""
        try:
            return Ticket(*json.loads(self._seal.decrypt(sealed.encode(), ttl=TICKET_SECONDS)))
        except (InvalidToken, ValueError, TypeError):
            return None


def begin(work: UnitOfWork, tickets: Tickets, origin: str) -> tuple[str, str]:
    """What the browser is asked to make for the caller, as JSON, and the ticket. Errors: FieldInvalid, NotPermitted."""
    _require_session(work)
    mine = find_user(work, work.access.user_id)
    sealed, challenge, ticket = tickets.make(origin, mine.id)
    options = generate_registration_options(
        rp_id=ticket.host,
        rp_name=NAME,
        user_id=mine.id.encode(),
        user_name=mine.login or mine.display_name,
        user_display_name=mine.display_name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=bytes(one.credential_id)) for one in list_passkeys(work, mine.id)
        ],
    )
    return options_to_json(options), sealed


def confirm(work: UnitOfWork, tickets: Tickets, sealed: str, answer: str, name: str) -> Any:
    """Keep the passkey that the browser made; answers its row. Errors: FieldInvalid, NotPermitted."""
    _require_session(work)
    kept = rules.check_text("name", name, MOST_NAME, required=True)
    ticket = tickets.open(sealed)
    if ticket is None or ticket.user_id != work.access.user_id or len(answer) > MOST_ANSWER:
        raise rules.invalid("ticket", "is not good any more; begin again")
    if len(list_passkeys(work, ticket.user_id)) >= MOST_KEYS:
        raise rules.invalid("name", f"would be one passkey too many; remove one of the {MOST_KEYS} first")
    try:
        made = verify_registration_response(
            credential=answer,
            expected_challenge=base64.b64decode(ticket.challenge),
            expected_rp_id=ticket.host,
            expected_origin=ticket.origin,
            require_user_verification=True,
        )
    except WebAuthnException as refusal:
        raise rules.invalid("credential", f"is not good: {str(refusal)[:200]}") from None
    values = {
        "id": new_id(), "user_id": ticket.user_id, "credential_id": made.credential_id,
        "public_key": made.credential_public_key, "host": ticket.host, "signs": made.sign_count, "name": kept,
        "create_time": work.now,
    }  # fmt: skip
    stored = insert(passkey).values(values).on_conflict_do_nothing().returning(passkey)
    row = work.execute(stored).one_or_none()
    if row is None:
        raise rules.invalid("credential", "is kept already")
    write_entry(work, ACT, "directory/ConfirmPasskey", "user", [row.user_id], reason=kept)
    return row


def begin_sign_in(tickets: Tickets, origin: str) -> tuple[str, str]:
    """What the browser is asked, as JSON, and the ticket. Errors: FieldInvalid."""
    sealed, challenge, ticket = tickets.make(origin)
    options = generate_authentication_options(
        rp_id=ticket.host, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
    )
    return options_to_json(options), sealed


def user_by_passkey(work: UnitOfWork, tickets: Tickets, sealed: str, answer: str, origin: str) -> str:
    """The id of the user whose passkey signed the challenge; empty where it is not good, which is noted."""
    ticket = tickets.open(sealed)
    found = _find(work, answer) if ticket is not None and len(answer) <= MOST_ANSWER else None
    if ticket is None or found is None or not _is_first(work, ticket):
        return ""
    try:
        signed = verify_authentication_response(
            credential=answer,
            expected_challenge=base64.b64decode(ticket.challenge),
            expected_rp_id=found.host,
            expected_origin=ticket.origin,
            credential_public_key=bytes(found.public_key),
            credential_current_sign_count=found.signs,
            require_user_verification=True,
        )
    except WebAuthnException as refusal:
        reason = str(refusal)[:200]
        write_entry(work, REFUSED, "directory/SignInWithPasskey", "user", [found.user_id], origin=origin, reason=reason)
        return ""
    values = {"signs": signed.new_sign_count, "use_time": work.now}
    work.execute(sa.update(passkey).where(passkey.c.id == found.id).values(values))
    return str(found.user_id)


def list_passkeys(work: UnitOfWork, user_id: str) -> Sequence[Any]:
    """A user's passkeys, the latest first."""
    mine = sa.select(passkey).where(passkey.c.user_id == user_id)
    return work.execute(mine.order_by(passkey.c.id.desc()).limit(MOST_KEYS)).all()


def has_any(work: UnitOfWork, user_id: str) -> bool:
    """Tell whether a user has a passkey."""
    return bool(list_passkeys(work, user_id))


def remove(work: UnitOfWork, passkey_id: str) -> None:
    """Remove a passkey. Errors: PasskeyNotFound."""
    found = sa.select(passkey.c.user_id).where(passkey.c.id == passkey_id)
    owner = work.execute(found).scalar() if is_id(passkey_id) else None
    if owner is None or (owner != work.access.user_id and not work.access.allows_everywhere(ADMINISTER)):
        raise PasskeyNotFound(passkey_id)
    work.execute(sa.delete(passkey).where(passkey.c.id == passkey_id))
    write_entry(work, ACT, "directory/RemovePasskey", "user", [str(owner)])


def forget_challenges(database: Database) -> None:
    """Forget challenges whose tickets are not good any more; a timer's work."""
    with database.transaction() as work:
        old = now() - timedelta(seconds=2 * TICKET_SECONDS)
        work.execute(sa.delete(used_challenge).where(used_challenge.c.use_time < old))


def refuse() -> SignInRefused:
    """What somebody reads whose passkey is not good; never why."""
    return SignInRefused(REFUSED_TEXT)


def _find(work: UnitOfWork, answer: str) -> Any:
    """The passkey an answer names, locked; None for one nobody has."""
    try:
        named = json.loads(answer)
        credential_id = base64url_to_bytes(named["rawId"])
    except (ValueError, TypeError, KeyError):
        return None
    mine = sa.select(passkey).where(passkey.c.credential_id == credential_id).with_for_update()
    return work.execute(mine).one_or_none()


def _is_first(work: UnitOfWork, ticket: Ticket) -> bool:
    """Tell whether a challenge was not answered before, and note that it is now."""
    challenge = base64.b64decode(ticket.challenge)
    statement = insert(used_challenge).values(challenge=challenge, use_time=work.now).on_conflict_do_nothing()
    return work.execute(statement.returning(used_challenge.c.challenge)).first() is not None


def _require_session(work: UnitOfWork) -> None:
    if not work.access.session_id:
        raise NotPermitted("only somebody who signed in may do this")
