"""How problem answers of the platform become exit statuses and messages, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from branchline.exits import Exit, Failure
from branchline.platform.folder import DataFolder
from branchline.rest import connect

Answer = tuple[int, dict[str, Any]]
Platform = Callable[[Callable[[str, str], Answer]], str]


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """Serve what a function answers to method and path below /api/v1; sign-in is granted."""
    servers: list[ThreadingHTTPServer] = []

    def serve(answer: Callable[[str, str], Answer]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = self.path.removeprefix("/api/v1")
                status, body = (200, {"access_token": "t"}) if path == "/sessions" else answer(self.command, path)
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        for name, value in (("URL", url), ("LOGIN", "a"), ("PASSWORD", "p")):
            monkeypatch.setenv(f"BRANCHLINE_{name}", value)
        return url

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, Exit.FAILED), (404, Exit.FAILED), (409, Exit.FAILED), (401, Exit.NOT_PERMITTED), (403, Exit.NOT_PERMITTED),
     (503, Exit.UNREACHABLE)],
)  # fmt: skip
def test_each_status_has_its_exit(platform: Platform, tmp_path: Path, status: int, expected: Exit) -> None:
    platform(lambda *_: (status, {"detail": "so it is", "reason": "SO"}))
    with connect(DataFolder(tmp_path), patience=0) as rest, pytest.raises(Failure) as refused:
        rest.get("/runs/x")
    assert (refused.value.status, refused.value.message, refused.value.reason) == (expected, "so it is", "SO")


def test_every_named_field_is_in_the_message(platform: Platform, tmp_path: Path) -> None:
    errors = [{"field": "unit_id", "detail": "no such unit"}]
    platform(lambda *_: (400, {"detail": "the request cannot be used", "errors": errors}))
    with connect(DataFolder(tmp_path)) as rest, pytest.raises(Failure, match="unit_id: no such unit"):
        rest.post("/runs", {})


def test_a_token_that_ended_is_renewed_once(platform: Platform, tmp_path: Path) -> None:
    answers = iter([(401, {"detail": "ended"}), (200, {"id": "r"})])
    platform(lambda *_: next(answers))
    with connect(DataFolder(tmp_path)) as rest:
        assert rest.get("/runs/r") == {"id": "r"}


def test_a_part_that_starts_again_is_waited_for(platform: Platform, tmp_path: Path) -> None:
    answers = iter([(503, {"detail": "away"}), (503, {"detail": "away"}), (200, {"id": "r"})])
    platform(lambda *_: next(answers))
    with connect(DataFolder(tmp_path)) as rest:
        assert rest.get("/runs/r") == {"id": "r"}


def test_pages_are_read_to_the_last(platform: Platform, tmp_path: Path) -> None:
    pages = {
        "/runs": {"runs": [1, 2], "next_page_token": "n"},
        "/runs?page_token=n": {"runs": [3], "next_page_token": ""},
    }
    platform(lambda _, path: (200, pages[path]))
    with connect(DataFolder(tmp_path)) as rest:
        assert list(rest.pages("/runs", "runs")) == [1, 2, 3]


def test_nobody_listening_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANCHLINE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("BRANCHLINE_LOGIN", "a")
    with connect(DataFolder(tmp_path)) as rest, pytest.raises(Failure, match="does not answer at http://127.0.0.1:9"):
        rest.get("/runs")


def test_an_address_without_credentials_asks_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANCHLINE_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("BRANCHLINE_LOGIN", raising=False)
    with connect(DataFolder(tmp_path)) as rest, pytest.raises(Failure, match="BRANCHLINE_LOGIN") as refused:
        rest.get("/runs")
    assert refused.value.status == Exit.NOT_PERMITTED
