"""What browsers load besides pages: fetched files of vendor/ and our own of static/. It knows no page.

An address holds the beginning of its content's hash, so a browser keeps a file for good and asks only for a new one.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from chassis.errors import DomainError, Kind
from gateway.web.installing import VENDOR

STATIC = Path(__file__).resolve().parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
PACKED_ALREADY = frozenset((".woff2",))
HASH_LENGTH = 12  # 48 bits: two versions of one file never meet
KEPT = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}


class AssetsMissing(DomainError):
    """A page needs a file that is not on this machine."""

    kind = Kind.UNAVAILABLE
    reason = "ASSETS_MISSING"


@dataclass(frozen=True)
class Asset:
    """One file as it is sent; `packed` is its gzip form, empty where that would save nothing."""

    content: bytes
    packed: bytes
    media_type: str
    hash: str


class Shelf:
    """The files that lie directly in some folders, by name; an earlier folder's go before a later one's."""

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self.find = cache(self._find)  # read once, then kept: about 3 MB with everything

    def url(self, name: str) -> str:
        """The address of a file. Errors: AssetsMissing."""
        return f"/assets/{self.find(name).hash}/{name}"

    def _find(self, name: str) -> Asset:
        path = next((path for path in self._paths(name) if path.is_file()), None)
        if path is None:
            raise AssetsMissing(
                f"{name} is not installed, so no page can open; REST works. ./branchline up installs it if npm can"
            )
        content = path.read_bytes()
        packed = b"" if path.suffix in PACKED_ALREADY else gzip.compress(content, mtime=0)
        shorter = packed if len(packed) < len(content) else b""
        return Asset(content, shorter, TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:HASH_LENGTH])

    def _paths(self, name: str) -> list[Path]:
        if Path(name).name != name or Path(name).suffix not in TYPES or name.startswith("."):
            return []
        return [folder / name for folder in self._folders]


_shelf = Shelf(STATIC, VENDOR)


def asset_url(name: str) -> str:
    """The address under which pages load a file, `tabler.css` or one of static/. Errors: AssetsMissing."""
    return _shelf.url(name)


def add_asset_routes(app: FastAPI, shelf: Shelf = _shelf) -> None:
    """Send the files of the shelf below /assets to everybody; a page before sign-in needs them too."""

    @app.api_route("/assets/{hash}/{name}", methods=["GET", "HEAD"], include_in_schema=False)
    def send_asset(hash: str, name: str, request: Request) -> Response:
        try:
            asset = shelf.find(name)
        except AssetsMissing:
            asset = None
        if asset is None or asset.hash != hash:
            raise HTTPException(404, "there is no such file")
        return answer(asset, request)


def answer(asset: Asset, request: Request) -> Response:
    """The file in the form that the browser takes, or word that it has it already."""
    packed = bool(asset.packed) and accepts_gzip(request.headers.get("accept-encoding", ""))
    etag = f'"{asset.hash}{"-gzip" if packed else ""}"'
    headers = {**KEPT, "etag": etag, **({"content-encoding": "gzip"} if packed else {})}
    if etag in (one.strip() for one in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers={**KEPT, "etag": etag})
    return Response(asset.packed if packed else asset.content, headers=headers, media_type=asset.media_type)


def accepts_gzip(accepted: str) -> bool:
    """Tell whether an Accept-Encoding allows gzip; `gzip;q=0` refuses it."""
    for one in accepted.lower().split(","):
        coding, _, quality = one.partition(";")
        if coding.strip() in ("gzip", "*"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
