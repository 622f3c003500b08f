"""Who is signed in at a browser: a cookie with a random id, behind it the person's tokens in the gateway's database.

The database knows only a hash of the id and the tokens encrypted with a key made from the id, so that a copy of it
signs nobody in. Every replica of the gateway reads the same rows; one renews a token, the others go on with the old.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken

from chassis import clock
from chassis.access import Access
from chassis.database import Database
from chassis.errors import Kind, NotSignedIn, RemoteError
from chassis.tokens import LIFE_SECONDS, TokenVerifier
from crm.directory.v1 import directory_pb2 as pb
from gateway.services import Services
from gateway.tables import view_setting, web_session

COOKIE = "branchline_session"
IDLE = timedelta(hours=12)  # a working day; a browser left open over night signs in again
LONGEST = timedelta(days=7)
RENEW_BEFORE = timedelta(seconds=90)  # of the five minutes a token lives
RENEW_LEASE = timedelta(seconds=15)
READ_AGAIN = 30.0  # seconds; a session ended elsewhere, and a setting changed elsewhere, are noticed within this
KEPT = 5_000


@dataclass(frozen=True)
class Session:
    """An open session. `settings` is how its person likes the workplace; `id` is the cookie's value."""

    id: str
    access: Access
    token: str
    token_end: datetime
    settings: dict[str, Any]

    def csrf_token(self) -> str:
        """A token that only this session's pages know; masked anew each time, so that compression cannot reveal it."""
        mask = secrets.token_bytes(16)
        return base64.urlsafe_b64encode(mask + _mix(mask, self._csrf())).decode()

    def knows(self, csrf_token: str) -> bool:
        """Tell whether a token came from a page of this session."""
        try:
            raw = base64.urlsafe_b64decode(csrf_token.encode())
        except (ValueError, UnicodeEncodeError):
            return False
        return len(raw) == 32 and hmac.compare_digest(_mix(raw[:16], raw[16:]), self._csrf())

    def _csrf(self) -> bytes:
        return hmac.digest(self.id.encode(), b"csrf", "sha256")[:16]


