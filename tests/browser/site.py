"""A site of a few made-up pages, under the workplace's own policy or none: what the harness itself is tested on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
QUIET = (
    '<!doctype html><html lang="en"><head><title>A page</title>{head}</head><body><main><h1>A page</h1>{body}</main>'
)
ICON = '<link rel="icon" href="data:,">'


def a_page(body: str = "", head: str = "") -> str:
    """A page nobody could complain of, with more in it."""
    return QUIET.format(head=head, body=body)


class Site:
    """Pages by path; what is none of them answers 404."""

    def __init__(self, url: str, pages: dict[str, tuple[str, str]]) -> None:
        self.url, self._pages = url, pages

    def put(self, path: str, text: str, kind: str = "text/html") -> str:
        """Show a text under a path from now on, and answer the path."""
        self._pages[path] = (text, kind)
        return path


@contextmanager
def serve_site() -> Iterator[Site]:
    """A site on a free port."""
    pages: dict[str, tuple[str, str]] = {}

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text, kind = pages.get(self.path, ("no such page", ""))
            self.send_response(200 if kind else 404)
            self.send_header("Content-Type", f"{kind or 'text/plain'}; charset=utf-8")
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Write no lines of access between those of tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Site(f"http://127.0.0.1:{server.server_address[1]}", pages)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
