"""The browser's files: each under an address of its content, kept for good, packed or not, and nothing else."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from gateway.web.assets import AssetsMissing, Shelf, accepts_gzip, add_asset_routes, asset_url
from gateway.web.fetching import read_lock
from gateway.web.installing import LOCK

from .conftest import Platform

STYLE = b"body { color: black }\n" * 100
FOR_GOOD = "public, max-age=31536000, immutable"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders of files, beside a secret."""
    ours, fetched = tmp_path / "ours", tmp_path / "fetched"
    for folder in (ours, fetched, fetched / "tests"):
        folder.mkdir()
    (fetched / "style.css").write_bytes(STYLE)
    (fetched / "installed.lock").write_text("a lock")
    (fetched / "tests" / "axe.js").write_text("a tool of tests")
    (ours / "logo.svg").write_text("<svg/>")
    (ours / "text.woff2").write_bytes(bytes(2000))
    (tmp_path / "secret.css").write_text("nobody's")
    return ours, fetched


@pytest.fixture
def shelf(folders: tuple[Path, Path]) -> Shelf:
    """The files of both."""
    return Shelf(*folders)


@pytest.fixture
def browser(shelf: Shelf) -> Iterator[TestClient]:
    """A browser before an app that sends them."""
    app = FastAPI()
    add_asset_routes(app, shelf)
    with TestClient(app) as client:
        yield client


def test_a_file_is_sent_under_the_address_of_its_content_and_may_be_kept_for_good(
    browser: TestClient, shelf: Shelf
) -> None:
    answer = browser.get(shelf.url("style.css"))
    assert answer.content == STYLE
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == FOR_GOOD
    assert re.fullmatch(r"/assets/[0-9a-f]{12}/style\.css", shelf.url("style.css"))


def test_a_changed_file_has_another_address(shelf: Shelf, folders: tuple[Path, Path]) -> None:
    before = shelf.url("style.css")
    (folders[1] / "style.css").write_bytes(STYLE + b"p {}")
    assert Shelf(*folders).url("style.css") != before


def test_our_own_file_goes_before_a_fetched_one_of_the_same_name(folders: tuple[Path, Path]) -> None:
    (folders[0] / "style.css").write_text("ours")
    assert Shelf(*folders).find("style.css").content == b"ours"


def test_who_takes_gzip_gets_it_and_who_does_not_gets_the_plain_file(browser: TestClient, shelf: Shelf) -> None:
    url = shelf.url("style.css")
    packed = browser.get(url, headers={"Accept-Encoding": "gzip"})
    plain = browser.get(url, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(gzip.compress(STYLE, mtime=0)) < len(STYLE)
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content == STYLE
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "accept-encoding"


def test_a_font_is_not_packed_twice(browser: TestClient, shelf: Shelf) -> None:
    answer = browser.get(shelf.url("text.woff2"))
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-type"] == "font/woff2"


def test_who_has_the_file_is_told_so_without_it(browser: TestClient, shelf: Shelf) -> None:
    url = shelf.url("style.css")
    etag = browser.get(url).headers["etag"]
    again = browser.get(url, headers={"If-None-Match": f'"other", {etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert browser.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_head_request_says_what_would_come(browser: TestClient, shelf: Shelf) -> None:
    answer = browser.head(shelf.url("style.css"))
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize(
    "path",
    [
        "/assets/000000000000/style.css",
        "/assets/{hash}/absent.css",
        "/assets/{hash}/installed.lock",
        "/assets/{hash}/axe.js",
        "/assets/{hash}/tests/axe.js",
        "/assets/{hash}/..%2Fsecret.css",
        "/assets/{hash}/%2e%2e/secret.css",
        "/assets/{hash}/..%5Csecret.css",
        "/assets/{hash}/style.css%00.svg",
        "/assets/{hash}/",
    ],
)
def test_what_is_not_a_file_of_the_folders_under_its_own_hash_is_not_there(
    browser: TestClient, shelf: Shelf, path: str
) -> None:
    hash = shelf.find("style.css").hash
    assert browser.get(path.format(hash=hash)).status_code == 404


def test_a_page_that_needs_a_file_which_is_not_installed_says_how_to_install_it(shelf: Shelf) -> None:
    with pytest.raises(AssetsMissing, match="branchline up"):
        shelf.url("absent.js")


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("*", True), ("gzip;q=0", False), ("br", False), ("", False)],
)
def test_only_who_allows_gzip_gets_it(accepted: str, packed: bool) -> None:
    assert accepts_gzip(accepted) is packed


def test_the_gateway_sends_every_locked_file_guarded_and_the_tests_tools_to_nobody(platform: Platform) -> None:
    browser = platform.guest().client
    for package in read_lock(LOCK):
        for file in package.files:
            if package.tests_only:
                with pytest.raises(AssetsMissing):
                    asset_url(file.name)
                continue
            answer = browser.get(asset_url(file.name), headers={"Accept-Encoding": "gzip"})
            assert (answer.status_code, answer.headers["content-encoding"]) == (200, "gzip"), file.name
            assert answer.headers["cache-control"] == FOR_GOOD
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
            assert b"sourceMappingURL" not in answer.content[-200:]


def test_an_answer_is_packed_for_who_takes_gzip_and_a_short_one_is_not(platform: Platform) -> None:
    browser = platform.guest().client
    described = browser.get("/api/v1/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert described.headers["content-encoding"] == "gzip"
    assert described.json()["info"]["title"] == "Branchline"
    assert "content-encoding" not in browser.get("/api/v1/nowhere", headers={"Accept-Encoding": "gzip"}).headers