class Sessions:
    """Opens, reads, renews and ends sessions; keeps what it read for half a minute."""

    def __init__(self, database: Database, services: Services, verifier: TokenVerifier) -> None:
        self._database, self._services, self._verifier = database, services, verifier
        self._kept: OrderedDict[bytes, tuple[float, Session]] = OrderedDict()
        self._lock = threading.Lock()
        self._renew_until = datetime.min.replace(tzinfo=UTC)

    def open(self, call: str, asked: Any) -> Session:
        """Sign a person in by one of the directory's calls; the id is new, whatever the browser had before.

        Errors: RemoteError of the directory.
        """
        answer = self._services.call("directory", call, asked)
        session_id = secrets.token_urlsafe(32)
        now = clock.now()
        with self._database.transaction() as work:
            work.execute(sa.delete(web_session).where(web_session.c.end_time < now))
            work.execute(
                sa.insert(web_session).values(
                    id_hash=_hash(session_id),
                    user_id=answer.user.id,
                    sealed=_seal(session_id, answer),
                    token_end=answer.expire_time.ToDatetime(UTC),
                    renewing_until=now,
                    create_time=now,
                    seen_time=now,
                    end_time=now + IDLE,
                )
            )
        return self.read(session_id)

    def read(self, session_id: str) -> Session:
        """The open session of a cookie, its token good for a minute at least. Errors: NotSignedIn."""
        mark = _hash(session_id)
        with self._lock:
            read_at, session = self._kept.get(mark, (0.0, None))
        fresh = session is not None and time.monotonic() - read_at < READ_AGAIN
        if session is None or not fresh or self._is_old(session.token_end):
            session = self._read(session_id)
            self._keep(mark, session)
        return session

    def renew_soon(self) -> None:
        """Renew every token given until now when it is next used: the tree changed, and paths stand in tokens."""
        self._renew_until = clock.now() + timedelta(seconds=LIFE_SECONDS)

    def _is_old(self, token_end: datetime) -> bool:
        return token_end <= self._renew_until or token_end - clock.now() < RENEW_BEFORE

    def end(self, session_id: str) -> None:
        """Sign out: here, at the directory, and for every replica."""
        mark = _hash(session_id)
        self._forget(mark)
        with self._database.transaction() as work:
            gone = work.execute(
                sa.delete(web_session).where(web_session.c.id_hash == mark).returning(web_session.c.sealed)
            ).scalar()
        if gone is not None:
            refresh = _open_seal(session_id, gone)["refresh_token"]
            try:
                self._services.call("directory", "SignOut", pb.SignOutRequest(refresh_token=refresh))
            except RemoteError as refusal:
                if refusal.kind is not Kind.UNAUTHENTICATED:  # else it was ended from elsewhere already
                    raise

    @property
    def database(self) -> Database:
        """Where sessions lie, and what else the workplace keeps for people."""
        return self._database

    def save_setting(self, session: Session, name: str, value: Any) -> None:
        """Keep how a person likes the workplace; `value` is JSON, None forgets it."""
        with self._database.transaction() as work:
            mine = (view_setting.c.user_id == session.access.user_id) & (view_setting.c.name == name)
            work.execute(sa.delete(view_setting).where(mine))
            if value is not None:
                work.execute(
                    sa.insert(view_setting).values(
                        user_id=session.access.user_id, name=name, value=value, update_time=work.now
                    )
                )
        self._forget(_hash(session.id))

    def _read(self, session_id: str) -> Session:
        now, mark = clock.now(), _hash(session_id)
        seen = (
            sa.update(web_session)
            .where(web_session.c.id_hash == mark, web_session.c.end_time > now)
            .values(seen_time=now, end_time=sa.func.least(web_session.c.create_time + LONGEST, now + IDLE))
            .returning(web_session)
        )
        with self._database.transaction() as work:
            row = work.execute(seen).one_or_none()
            if row is None:
                raise NotSignedIn("the session has ended; sign in again")
            found = work.execute(
                sa.select(view_setting.c.name, view_setting.c.value).where(view_setting.c.user_id == row.user_id)
            ).all()
        secret = _open_seal(session_id, row.sealed)
        if self._is_old(row.token_end):
            secret, row_end = self._renew(session_id, secret, row.token_end)
        else:
            row_end = row.token_end
        access = self._verifier.verify(secret["access_token"])
        return Session(session_id, access, secret["access_token"], row_end, {one.name: one.value for one in found})

    def _renew(self, session_id: str, secret: dict[str, str], token_end: datetime) -> tuple[dict[str, str], datetime]:
        """The next token; while another request gets it, or the directory is away, the old one as long as it lasts."""
        now, mark = clock.now(), _hash(session_id)
        lease = (
            sa.update(web_session)
            .where(
                web_session.c.id_hash == mark,
                web_session.c.renewing_until < now,
                web_session.c.token_end == token_end,
            )
            .values(renewing_until=now + RENEW_LEASE)
        )
        with self._database.transaction() as work:
            if work.execute(lease).rowcount == 0:
                return secret, token_end
        try:
            asked = pb.RefreshTokenRequest(refresh_token=secret["refresh_token"])
            answer = self._services.call("directory", "RefreshToken", asked)
        except RemoteError as refusal:
            if refusal.kind in (Kind.UNAVAILABLE, Kind.DEADLINE, Kind.EXHAUSTED):
                return secret, token_end
            self._drop(mark)
            raise NotSignedIn("access is closed or the session has ended; sign in again") from None
        end = answer.expire_time.ToDatetime(UTC)
        with self._database.transaction() as work:
            work.execute(
                sa.update(web_session)
                .where(web_session.c.id_hash == mark)
                .values(sealed=_seal(session_id, answer), token_end=end, renewing_until=now)
            )
        return {"access_token": answer.access_token, "refresh_token": answer.refresh_token}, end

    def _drop(self, mark: bytes) -> None:
        self._forget(mark)
        with self._database.transaction() as work:
            work.execute(sa.delete(web_session).where(web_session.c.id_hash == mark))

    def _keep(self, mark: bytes, session: Session) -> None:
        with self._lock:
            self._kept[mark] = (time.monotonic(), session)
            self._kept.move_to_end(mark)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)

    def _forget(self, mark: bytes) -> None:
        with self._lock:
            self._kept.pop(mark, None)


def _hash(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode()).digest()


def _fernet(session_id: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hmac.digest(session_id.encode(), b"seal", "sha256")))


def _seal(session_id: str, answer: Any) -> bytes:
    tokens = {"access_token": answer.access_token, "refresh_token": answer.refresh_token}
    return _fernet(session_id).encrypt(json.dumps(tokens).encode())


def _open_seal(session_id: str, sealed: bytes) -> dict[str, str]:
    try:
        tokens: dict[str, str] = json.loads(_fernet(session_id).decrypt(bytes(sealed)))
    except InvalidToken:
        raise NotSignedIn("the session cannot be read; sign in again") from None
    return tokens


def _mix(mask: bytes, secret: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(mask, secret, strict=True))
