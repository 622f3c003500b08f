"""What people with bad intentions send to every address of the workplace: forged forms, planted text, broken values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import httpx2
import pytest
from starlette.datastructures import QueryParams

from gateway.web.visits import Visit
from services.gateway.tests.conftest import serving
from services.gateway.tests.web.addresses import PART, Address, addresses_of, fill, list_addresses, list_pages
from services.gateway.tests.web.markup import Markup
from services.gateway.tests.web.records import a_new_branch, make_records

pytestmark = pytest.mark.timeout(400)

NOBODY = "01890000-0000-7000-8000-000000000000"
PLANTED = "Zoe\"'><img src=x onerror=alert(1)></script></title></textarea><script>alert(2)</script>{{1234577*7654321}}"
BROKEN = (
    "²", "-1", "9" * 5_000, "9" * 12, "\0a", "a\r\nX-Evil: 1", "2026-02-30", "9999-12-31", "0001-01-01",
    "//evil.example/", "https://evil.example/", PLANTED, "A" * 5_000, NOBODY, "a|b|c",
)  # fmt: skip
BROKEN_IDS = ("0", "-1", "' OR 1=1 --", "\0", "A" * 3_000, PLANTED, NOBODY, "NOBODY", "\u202e", "%00", "x\r\ny: z")
OUT = "/sign-out"  # ends the session of whoever asks
# They end the sender's other sessions, or lock the account after wrong codes: somebody no test depends on sends them.
OF_ACCOUNT = ("/settings/sessions", "/settings/password", "/settings/second-factor")


@pytest.fixture(scope="module")
def records(platform: Any) -> dict[str, str]:
    """A branch whose every name, title and note is an attack."""
    return make_records(platform, a_new_branch(platform, PLANTED), PLANTED)


@pytest.fixture(scope="module")
def attacker(platform: Any) -> Iterator[httpx2.Client]:
    """The browser of somebody who may do everything, where nothing stops before the page itself."""
    client = httpx2.Client(base_url=platform.url, timeout=60, headers={"accept-language": "en"})
    entered = client.post("/sign-in", data={"login": "admin", "password": "correct horse battery"})
    assert entered.status_code == 303
    yield client
    client.close()


@pytest.fixture(scope="module")
def token(attacker: httpx2.Client) -> str:
    """The forgery token of the attacker's own session."""
    found = re.search(r'<meta name="csrf" content="([^"]+)"', attacker.get("/today").text)
    assert found
    return found[1]


def look_at(answer: httpx2.Response, where: str) -> None:
    """Whatever was sent: no fault of ours, nothing alive, no header of others, no way to another site."""
    assert answer.status_code < 500, f"{where}: {answer.text[:300]}"
    assert "x-evil" not in answer.headers, where
    for name in ("location", "hx-redirect", "hx-location", "hx-push-url"):
        target = answer.headers.get(name, "/")
        assert target.startswith("/"), f"{where}: {name}: {target}"
        assert not target.startswith(("//", "/\\")), f"{where}: {name}: {target}"
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert Markup(answer.text).alive == [], where
        assert "9449848657217" not in answer.text, where  # what was typed is never a template


# --- every page


def test_planted_text_lies_still_on_every_page(attacker: httpx2.Client, records: dict[str, str]) -> None:
    for address in list_addresses(records, "GET"):
        for headers in ({}, {"HX-Request": "true"}):
            look_at(attacker.get(address.path, headers=headers), address.path)


def test_no_page_lets_itself_be_framed_guessed_or_kept(attacker: httpx2.Client, records: dict[str, str]) -> None:
    for address in list_addresses(records, "GET"):
        answer = attacker.get(address.path)
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], address.path
        assert "unsafe" not in answer.headers["content-security-policy"], address.path
        assert answer.headers["x-content-type-options"] == "nosniff", address.path
        assert not {"public", "s-maxage"} & set(re.split(r"[,= ]+", answer.headers["cache-control"])), address.path


