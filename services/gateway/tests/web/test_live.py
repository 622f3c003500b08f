"""Open pages hear of what changes on them, by ids only, and only where their person may read it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from chassis.bus.relay import number_waiting
from chassis.testing.eventually import eventually
from crm.imports.events.v1 import imports_events_pb2 as imports
from crm.platform.v1 import events_pb2
from gateway.web.live import MOST_STREAMS
from gateway.web.news import read_fact


class Stream:
    """What one page hears."""

    def __init__(self, client: httpx2.Client, path: str) -> None:
        self.words: list[tuple[str, list[str]]] = []
        self.raw = ""
        self.ended = threading.Event()
        self._client, self._path = client, path
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            with self._client.stream("GET", self._path, timeout=60) as answer:
                self.status = answer.status_code
                name = ""
                for line in answer.iter_lines():
                    self.raw += line + "\n"
                    key, _, value = line.partition(": ")
                    name = value if key == "event" else name
                    if key == "data":
                        self.words.append((name, json.loads(value)))
        except httpx2.HTTPError:
            self.status = 0
        self.ended.set()

    def topics(self) -> set[str]:
        """Everything that changed until now."""
        return {topic for name, topics in self.words if name == "changed" for topic in topics}

    def begin(self) -> Stream:
        """Wait until the stream has begun."""
        eventually(lambda: self.words or self.ended.is_set())
        return self


@pytest.fixture
def listen(platform: Any) -> Iterator[Callable[..., Stream]]:
    """Open a page's stream: `listen(visitor, "person:…")`; the events of contacts and deals are numbered meanwhile."""
    stop = threading.Event()

    def number() -> None:
        while not stop.wait(0.05):
            for name in ("contacts", "deals"):
                number_waiting(platform.databases[name])

    relay = threading.Thread(target=number, daemon=True)
    relay.start()
    clients: list[httpx2.Client] = []

    def open_one(visitor: Any, *topics: str, since: str = "") -> Stream:
        client = httpx2.Client(base_url=platform.url, cookies=dict(visitor.client.cookies), timeout=60)
        clients.append(client)
        return Stream(client, f"/live?topics={','.join(topics)}&since={since}").begin()

    yield open_one
    for client in clients:
        client.close()
    stop.set()
    relay.join()


def a_person(rest: Any, unit: dict[str, Any]) -> dict[str, Any]:
    """A new person of a unit."""
    body = {"given_name": "Ada", "family_name": "Lind", "unit_id": unit["id"]}
    found: dict[str, Any] = rest.post("/persons", body)["person"]
    return found


def rename(rest: Any, person: dict[str, Any], name: str) -> None:
    """Change a person's name."""
    etag = rest.get(f"/persons/{person['id']}")["etag"]
    rest.patch(f"/persons/{person['id']}", {"family_name": name}, headers={"If-Match": f'"{etag}"'})


def test_a_page_hears_of_a_change_to_what_it_shows_and_of_nothing_else(
    platform: Any, a_visitor: Any, a_branch: Any, listen: Any
) -> None:
    unit = a_branch()
    first, second = a_visitor(unit), a_visitor(unit)
    rest = platform.rest(second.login)
    shown, other = a_person(rest, unit), a_person(rest, unit)
    stream = listen(first, f"person:{shown['id']}")
    rename(rest, other, "Other")
    rename(rest, shown, "Secret-Name")
    eventually(lambda: stream.topics() - {"*"} == {f"person:{shown['id']}"}, within=30)  # the first to listen gets all
    assert "Secret-Name" not in stream.raw


def test_an_interaction_is_news_for_the_card_of_its_customer(
    platform: Any, a_visitor: Any, a_branch: Any, listen: Any
) -> None:
    unit = a_branch()
    first, second = a_visitor(unit), a_visitor(unit)
    rest = platform.rest(second.login)
    person = a_person(rest, unit)
    stream = listen(first, f"person:{person['id']}")
    rest.post("/interactions", {"kind": "call", "person_id": person["id"], "unit_id": unit["id"], "summary": "called"})
    eventually(lambda: f"person:{person['id']}" in stream.topics(), within=30)


def test_a_moved_deal_is_news_for_the_stage_it_left_and_the_one_it_entered(
    platform: Any, a_visitor: Any, a_branch: Any, listen: Any
) -> None:
    unit = a_branch()
    first, second = a_visitor(unit), a_visitor(unit)
    rest = platform.rest(second.login)
    stages = [one["id"] for one in rest.get("/pipelines")["pipelines"][0]["stages"]]
    stream = listen(first, *(f"stage:{one}" for one in stages[:3]))
    deal = rest.post("/deals", {"title": "Stairs", "unit_id": unit["id"], "stage_id": stages[0]})
    eventually(lambda: stream.topics() - {"*"} == {f"stage:{stages[0]}"}, within=30)
    rest.post(f"/deals/{deal['id']}/move", {"stage_id": stages[1]}, headers={"If-Match": f'"{deal["etag"]}"'})
    eventually(lambda: stream.topics() - {"*"} == {f"stage:{one}" for one in stages[:2]}, within=30)


