"""Quick looks whether a process answers; none waits longer than half a second."""

from __future__ import annotations

import http.client
import time

import psutil

from branchline.platform.child import Child

LONGEST = 0.5  # seconds
SETTLED_SECONDS = 0.3  # a process without a port counts as ready when it has lived this long


def listens(child: Child, port: int) -> bool:
    """Tell whether this very process listens on this port; another program on it must not be taken for ours."""
    if child.process is None:
        return False
    try:
        open_ones = psutil.Process(child.process.pid).net_connections(kind="tcp")
    except psutil.Error:
        return False
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in open_ones)


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