def test_strangers_are_sent_to_sign_in_from_everywhere(platform: Any, records: dict[str, str]) -> None:
    with httpx2.Client(base_url=platform.url) as stranger:
        for address in list_addresses(records, "GET", "POST", "PUT"):
            answer = stranger.request(address.page.method, address.path)
            assert answer.status_code == 303, address.path
            assert answer.headers["location"].startswith("/sign-in"), address.path
            part = stranger.request(address.page.method, address.path, headers={"HX-Request": "true"})
            assert (part.status_code, part.headers["hx-redirect"], part.content) == (204, "/sign-in", b"")


def test_every_change_is_refused_without_the_sessions_own_token(
    attacker: httpx2.Client, token: str, a_visitor: Callable[..., Any], a_branch: Callable[..., Any],
    records: dict[str, str],
) -> None:  # fmt: skip
    foreign = a_visitor(a_branch()).csrf()
    forged: tuple[dict[str, str], ...] = (
        {},
        {"X-CSRF": foreign},
        {"X-CSRF": token, "Origin": "https://evil.example"},
        {"X-CSRF": token, "Origin": "null"},
        {"X-CSRF": token, "Sec-Fetch-Site": "cross-site"},
        {"X-CSRF": token, "Sec-Fetch-Site": "same-site"},
    )
    for address in list_addresses(records, "POST", "PUT", "DELETE"):
        for headers in forged:
            answer = attacker.request(address.page.method, address.path, headers=headers)
            assert answer.status_code == 403, f"{address.path} {headers}"


def test_nothing_changes_by_a_get(records: dict[str, str]) -> None:
    changing = {page.path for page in list_pages("POST", "PUT", "DELETE", "PATCH")}
    assert not changing & {"/", "/today"}
    assert {page.method for page in list_pages("GET", "POST", "PUT", "DELETE", "PATCH")} <= {"GET", "POST", "PUT"}


@pytest.mark.parametrize("broken", BROKEN_IDS, ids=ascii)
def test_an_address_of_nothing_is_a_page_that_says_so(
    broken: str, attacker: httpx2.Client, records: dict[str, str]
) -> None:
    for page in list_pages("GET"):
        for part in PART.findall(page.path):
            values = dict(zip(PART.findall(page.path), parts_of(page_address(page, records)), strict=True))
            path = fill(page.path, {**values, part: quote(broken, safe="")})
            answer = attacker.get(path)
            look_at(answer, path)
            # 303: to the list, where a form of nothing was asked for
            assert answer.status_code in (303, 400, 403, 404, 422), f"{path}: {answer.status_code}"


def page_address(page: Any, records: dict[str, str]) -> Address:
    """One address of a page, whichever of its words it has."""
    return addresses_of(page, records)[0]


def parts_of(address: Address) -> tuple[str, ...]:
    """What stands in the places of an address."""
    pattern = re.escape(address.page.path).replace(r"\{", "{").replace(r"\}", "}")
    found = re.fullmatch(PART.sub("([^/]+)", pattern), address.path)
    assert found
    return found.groups()


# --- what is typed


class Noting(QueryParams):
    """The values behind a question mark, that notes which of them a page asks for."""

    asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return str(super().__getitem__(name))

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """One value."""
        self.asked.add(name)
        return super().get(name, default)

    def getlist(self, name: Any) -> list[str]:
        """All of a name."""
        self.asked.add(str(name))
        return super().getlist(name)


