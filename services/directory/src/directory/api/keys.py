"""The part of the directory's gRPC door that speaks of keys for programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import grpc

from chassis import paging
from chassis.clock import now
from chassis.database import Database
from chassis.rpc.server import current_access
from chassis.tokens import LIFE_SECONDS, TokenSigner
from crm.directory.v1 import directory_pb2 as pb
from crm.directory.v1 import directory_pb2_grpc as pb_grpc
from directory import api_keys
from directory.api.page_keys import id_in
from directory.messages import timestamp


class KeyCalls(pb_grpc.DirectoryServiceServicer):
    """The calls of crm.directory.v1.DirectoryService on keys."""

    database: Database
    signer: TokenSigner

    def IssueApiKey(self, request: pb.IssueApiKeyRequest, context: grpc.ServicerContext) -> pb.IssueApiKeyResponse:
        """Issue a key."""
        with self.database.transaction(current_access()) as work:
            row, secret = api_keys.issue_key(work, request.user_id, request.name, request.scopes, request.days)
            return pb.IssueApiKeyResponse(api_key=_key_message(row), secret=secret)

    def ListApiKeys(self, request: pb.ListApiKeysRequest, context: grpc.ServicerContext) -> pb.ListApiKeysResponse:
        """List keys."""
        size = paging.page_size(request.page_size, 200, 1000)
        question = f"keys:{request.user_id}"
        after = id_in(paging.read_token(question, request.page_token))
        with self.database.transaction(current_access()) as work:
            rows = api_keys.list_keys(work, request.user_id, after, size + 1)
        token = paging.make_token(question, [rows[size - 1].id]) if len(rows) > size else ""
        return pb.ListApiKeysResponse(api_keys=[_key_message(row) for row in rows[:size]], next_page_token=token)

    def EndApiKey(self, request: pb.EndApiKeyRequest, context: grpc.ServicerContext) -> pb.EndApiKeyResponse:
        """End a key."""
        with self.database.transaction(current_access()) as work:
            api_keys.end_key(work, request.api_key_id)
        return pb.EndApiKeyResponse()

    def ExchangeApiKey(
        self, request: pb.ExchangeApiKeyRequest, context: grpc.ServicerContext
    ) -> pb.ExchangeApiKeyResponse:
        """Give a token for a key."""
        with self.database.transaction() as work:
            access = api_keys.access_by_key(work, request.secret)
        end = timestamp(now() + timedelta(seconds=LIFE_SECONDS))
        return pb.ExchangeApiKeyResponse(access_token=self.signer.sign(access), expire_time=end)


def _key_message(row: Any) -> pb.ApiKey:
    return pb.ApiKey(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        scopes=row.scopes,
        create_time=timestamp(row.create_time),
        expire_time=timestamp(row.expire_time),
        use_time=timestamp(row.use_time) if row.use_time else None,
    )
