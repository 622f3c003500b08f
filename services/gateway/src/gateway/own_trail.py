"""The gateway's own audit trail: deeds no service knows of, sealed and searched as theirs are."""

from __future__ import annotations

import logging
import threading

import sqlalchemy as sa

from chassis.audit.keeping import AUDIT_SECONDS, AuditKeeper
from chassis.database import Database
from chassis.rpc.audit_door import search_trail
from chassis.rpc.client import current_token
from chassis.tokens import TokenVerifier
from crm.platform.v1 import audit_pb2 as pb

log = logging.getLogger(__name__)
NAME = "gateway"  # of the trail, beside those of the services


class OwnTrail:
    """Answers who may audit, and seals each second; any number of gateways do so side by side."""

    def __init__(self, database: Database, verifier: TokenVerifier) -> None:
        self._database, self._verifier = database, verifier
        self._keeper = AuditKeeper(database, has_events=False)
        self._closing = threading.Event()

    def search(self, request: pb.ListAuditEntriesRequest) -> pb.ListAuditEntriesResponse:
        """Entries the present caller may audit. Errors: NotSignedIn, NotPermitted, FieldInvalid, PageTokenInvalid."""
        return search_trail(self._database, self._verifier.verify(current_token()), request)

    def start(self) -> None:
        """Seal on a thread until `close`."""
        threading.Thread(target=self._run, name="own-trail", daemon=True).start()

    def close(self) -> None:
        """Seal nothing more; the next gateway goes on."""
        self._closing.set()

    def _run(self) -> None:
        while not self._closing.wait(AUDIT_SECONDS):
            try:
                self._keeper.keep()
            except sa.exc.SQLAlchemyError:
                log.warning("the gateway's trail is not sealed: database not available")
