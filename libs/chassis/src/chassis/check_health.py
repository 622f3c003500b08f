"""Says whether the process of this container is well: `python -m chassis.check_health`, ends with 0 or 1.

An api process is asked by the gRPC health protocol, a gateway by HTTP; a worker and jobs are well while they touch
their health file. A worker whose bus is down is degraded, which is said and is no reason to start it anew.
"""

from __future__ import annotations

import http.client
import os
import ssl
import sys
import time
from pathlib import Path

FIRST_PROCESS = Path("/proc/1/cmdline")  # its last word is the action, also below an init
HEALTH_PATH = "/api/v1/health"
ASK_SECONDS = 3.0
OLDEST_SECONDS = 20.0  # four missed beats


def find_trouble(action: str) -> str:
    """What is wrong with the process that does `action`; empty when it is well."""
    if action != "serve":
        return _trouble_of_file(Path(os.environ["HEALTH_FILE"]))
    if "HTTP_LISTEN" in os.environ:
        return _trouble_over_http(_port_of("HTTP_LISTEN"))
    return _trouble_over_grpc(_port_of("GRPC_LISTEN"))


def _port_of(variable: str) -> int:
    return int(os.environ[variable].rpartition(":")[2])


def _trouble_of_file(file: Path) -> str:
    try:
        age = time.time() - file.stat().st_mtime
    except FileNotFoundError:
        return "it has not begun"
    if age > OLDEST_SECONDS:
        return f"it has not moved for {age:.0f} s"
    sys.stdout.write(file.read_text(encoding="utf-8"))
    return ""


def _trouble_over_http(port: int) -> str:
    connection = _connection_to(port)
    try:
        connection.request("GET", HEALTH_PATH)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as trouble:
        return f"it does not answer: {trouble}"
    finally:
        connection.close()
    return "" if status == http.client.OK else f"it answers {status}"


def _connection_to(port: int) -> http.client.HTTPConnection:
    """To the process beside us: whose certificate it shows to browsers is not asked, only whether it answers."""
    if not os.environ.get("HTTPS_FOLDER"):
        return http.client.HTTPConnection("127.0.0.1", port, timeout=ASK_SECONDS)
    unasked = ssl.create_default_context()
    unasked.check_hostname = False
    unasked.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=ASK_SECONDS, context=unasked)


def _trouble_over_grpc(port: int) -> str:
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    from chassis.rpc.certificates import open_channel

    with open_channel(f"127.0.0.1:{port}") as channel:
        try:
            asked = health_pb2.HealthCheckRequest()
            status = health_pb2_grpc.HealthStub(channel).Check(asked, timeout=ASK_SECONDS).status
        except grpc.RpcError as trouble:
            return f"it does not answer: {trouble.code().name}"
    return "" if status == health_pb2.HealthCheckResponse.SERVING else "its database does not answer"


def main() -> int:
    """Look at process 1 and say what is wrong with it. Returns 1 then."""
    action = FIRST_PROCESS.read_bytes().rstrip(b"\0").rpartition(b"\0")[2].decode()
    trouble = find_trouble(action)
    if trouble:
        sys.stdout.write(f"{action}: {trouble}\n")
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main())
