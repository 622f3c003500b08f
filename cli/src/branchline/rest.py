"""Talks to a platform through the gateway's REST, and turns its problem answers into failures with an exit status.

Signs in by itself with the credentials of the data folder, or with BRANCHLINE_URL, BRANCHLINE_LOGIN and
BRANCHLINE_PASSWORD. Knows paths below /api/v1 only as its callers give them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from branchline.exits import Exit, Failure
from branchline.platform.claim import find_holder
from branchline.platform.folder import DataFolder, read_json

TIMEOUT_SECONDS = 30.0
PATIENCE_SECONDS = 20.0  # how long a platform may be away (a process that is started again) before a command gives up
PAUSE_SECONDS = 0.2
START_IT = "start it with ./branchline up"


@contextmanager
def connect(
    folder: DataFolder, login: str = "", password: str = "", patience: float = PATIENCE_SECONDS
) -> Iterator[Rest]:
    """A connection to the platform of this folder, or the one the environment names; `patience` in seconds.

    Errors: Failure where no platform runs.
    """
    kept = read_json(folder.credentials)
    named = os.environ.get("BRANCHLINE_URL", "")
    if named:
        kept = {}
    elif find_holder(folder) is None:
        raise Failure(f"the platform is not running over {folder.path}; {START_IT}", Exit.UNREACHABLE, "NOT_RUNNING")
    url = named or str(kept.get("url", ""))
    login = login or os.environ.get("BRANCHLINE_LOGIN", "") or kept.get("login", "")
    password = password or os.environ.get("BRANCHLINE_PASSWORD", "") or kept.get("password", "")
    with httpx2.Client(base_url=f"{url.rstrip('/')}/api/v1", timeout=TIMEOUT_SECONDS) as client:
        yield Rest(client, login, password, patience, expected=not named)


class Rest:
    """Calls below /api/v1; signs in when first needed and again when the token has ended.

    A platform that is `expected` to be there, or has answered once, is waited for while a process of it starts again.
    """

    def __init__(
        self, client: httpx2.Client, login: str, password: str, patience: float, expected: bool = False
    ) -> None:
        self.client, self._login, self._password, self._patience = client, login, password, patience
        self._token, self._expected, self._signing_in = "", expected, threading.Lock()

    def get(self, path: str, **parameters: Any) -> Any:
        """GET and decode; parameters that are None are left out."""
        given = {key: value for key, value in parameters.items() if value not in (None, "", [], ())}
        return self.call("GET", path, params=given, patient=True).json()

    def post(self, path: str, body: Any = None, key: str = "") -> Any:
        """POST and decode; a `key` makes the call safe to repeat, so it waits for a platform that is away."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.call("POST", path, json=body if body is not None else {}, headers=headers, patient=bool(key))
        return answer.json() if answer.content else {}

    def put_bytes(self, path: str, data: bytes, **parameters: Any) -> Any:
        """PUT raw bytes; safe to repeat."""
        headers = {"Content-Type": "application/octet-stream"}
        return self.call("PUT", path, content=data, params=parameters, headers=headers, patient=True).json()

    def pages(self, path: str, items: str, **parameters: Any) -> Iterator[Any]:
        """The items of every page of a list."""
        token = None
        while True:
            page = self.get(path, page_token=token, **parameters)
            yield from page[items]
            token = page.get("next_page_token")
            if not token:
                return

    @contextmanager
    def stream(self, path: str, **parameters: Any) -> Iterator[Iterator[bytes]]:
        """The pieces of a large answer as they come. Errors: Failure."""
        self._sign_in_once()
        headers = {"Authorization": f"Bearer {self._token}"}
        with self.client.stream("GET", path, params=parameters, headers=headers) as answer:
            if answer.status_code >= 400:
                answer.read()
                raise failure_of(answer)
            yield answer.iter_bytes()

    def call(self, method: str, path: str, patient: bool = False, **more: Any) -> httpx2.Response:
        """Call with a token. Errors: Failure with exit status 1, 3 or 4."""
        token = self._sign_in_once()
        answer = self._send(method, path, patient, **more)
        if answer.status_code == 401:
            self._sign_in_once(instead_of=token)
            answer = self._send(method, path, patient, **more)
        if answer.status_code >= 400:
            raise failure_of(answer)
        return answer

    def _send(self, method: str, path: str, patient: bool, **more: Any) -> httpx2.Response:
        headers = {**more.pop("headers", {}), "Authorization": f"Bearer {self._token}"}
        return self._reach(method, path, patient, headers=headers, **more)

    def _reach(self, method: str, path: str, patient: bool, **more: Any) -> httpx2.Response:
        """Send, and where that is safe send again while the platform is away."""
        end = time.monotonic() + (self._patience if patient and self._expected else 0)
        while True:
            try:
                answer = self.client.request(method, path, **more)
            except httpx2.TransportError as trouble:
                if time.monotonic() > end or isinstance(trouble, httpx2.UnsupportedProtocol):
                    where = self.client.base_url
                    message = f"the platform does not answer at {where.scheme}://{where.netloc.decode()}; {START_IT}"
                    raise Failure(message, Exit.UNREACHABLE, "UNREACHABLE") from trouble
            else:
                self._expected = True
                if answer.status_code != 503 or time.monotonic() > end:
                    return answer
            time.sleep(PAUSE_SECONDS)

    def _sign_in_once(self, instead_of: str = "") -> str:
        """The token; a new one where there is none or it is the one that ended, whichever thread comes first."""
        with self._signing_in:
            if self._token == instead_of:
                self._token = self._sign_in()
            return self._token

    def _sign_in(self) -> str:
        if not self._login:
            message = "no credentials: set BRANCHLINE_LOGIN and BRANCHLINE_PASSWORD, or start a platform here"
            raise Failure(message, Exit.NOT_PERMITTED, "NOT_SIGNED_IN")
        body = {"login": self._login, "password": self._password}
        answer = self._reach("POST", "/sessions", patient=True, json=body)
        if answer.status_code >= 400:
            raise failure_of(answer)
        return str(answer.json()["access_token"])


STATUSES = {
    401: Exit.NOT_PERMITTED,
    403: Exit.NOT_PERMITTED,
    502: Exit.UNREACHABLE,
    503: Exit.UNREACHABLE,
    504: Exit.UNREACHABLE,
}


def failure_of(answer: httpx2.Response) -> Failure:
    """The failure a problem answer (RFC 9457) means; every named field is in the message."""
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    detail = problem.get("detail") or problem.get("title") or f"the platform answered {answer.status_code}"
    errors = problem.get("errors") or []
    named = "; ".join(f"{one.get('field')}: {one.get('detail')}" for one in errors if one.get("detail") not in detail)
    return Failure(
        f"{detail} ({named})" if named else detail,
        STATUSES.get(answer.status_code, Exit.FAILED),
        str(problem.get("reason") or f"HTTP_{answer.status_code}"),
        http_status=answer.status_code,
        errors=errors,
        trace_id=problem.get("trace_id"),
    )
