"""What a request may not be: too large, not JSON, misspelt, or sent the wrong way."""

from __future__ import annotations

import pytest

from .conftest import Platform, Rest


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (b"{", 400, "BODY_INVALID"),
        (b"[]", 400, "BODY_INVALID"),
        (b'"text"', 400, "BODY_INVALID"),
        (b"null", 400, "BODY_INVALID"),
        (b"", 400, "BODY_INVALID"),
        (b"\xff\xfe", 400, "BODY_INVALID"),
        (b"[" * 100_000, 400, "BODY_INVALID"),
        (b'{"code": NaN}', 400, "FIELD_INVALID"),
        (b" " * (1024 * 1024 + 1), 413, "BODY_TOO_LARGE"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(admin: Rest, content: bytes, status: int, reason: str) -> None:
    answer = admin.ask("POST", "/units", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["reason"]) == (status, reason), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_large_body_without_a_declared_length_is_refused_too(admin: Rest) -> None:
    pieces = (b" " * 65_536 for _ in range(40))
    answer = admin.ask("POST", "/units", content=pieces, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["reason"]) == (413, "BODY_TOO_LARGE")


def test_large_headers_are_refused(admin: Rest) -> None:
    answer = admin.ask("GET", "/units", headers={"X-Large": "x" * 33_000})
    assert (answer.status_code, answer.json()["reason"]) == (431, "HEADERS_TOO_LARGE")


def test_json_sent_as_text_is_refused(admin: Rest) -> None:
    answer = admin.ask("POST", "/units", content=b'{"code": "x"}', headers={"Content-Type": "text/plain"})
    assert answer.status_code == 400


def test_a_misspelt_parameter_is_refused_with_the_ones_there_are(admin: Rest) -> None:
    answer = admin.ask("GET", "/units", params={"unti": "hq"})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == "unti"
    assert "page_size, page_token, unit" in error["detail"]


@pytest.mark.parametrize("size", ["0x10", "-1", "1001", "99999999999999999999", "1.5"])
def test_a_strange_page_size_is_refused(admin: Rest, size: str) -> None:
    answer = admin.ask("GET", "/units", params={"page_size": size})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "page_size")


def test_unknown_paths_and_methods_are_problems_too(admin: Rest) -> None:
    for method, path, status in (("GET", "/nowhere", 404), ("DELETE", "/units", 405), ("GET", "/units/", 404)):
        answer = admin.ask(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_every_answer_carries_the_security_headers_and_no_version(platform: Platform) -> None:
    for path in ("/health", "/units", "/nowhere"):
        headers = platform.guest().ask("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


def test_health_needs_no_token(platform: Platform) -> None:
    assert platform.guest().get("/health") == {"status": "serving"}


def test_a_problem_names_its_trace_which_is_never_the_callers(admin: Rest) -> None:
    given = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{given}-b7ad6b7169203331-01"}
    traces = {admin.ask("GET", "/units/nowhere", headers=headers).json()["trace_id"] for _ in range(2)}
    assert len(traces) == 2
    assert given not in traces
    assert admin.ask("POST", "/units", content=b"{").json()["trace_id"]
