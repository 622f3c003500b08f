"""How a service acts by itself: with a token that the directory gives for its own secret."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from chassis.rpc.client import Client
from crm.directory.v1 import directory_pb2 as pb
from crm.directory.v1.directory_pb2_grpc import DirectoryServiceStub

TOKEN_REST = 60.0  # seconds of life below which a token is renewed


def follower_tokens(service: str, directory_address: str, secret: str) -> Callable[[], str]:
    """Something that gives a token with which `service` may follow others' events, renewed in time.

    The directory must know the secret as `DIRECTORY_FOLLOWER_SECRETS` (`service=secret`). Errors: RemoteError.
    """
    directory = Client("directory", directory_address, DirectoryServiceStub)
    lock = threading.Lock()
    known = [("", 0.0)]

    def give() -> str:
        with lock:
            token, end = known[0]
            if end - time.time() < TOKEN_REST:
                asked = pb.ActForUserRequest(service=service, service_secret=secret)
                answer = directory.call("ActForUser", asked, retry=True)
                token = str(answer.access_token)
                known[0] = (token, float(answer.expire_time.seconds))
            return token

    return give
