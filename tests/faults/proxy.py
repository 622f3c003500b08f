"""A TCP proxy that stands between a process and its broker and lets the link fail as a test says."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

PIECE = 4_096


class FaultProxy:
    """Forwards connections to a port of this machine.

    `cut_after` bytes from the client a connection is reset (0: never); while `flows` is not set nothing passes.
    """

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cut_after = 0
        self.cuts = 0
        self.flows = threading.Event()
        self.flows.set()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def connections(self) -> int:
        """How many connections were made and not ended."""
        return len(self._open) // 2

    def close(self) -> None:
        """End every connection and take no more."""
        self._listener.close()
        self.flows.set()
        self.cut()

    def cut(self) -> None:
        """Reset every connection."""
        for one in list(self._open):
            self._reset(one)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._open |= {client, server}
                for source, sink, counted in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pump, args=(source, sink, counted), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                self.flows.wait()
                passed += len(piece)
                if counted and self.cut_after and passed > self.cut_after:
                    self.cuts += 1
                    break
                sink.sendall(piece)
        self._reset(source)
        self._reset(sink)

    def _reset(self, one: socket.socket) -> None:
        self._open.discard(one)
        with contextlib.suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            one.close()


@contextlib.contextmanager
def proxied(port: int) -> Iterator[FaultProxy]:
    """A proxy in front of a port, for the time of a block."""
    proxy = FaultProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
