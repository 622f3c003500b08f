"""RabbitMQ for tests: the newest in a container, Debian 12's 3.10 as a process of its own; spoken to by their API."""

from __future__ import annotations

import base64
import itertools
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

IMAGE = "rabbitmq:4-management"
USER, PASSWORD = "crm", "crm"
START_SECONDS = 240.0  # of a busy machine; a quiet one needs six
COMMAND_SECONDS = 180.0
OLD_FOLDER = "BRANCHLINE_RABBITMQ_3_10"  # the variable that names the folder .ci/rabbitmq_3_10 has filled
_CONFIG = """
listeners.tcp.1 = 127.0.0.1:{port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {api}
default_user = {user}
default_pass = {password}
"""
_count = itertools.count()


class RabbitBroker:
    """A RabbitMQ that takes connections on `port` and answers its management API on `api_port`."""

    def __init__(self, port: int, api_port: int) -> None:
        self.port = port
        self.management = f"127.0.0.1:{api_port}"
        self._api = f"http://{self.management}/api"

    def wait_ready(self) -> None:
        """Wait until it takes connections. Errors: RuntimeError."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            try:
                self.ask("GET", "/healthchecks/node")
                self.ask("GET", "/overview")
            except (OSError, urllib.error.URLError):
                time.sleep(0.2)
            else:
                return
        raise RuntimeError("RabbitMQ did not start")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Call the management API; answers its JSON, None when there is none."""
        request = urllib.request.Request(self._api + path, method=method)
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())
        data = None
        if body is not None:
            request.add_header("Content-Type", "application/json")
            data = json.dumps(body).encode()
        with urllib.request.urlopen(request, data, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def fresh_vhost(self) -> str:
        """The URL of a new virtual host."""
        name = f"test_{next(_count)}"
        self.ask("PUT", f"/vhosts/{name}", {})
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.ask("PUT", f"/permissions/{name}/{quote(USER)}", everything)
        return f"amqp://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{name}"

    def control(self, *words: str) -> str:
        """Run `rabbitmqctl` and answer what it printed."""
        raise NotImplementedError

    def stop(self) -> None:
        """End it."""
        raise NotImplementedError


class ContainerRabbit(RabbitBroker):
    """RabbitMQ 4 in a container; one that is `kept` may be halted and go on.

    `files` are put into it, each under its place there; `listens` is the port at which it takes connections.
    """

    def __init__(self, kept: bool = False, files: Mapping[str, Path] | None = None, listens: int = 5672) -> None:
        self._listens = listens
        ports = ("-p", f"127.0.0.1::{listens}", "-p", "127.0.0.1::15672")
        mounts = [word for place, path in (files or {}).items() for word in ("-v", f"{path}:{place}:ro")]
        user = ("-e", f"RABBITMQ_DEFAULT_USER={USER}", "-e", f"RABBITMQ_DEFAULT_PASS={PASSWORD}")
        self.container = docker("run", "-d", *(() if kept else ("--rm",)), *ports, *mounts, *user, IMAGE)
        super().__init__(self._port_of(f"{listens}/tcp"), self._port_of("15672/tcp"))

    def control(self, *words: str) -> str:
        """Run `rabbitmqctl` inside the container."""
        return docker("exec", self.container, "rabbitmqctl", "-q", *words)

    @property
    def pid(self) -> int:
        """The number of its first process, as this machine counts."""
        return int(docker("inspect", "--format", "{{.State.Pid}}", self.container))

    def halt(self) -> None:
        """Kill a kept broker; its disk stays."""
        docker("kill", self.container)

    def go_on(self) -> None:
        """Start a halted one and wait until it takes connections; its ports are others then. Errors: RuntimeError."""
        docker("start", self.container)
        super().__init__(self._port_of(f"{self._listens}/tcp"), self._port_of("15672/tcp"))
        self.wait_ready()

    def stop(self) -> None:
        """End the container and remove it with its disk."""
        docker("rm", "-f", "-v", self.container)

    def _port_of(self, inner: str) -> int:
        return int(docker("port", self.container, inner).splitlines()[0].rsplit(":", 1)[1])


class OldRabbit(RabbitBroker):
    """RabbitMQ 3.10 out of Debian's packages, unpacked in `folder`; nothing of it is installed in the system."""

    def __init__(self, folder: Path) -> None:
        port, api, distribution, names = free_ports(4)
        super().__init__(port, api)
        self._data = tempfile.TemporaryDirectory(prefix="rabbitmq-")
        data = Path(self._data.name)
        (data / "rabbit.conf").write_text(_CONFIG.format(port=port, api=api, user=USER, password=PASSWORD))
        (data / "plugins").write_text("[rabbitmq_management].")
        [home] = (folder / "usr/lib/rabbitmq/lib").glob("rabbitmq_server-3.10.*")
        self._programs = home / "sbin"
        self._environment = {
            **os.environ,
            "PATH": f"{folder / 'usr/lib/erlang/bin'}:{os.environ['PATH']}",
            "HOME": str(data),  # its cookie
            "RABBITMQ_NODENAME": f"test{port}@localhost",
            "RABBITMQ_DIST_PORT": str(distribution),
            "ERL_EPMD_PORT": str(names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(data / "mnesia"),
            "RABBITMQ_LOG_BASE": str(data / "logs"),
            "RABBITMQ_CONFIG_FILE": str(data / "rabbit"),
            "RABBITMQ_CONF_ENV_FILE": str(data / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(data / "plugins"),
        }
        self._processes = [self._start("epmd"), self._start(self._programs / "rabbitmq-server")]

    def control(self, *words: str) -> str:
        """Run its `rabbitmqctl`."""
        command = [str(self._programs / "rabbitmqctl"), "-q", *words]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=True, timeout=60)
        return done.stdout.strip()

    def stop(self) -> None:
        """End it and what it started, and forget its data."""
        for process in reversed(self._processes):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._data.cleanup()

    def _start(self, program: str | Path) -> subprocess.Popen[bytes]:
        place = self._data.name
        with Path(place, "log").open("ab") as log:
            return subprocess.Popen(
                [program], env=self._environment, cwd=place, stdout=log, stderr=log, start_new_session=True
            )


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with_sockets = [socket.socket() for _ in range(count)]
    for one in with_sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in with_sockets]
    for one in with_sockets:
        one.close()
    return ports


def docker(*words: str) -> str:
    """Run the container engine's command and answer what it printed. Errors: CalledProcessError, OSError."""
    done = subprocess.run(("docker", *words), capture_output=True, text=True, check=True, timeout=COMMAND_SECONDS)
    return done.stdout.strip()
