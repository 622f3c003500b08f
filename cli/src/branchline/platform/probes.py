"""Quick looks whether a process answers; none waits longer than half a second."""

from __future__ import annotations

import http.client
import socket
import time

from branchline.platform.child import Child

LONGEST = 0.5  # seconds
SETTLED_SECONDS = 0.3  # a process without a port counts as ready when it has lived this long


def answers_tcp(port: int) -> bool:
    """Tell whether something listens on this port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), LONGEST).close()
    except OSError:
        return False
    return True


def answers_http(port: int, path: str) -> bool:
    """Tell whether a GET is answered with a status below 400."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def lives(child: Child) -> bool:
    """Tell whether a process without a port has outlived its start."""
    return child.process is not None and time.monotonic() - child.back_off.started > SETTLED_SECONDS