def test_a_new_unit_is_news_for_the_one_above_it_and_stands_on_the_next_page(
    platform: Any, admin: Any, a_visitor: Any, a_branch: Any, listen: Any
) -> None:
    region = a_branch(kind="region")
    head = a_visitor(region, "head")
    stream = listen(head, f"unit:{region['id']}")
    assert "Newborn" not in head.get("/today").text
    body = {"kind": "branch", "code": "newborn", "name": "Newborn", "parent_id": region["id"]}
    admin.post("/units", body)
    number_waiting(platform.databases["directory"])
    eventually(lambda: f"unit:{region['id']}" in stream.topics(), within=30)
    assert "Newborn" in head.get("/today").text


def test_a_sibling_branch_hears_nothing(platform: Any, a_visitor: Any, a_branch: Any, listen: Any) -> None:
    moscow, tula = a_branch(), a_branch()
    here, there = a_visitor(moscow), a_visitor(tula)
    rest = platform.rest(here.login)
    person = a_person(rest, moscow)
    own, strange = listen(here, f"person:{person['id']}"), listen(there, f"person:{person['id']}")
    rename(rest, person, "Changed")
    eventually(lambda: own.topics(), within=30)
    later = a_person(platform.rest(there.login), tula)
    both = listen(there, f"person:{person['id']}", f"person:{later['id']}")
    rename(platform.rest(there.login), later, "Own")
    eventually(lambda: both.topics() == {f"person:{later['id']}"}, within=30)
    assert strange.topics() == set()


def test_what_changed_between_the_pages_rendering_and_its_stream_is_not_missed(
    platform: Any, a_visitor: Any, a_branch: Any, listen: Any
) -> None:
    unit = a_branch()
    first, second = a_visitor(unit), a_visitor(unit)
    rest = platform.rest(second.login)
    person = a_person(rest, unit)
    warm = listen(second, f"person:{person['id']}")
    page = first.get("/today").text
    rename(rest, person, "Meanwhile")
    eventually(warm.topics, within=30)
    since = page.partition('name="rendered" content="')[2].partition('"')[0]
    stream = listen(first, f"person:{person['id']}", since=since)
    eventually(lambda: stream.topics() == {f"person:{person['id']}"}, within=30)


def test_a_page_away_for_long_fetches_everything(a_visitor: Any, a_branch: Any, listen: Any) -> None:
    stream = listen(a_visitor(a_branch()), "person:00000000-0000-7000-8000-000000000000", since="1000")
    eventually(lambda: stream.topics() == {"*"}, within=30)


def test_the_stream_ends_with_the_session(
    platform: Any, a_visitor: Any, a_branch: Any, listen: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("gateway.web.live.HEARTBEAT_SECONDS", 0.2)
    unit = a_branch()
    visitor = a_visitor(unit)
    stream = listen(visitor, "person:00000000-0000-7000-8000-000000000000")
    visitor.client.post("/sign-out", data={"csrf": visitor.csrf()})
    assert stream.ended.wait(10)


def test_strangers_empty_questions_and_too_many_pages_get_no_stream(
    a_browser: Any, a_visitor: Any, a_branch: Any, listen: Any
) -> None:
    topic = "person:00000000-0000-7000-8000-000000000000"
    assert a_browser().get(f"/live?topics={topic}").status_code == 204
    visitor = a_visitor(a_branch())
    for asked in ("", "?topics=", "?topics=secret:1", f"?topics=../{topic}x"):
        assert visitor.get(f"/live{asked}").status_code == 204
    for _ in range(MOST_STREAMS):
        listen(visitor, topic)
    assert visitor.get(f"/live?topics={topic}").status_code == 204


def test_an_event_that_cannot_be_read_is_no_news() -> None:
    strange = events_pb2.Event(type="crm.contacts.events.v1.PersonCreated", data=b"\xff\xff")
    assert read_fact(strange) is None
    assert read_fact(events_pb2.Event(type="crm.else.events.v1.Happened")) is None


def test_progress_of_an_import_is_news_for_the_page_of_the_run_alone() -> None:
    run = imports.RunState(id="a-run", user_id="her", unit_id="a-unit")
    key = "crm.imports.run.progressed.v1.p07.a.b.e"
    told = [
        read_fact(events_pb2.Event(type=one.DESCRIPTOR.full_name, routing_key=key, data=one.SerializeToString()))
        for one in (imports.RunProgressed(run=run, progress=0.5), imports.RunChecked(run=run))
    ]
    assert [one.topics for one in told if one] == [{"run:a-run"}, {"run:a-run", "user:her"}]