def test_no_value_behind_a_question_mark_breaks_a_page_or_leads_away(
    attacker: httpx2.Client, records: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {page.path: asked_behind(page_address(page, records), attacker, monkeypatch) for page in list_pages("GET")}
    assert "q" in names["/search"]
    for page in list_pages("GET"):
        for name in names[page.path]:
            for broken in BROKEN:
                path = f"{page_address(page, records).path}?{urlencode({name: broken})}"
                look_at(attacker.get(path), path[:300])


def asked_behind(address: Address, attacker: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of values that a page asks for."""
    with monkeypatch.context() as patch:
        patch.setattr(Noting, "asked", set())
        patch.setattr(Visit, "query", property(lambda visit: Noting(visit.request.query_params.multi_items())))
        attacker.get(address.path)
        return sorted(Noting.asked)


def test_no_value_of_a_form_breaks_a_page_or_leads_away(
    attacker: httpx2.Client,
    token: str,
    records: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    a_branch: Any,
    a_visitor: Any,
) -> None:
    other = a_visitor(a_branch())
    senders = {False: (attacker, token), True: (other.client, other.csrf())}
    asked: set[str] = set()
    given = Visit.field

    def noting(visit: Visit, name: str, default: str = "") -> str:
        asked.add(name)
        return given(visit, name, default)

    monkeypatch.setattr(Visit, "field", noting)
    for page in list_pages("POST"):
        if page.path == OUT:
            continue
        path = page_address(page, records).path
        sender, its_token = senders[path.startswith(OF_ACCOUNT)]
        headers = {"X-CSRF": its_token, "HX-Request": "true", "HX-Source": "form#x"}
        asked.clear()
        look_at(sender.post(path, headers=headers), path)
        for broken in BROKEN:
            for fields in (dict.fromkeys(sorted(asked), broken), *({name: broken} for name in sorted(asked))):
                where = f"{path} {sorted(fields)} = {broken[:40]!r}"
                try:
                    look_at(sender.post(path, data=fields, headers=headers), where)
                except httpx2.TimeoutException:
                    pytest.fail(f"{where}: no answer")


def test_a_source_that_is_no_form_of_ours_leads_nowhere(attacker: httpx2.Client, token: str) -> None:
    for source in ("form#x, body", "form#a]b", "form#../..", "x" * 500, "form#" + "y" * 200):
        headers = {"X-CSRF": token, "HX-Request": "true", "HX-Source": source}
        answer = attacker.post("/quick/person", headers=headers)
        assert answer.status_code == 400
        assert answer.headers["hx-retarget"] == "#notices"


# --- the door and what comes in by it


def test_who_tries_passwords_fast_is_held_up_and_told_so(platform: Any) -> None:
    with (
        serving(replace(platform.settings, sign_ins_per_minute=3)) as url,
        httpx2.Client(base_url=url, headers={"accept-language": "en"}) as thief,
    ):
        answers = [thief.post("/sign-in", data={"login": "admin", "password": f"guess {n}"}) for n in range(4)]
        assert [one.status_code for one in answers] == [401, 401, 401, 429]
        assert "Too many tries from here" in answers[-1].text
        assert answers[-1].headers["content-type"].startswith("text/html")
        by_rest = thief.post("/api/v1/sessions", json={"login": "admin", "password": "correct horse battery"})
        assert by_rest.status_code == 429  # one pace for both doors


def test_uploads_have_a_size_a_method_and_no_path(attacker: httpx2.Client, token: str, records: dict[str, str]) -> None:
    headers = {"X-CSRF": token, "HX-Request": "true"}
    name = "../../../etc/cron.d/evil.csv"
    begun = attacker.post("/imports/files", data={"name": name, "size_bytes": "10"}, headers=headers)
    look_at(begun, "a path in a name")
    chunks = f"/imports/files/{records['file']}/chunks?offset=0"
    large = attacker.put(chunks, content=b"0" * (4 * 1024 * 1024 + 1), headers=headers)
    assert large.status_code == 413
    assert attacker.post(chunks, content=b"0", headers=headers).status_code == 405
    assert attacker.post("/quick/person", content=b"a=" + b"0" * 1_100_000, headers=headers).status_code == 413
    many = attacker.post("/quick/person", data={f"f{n}": "x" for n in range(600)}, headers=headers)
    assert many.status_code == 400
    parts = attacker.post("/quick/person", files={"name": ("x.html", b"<script>", "text/html")}, headers=headers)
    assert parts.status_code == 400


def test_a_file_that_is_sent_names_no_path_and_no_header(attacker: httpx2.Client, records: dict[str, str]) -> None:
    for path in (f"/imports/{records['run']}/result", "/reports/funnel/file"):
        told = attacker.get(path).headers.get("content-disposition", "attachment")
        assert told.startswith("attachment"), path
        assert not set("\r\n<>/\\") & set(told), told
