"""A TCP proxy that stands between a process and its broker and lets the link fail as a test says."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator

PIECE = 4_096
WIDE_PIECE = 65_536  # where each piece waits for the delay, small ones would add a limit of throughput to it


class FaultProxy:
    """Forwards connections to a port of this machine; every fault is a field that may be set while data flow.

    `cut_after` bytes from the client a connection is reset (0: never); while `flows` is not set nothing passes, and
    nobody is told, which begins by itself `hang_after` bytes from the client (0: never). While `takes` is not set a new
    connection is reset at once. `delay` and `jitter` are seconds each piece waits, `rate` is bytes a second and `piece`
    bytes passed on at once (0: unlimited).
    """

    def __init__(self, port: int) -> None:
        self.target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cut_after = self.hang_after = 0
        self.cuts = 0
        self.delay = self.jitter = 0.0
        self.rate = self.piece = 0
        self.flows, self.takes = threading.Event(), threading.Event()
        self.heal()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def connections(self) -> int:
        """How many connections were made and not ended."""
        return len(self._open) // 2

    def heal(self) -> None:
        """End every fault; connections that live go on."""
        self.cut_after = self.hang_after = self.rate = self.piece = 0
        self.delay = self.jitter = 0.0
        self.flows.set()
        self.takes.set()

    def close(self) -> None:
        """End every connection and take no more."""
        self._listener.close()
        self.heal()
        self.cut()

    def cut(self) -> None:
        """Reset every connection."""
        for one in list(self._open):
            self._reset(one)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            if not self.takes.is_set():
                raise ConnectionRefusedError("the link is down")
            server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
        except OSError:
            self._reset(client)
            return
        server.settimeout(None)
        self._open |= {client, server}
        for source, sink, counted in ((client, server, True), (server, client, False)):
            threading.Thread(target=self._pump, args=(source, sink, counted), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while piece := source.recv(WIDE_PIECE if self.delay else PIECE):
                passed += len(piece)
                if counted and self.hang_after and passed > self.hang_after:
                    self.flows.clear()
                self._wait(len(piece))
                if counted and self.cut_after and passed > self.cut_after:
                    self.cuts += 1
                    break
                for start in range(0, len(piece), self.piece or len(piece)):
                    sink.sendall(piece[start : start + (self.piece or len(piece))])
        self._reset(source)
        self._reset(sink)

    def _wait(self, size: int) -> None:
        self.flows.wait()
        seconds = self.delay + random.uniform(-self.jitter, self.jitter) + (size / self.rate if self.rate else 0.0)
        if seconds > 0:
            time.sleep(seconds)

    def _reset(self, one: socket.socket) -> None:
        self._open.discard(one)
        with contextlib.suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            one.shutdown(socket.SHUT_RD)  # wakes its pump, which would keep the closed connection open
        with contextlib.suppress(OSError):
            one.close()


@contextlib.contextmanager
def proxied(port: int) -> Iterator[FaultProxy]:
    """A proxy in front of a port, for the time of a block."""
    proxy = FaultProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
