"""Starts the platform's processes in order, keeps them running and stops them; one thread, one loop.

PostgreSQL first, then the preparation of its databases, while all Python processes import what they need; then these at
once. What dies is started again.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from branchline.platform import forking, probes
from branchline.platform.child import BackOff, Child
from branchline.platform.claim import claim_folder
from branchline.platform.environment import Addresses, environment_of
from branchline.platform.folder import DataFolder, read_json, remember_company, write_json
from branchline.platform.forking import Nursery
from branchline.platform.ports import choose_ports, is_free
from branchline.platform.preparation import is_prepared, mark_prepared
from chassis.embedded_postgres_server import EmbeddedPostgres, PostgresNotStarted

TICK = 0.05  # seconds between two looks at the processes
# Front to back: nobody is left talking to a part that is gone. 17 s in all, inside the 20 s that stopping may take.
PROCESSES = ("gateway", "api", "jobs", "worker")  # those with the most to import first
STOP_ORDER = ((("gateway",), 4.0), (("jobs", "worker"), 8.0), (("api",), 5.0))
POSTGRES_ATTEMPTS = 8


class NotStarted(Exception):
    """The platform could not be started; the message says what to look at."""


@dataclass(frozen=True)
class Options:
    """What `branchline up` was asked for; `port` 0 takes the one kept or the usual one, `company` counts once."""

    port: int = 0
    bus_url: str = ""
    company: dict[str, str] = field(default_factory=dict)


class Supervisor:
    """Runs one platform over one folder. `say` hears each step, `on_ready` the seconds the first start took."""

    def __init__(
        self,
        folder: DataFolder,
        options: Options,
        say: Callable[[str], None],
        on_ready: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.folder, self.options, self.say, self.on_ready = folder, options, say, on_ready
        self.server = EmbeddedPostgres(folder.postgres, end_with_parent=True)
        self.server_back_off, self.server_restarts = BackOff(), 0
        self.children: list[Child] = []
        self.phase, self.message = "starting", ""
        self.stopping = False
        self.began = time.monotonic()
        self.seconds_to_ready: float | None = None

    def run(self) -> None:
        """Run until SIGTERM or SIGINT. Errors: AlreadyRunning, NotStarted, PortTaken."""
        with self._held():
            addresses = self._prepare()
            if not self.stopping:
                self._start_children(addresses)
            while not self.stopping:
                self._tend()
                time.sleep(TICK)

    def prepare_only(self) -> None:
        """Bring everything a start needs up to date, then stop. Errors: AlreadyRunning, NotStarted."""
        with self._held():
            self._prepare(always=True)

    @contextmanager
    def _held(self) -> Iterator[None]:
        with claim_folder(self.folder):
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._note_stop)
            try:
                yield
            finally:
                self._stop()

    def _note_stop(self, *_: Any) -> None:
        self.stopping = True

    def _prepare(self, always: bool = False) -> Addresses:
        remember_company(self.folder, self.options.company)
        port, grpc_port = choose_ports(self.folder, self.options.port)  # first, since a taken one may end it here
        self._tell("starting PostgreSQL")
        if self.server.stop_leftover():
            self._tell("stopped a PostgreSQL that an earlier start had left")
        nursery = Nursery() if forking.POSSIBLE else None
        self._start_server()
        if nursery:
            nursery.finish()
        addresses = Addresses(self.server.url("{}", "postgresql"), grpc_port, port, self.options.bus_url)
        bus = "amqp" if self.options.bus_url else "pgmq"
        if not always:
            self._warm_up()
        if always or not is_prepared(self.folder, bus):
            self._tell("preparing the databases")
            if self._run_preparation(addresses):
                mark_prepared(self.folder, bus)
        return addresses

    def _start_server(self) -> None:
        """Start PostgreSQL, again while the processes of a killed server still let go of its memory."""
        for attempt in range(POSTGRES_ATTEMPTS):
            try:
                self.server.start()
                return
            except PostgresNotStarted as trouble:
                if attempt == POSTGRES_ATTEMPTS - 1 or self.stopping:
                    raise NotStarted(str(trouble)) from trouble
                time.sleep(0.25)

    def _run_preparation(self, addresses: Addresses) -> bool:
        """Tell whether it came to its end; a stop in between ends it early. Errors: NotStarted."""
        child = Child("prepare", self._log_of("prepare"), lambda: False)
        child.environment = environment_of("prepare", addresses, {}, str(self.folder.path))
        child.log.write_bytes(b"")
        child.start()
        assert child.process is not None
        code = child.process.wait()
        if code and not self.stopping:
            reason = child.log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
            raise NotStarted(f"the databases could not be prepared: {reason}; see {child.log}")
        return code == 0

    def _warm_up(self) -> None:
        """Let the processes import what they need meanwhile."""
        for name in PROCESSES:
            child = Child(name, self._log_of(name), partial(self._is_up, name))
            self.children.append(child)
            child.warm_up()

    def _is_up(self, name: str) -> bool:
        child, addresses = self._child(name), self.addresses
        if name == "api":
            return probes.listens(child, addresses.grpc_port)
        if name == "gateway":
            return probes.listens(child, addresses.port) and probes.answers_http(addresses.port, "/api/v1/health")
        return probes.lives(child)

    def _start_children(self, addresses: Addresses) -> None:
        self._tell("starting the services")
        self.addresses = addresses
        url = f"http://127.0.0.1:{addresses.port}"
        write_json(self.folder.credentials, {**read_json(self.folder.credentials), "url": url})
        secrets = read_json(self.folder.secrets)
        for child in self.children:
            child.environment = environment_of(child.name, addresses, secrets, str(self.folder.path))
            child.start()

    def _child(self, name: str) -> Child:
        return next(child for child in self.children if child.name == name)

    def _log_of(self, name: str) -> Path:
        return self.folder.logs / f"{name}.log"

    def _tend(self) -> None:
        changed = self._tend_server()
        for child in self.children:
            if child.tend():
                changed = True
                if child.last_exit and child.process is None:
                    self._tell(f"{child.name}: {child.last_exit}; starting it again")
                    if self._port_is_lost(child):
                        self._move_ports()
                        return
        if self._note_phase() or changed:
            self._write_state()

    def _port_is_lost(self, child: Child) -> bool:
        """Tell whether another program took the port of a process that has just ended."""
        ports = {"api": self.addresses.grpc_port, "gateway": self.addresses.port}
        return child.name in ports and not is_free(ports[child.name])

    def _move_ports(self) -> None:
        """Start all processes anew on free ports, unless the port was asked for. Errors: PortTaken."""
        self._stop_children()
        port, grpc_port = choose_ports(self.folder, self.options.port)
        self._warm_up()
        self._start_children(replace(self.addresses, port=port, grpc_port=grpc_port))

    def _note_phase(self) -> bool:
        """Work out whether the platform as a whole is ready; tells whether that changed."""
        before = self.phase
        if all(child.is_ready for child in self.children):
            self.phase = "ready"
        elif before == "ready":
            self.phase = "degraded"
        if self.phase == "ready" and self.seconds_to_ready is None:
            self.seconds_to_ready = round(time.monotonic() - self.began, 2)
            self._write_state()
            self.on_ready(self.seconds_to_ready)
        return self.phase != before

    def _tend_server(self) -> bool:
        """Start PostgreSQL again when it died; the services connect anew by themselves."""
        process, now = self.server.process, time.monotonic()
        if process is not None and process.poll() is None:
            return False
        if process is not None:
            self.server.process = None
            self.server_back_off.note_death(now)
            self._tell("PostgreSQL ended; starting it again")
        if now < self.server_back_off.next_start:
            return False
        try:
            self.server_back_off.note_start(now)
            self.server.start()
        except PostgresNotStarted as trouble:
            self._tell(str(trouble))
            self.server_back_off.note_death(time.monotonic())
            return True
        self.server_restarts += 1
        return True

    def _stop(self) -> None:
        self.phase = "stopping"
        self._write_state()
        self._stop_children()
        self.server.stop()
        self.phase = "stopped"
        self._write_state()

    def _stop_children(self) -> None:
        for names, seconds in STOP_ORDER:
            group = [child for child in self.children if child.name in names]
            for child in group:
                child.ask_to_stop()
            end = time.monotonic() + seconds
            for child in group:
                child.wait_stopped(end)
        self.children.clear()

    def _tell(self, sentence: str) -> None:
        self.message = sentence
        self.say(sentence)
        self._write_state()

    def _write_state(self) -> None:
        server = self.server.process
        running = server is not None and server.poll() is None
        write_json(
            self.folder.state,
            {
                "phase": self.phase,
                "message": self.message,
                "seconds_to_ready": self.seconds_to_ready,
                "bus": "amqp" if self.options.bus_url else "pgmq",
                "processes": [
                    {
                        "name": "postgres",
                        "pid": server.pid if server and running else None,
                        "state": "ready" if running else "down",
                        "restarts": self.server_restarts,
                        "last_exit": "",
                    },
                    *(child.describe() for child in self.children),
                ],
            },
        )
