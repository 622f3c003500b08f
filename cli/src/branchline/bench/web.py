"""How fast the workplace's pages begin, how large they are, and how it feels when fifty people work at once."""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from branchline.bench.catalogue import Bench, Figure, Say
from branchline.bench.company import PASSWORD, seeded_company
from branchline.bench.company_rows import Company, Worker
from branchline.bench.listening import PageStream
from branchline.bench.visitors import Answer, ReadPage, Visitor
from branchline.exits import Failure
from branchline.platform.claim import stop_holder
from branchline.platform.folder import DataFolder, read_json
from branchline.platform.launch import start_detached
from branchline.platform.memory import MEGABYTE, resident_bytes
from branchline.rest import connect

SIZE, KEPT = "BRANCHLINE_BENCH_SIZE", "BRANCHLINE_BENCH_DATA"
COMPANY = {"company": "Bench", "code": "hq", "country_code": "RU", "currency_code": "RUB", "time_zone": "Europe/Moscow"}
STOP_SECONDS = 60.0
WARM, TIMES = (
    8,
    int(os.environ.get("BRANCHLINE_BENCH_TIMES", "120")),
)  # requests of a page before and while measuring; of 120 the 95th hundredth has six above it
PEOPLE = 50
SECONDS = float(os.environ.get("BRANCHLINE_BENCH_SECONDS", "60"))
THINK = (2.0, 4.0)  # seconds between two clicks
FIRST_BYTE = {"must": 150.0, "aim": 60.0}
SEARCH = {"must": 100.0, "aim": 30.0}
AT_ONCE = 500.0  # ms, p99
FIRST_LOAD, LATER = 250.0, 40.0  # KB, packed
SOUGHT = ("anna", "moro", "ivanov", "tradi", "12 tra", "kuzn", "petr", "9012", "deliv", "delivery 17")


@dataclass
class Times:
    """First bytes by page, in milliseconds, and answers that were errors."""

    taken: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, page: str, path: str, answer: Answer) -> Answer:
        """Count one answer."""
        with self.lock:
            self.taken[page].append(answer.seconds * 1000)
            self.sizes[page] = max(self.sizes.get(page, 0), answer.packed)
            if answer.status >= 400:
                self.errors.append(f"{path} answered {answer.status}: {' '.join(answer.text.split())[:200]}")
        return answer


def measure(say: Say) -> Sequence[Figure]:
    """Fill a platform with a company, or take the one that BRANCHLINE_BENCH_DATA holds, and visit it."""
    with ExitStack() as stack:
        kept = os.environ.get(KEPT) or stack.enter_context(tempfile.TemporaryDirectory(prefix="branchline-bench-"))
        folder = DataFolder(Path(kept))
        start_detached(folder, 0, "", COMPANY, lambda _: None)
        stack.callback(stop_holder, folder, STOP_SECONDS)
        company = seeded_company(folder, float(os.environ.get(SIZE, "1")), say)
        return [*_visit(folder, company, say), *_memory(folder)]


def _visit(folder: DataFolder, company: Company, say: Say) -> Iterator[Figure]:
    url = str(read_json(folder.credentials)["url"])
    workers = [*company.sellers, *company.heads][:PEOPLE]
    with ExitStack() as stack:
        say("signing in")
        people = [(one, stack.enter_context(Visitor(url, one.login, PASSWORD))) for one in workers]
        heads = [people[at] for at, (one, _) in enumerate(people) if one in company.heads]
        if not heads:
            raise Failure(f"{PEOPLE} people are all sellers; let heads be among them")
        yield from _alone(folder, company, people, heads, say)
        yield from _loads(people[0][1])
        yield from _together(folder, company, people, say)


# --- one after the other


def _alone(
    folder: DataFolder, company: Company, people: list[tuple[Worker, Visitor]], heads: list[tuple[Worker, Visitor]],
    say: Say,
) -> Iterator[Figure]:  # fmt: skip
    """Each page by itself: nobody else works."""
    chance = random.Random(5)
    sellers = [one for one in people if one not in heads]
    for page, (visitors, path) in _pages(company, sellers, heads, chance).items():
        times = Times()
        for number in range(WARM):
            worker, visitor = visitors[number % len(visitors)]
            visitor.open(path(worker, number), part=page == "search")
        with _cpu(folder) as used:
            for number in range(TIMES):
                worker, visitor = visitors[number % len(visitors)]
                asked = path(worker, WARM + number)
                times.note(page, asked, visitor.open(asked, part=page == "search"))
        _refuse_errors(times)
        figures = [*_of_page(page, times, used)]
        say(f"{page}: {', '.join(one.shown() for one in figures)}")
        yield from figures


def _of_page(page: str, times: Times, used: dict[str, float]) -> Iterator[Figure]:
    bars = SEARCH if page == "search" else FIRST_BYTE
    yield from _quantiles(page, times.taken[page], bars["must"], bars["aim"])
    yield Figure(f"{page}: processor, gateway", used["gateway"] / TIMES * 1000, "ms")
    yield Figure(f"{page}: processor, services", used["api"] / TIMES * 1000, "ms")
    yield Figure(f"{page}: processor, PostgreSQL", used["postgres"] / TIMES * 1000, "ms")
    yield Figure(f"{page}: packed", times.sizes[page] / 1000, "KB", must=LATER, lower_is_better=True)


def _pages(
    company: Company, sellers: list[tuple[Worker, Visitor]], heads: list[tuple[Worker, Visitor]], chance: random.Random
) -> dict[str, tuple[list[tuple[Worker, Visitor]], Callable[[Worker, int], str]]]:
    """Who opens a page, and at which address."""
    own = {one.login: company.numbers_of(one, len(company.deals)) for one, _ in sellers}

    def number_of(worker: Worker) -> int:
        return chance.choice(own[worker.login])

    def employer(worker: Worker) -> str:
        return company.organizations[company.employer_of(number_of(worker))]

    return {
        "today": (sellers, lambda _, __: "/today"),
        "today of a head": (heads, lambda _, __: "/today"),
        "customers": (sellers, lambda _, __: "/customers"),
        "card": (sellers, lambda worker, _: f"/customers/{company.persons[number_of(worker)]}"),
        "organization": (sellers, lambda worker, _: f"/organizations/{employer(worker)}"),
        "board": (sellers, lambda _, __: "/deals?view=board"),
        "table": (sellers, lambda _, __: "/deals?view=table"),
        "deal": (sellers, lambda worker, _: f"/deals/{company.deals[number_of(worker)]}"),
        "calendar": (sellers, lambda _, __: "/calendar"),
        "funnel": (heads, lambda _, __: "/reports/funnel"),
        "plan and fact": (heads, lambda _, __: "/reports/plan-fact"),
        "search": (sellers, lambda _, at: f"/search/suggest?q={SOUGHT[at % len(SOUGHT)]}"),
    }


def _loads(visitor: Visitor) -> Iterator[Figure]:
    """What a browser loads that has nothing yet."""
    page = visitor.open("/today")
    assets = [visitor.open(address) for address in dict.fromkeys(ReadPage(page.text).assets())]
    packed = (page.packed + sum(one.packed for one in assets)) / 1000
    yield Figure(f"first load, {len(assets)} files", packed, "KB", must=FIRST_LOAD, lower_is_better=True)


# --- all at once


def _together(folder: DataFolder, company: Company, people: list[tuple[Worker, Visitor]], say: Say) -> Iterator[Figure]:
    """Fifty people who click through their day with a few seconds of thought between."""
    say(f"{len(people)} people at once for {SECONDS:.0f} s")
    times, end = Times(), time.monotonic() + SECONDS
    with connect(folder) as rest:
        stages = [one["id"] for one in rest.get("/pipelines")["pipelines"][0]["stages"] if one["kind"] == "open"]
    days = [_Day(company, worker, visitor, stages, times, number) for number, (worker, visitor) in enumerate(people)]
    with _cpu(folder) as used, ThreadPoolExecutor(len(days)) as pool:
        list(pool.map(lambda day: day.work_until(end), days))
    heard = sum(day.stream.heard for day in days)
    asked = sum(map(len, times.taken.values()))
    for page, taken in times.taken.items():
        yield from _quantiles(f"{len(people)} people, {page}", taken, at_once=AT_ONCE)
    yield Figure(f"{len(people)} people: requests", asked / SECONDS, "a second")
    yield Figure(f"{len(people)} people: words of news heard", heard / SECONDS, "a second")
    yield Figure(f"{len(people)} people: cores used by all", sum(used.values()) / SECONDS, "cores")
    yield Figure(f"{len(people)} people: errors", len(times.errors), "answers", must=0, lower_is_better=True)
    for error in sorted(set(times.errors))[:5]:
        say(error)


class _Day:
    """One person's clicks, round after round: today, search, card, a call noted, the board, a deal moved, a report.

    Each page that is open holds its stream of news, as in a browser.
    """

    def __init__(
        self, company: Company, worker: Worker, visitor: Visitor, stages: list[str], times: Times, number: int
    ) -> None:
        self.company, self.visitor, self.stages, self.times = company, visitor, stages, times
        self.chance, self.unit = random.Random(number), worker.unit_id
        branch = company.branches.index(worker.unit_id)
        self.stream = PageStream(str(visitor.client.base_url), visitor.cookies())
        self.persons = [at for at in range(len(company.deals)) if company.branch_of(at) == branch]

    def work_until(self, end: float) -> None:
        """Click until then."""
        time.sleep(self.chance.uniform(0, THINK[1]))
        while time.monotonic() < end:
            for step in (self._today, self._search, self._card, self._call, self._board, self._report):
                if time.monotonic() < end:
                    step()
                    self._think()
        self.stream.leave()

    def _think(self) -> None:
        time.sleep(self.chance.uniform(*THINK))

    def _open(self, page: str, path: str, part: bool = False) -> Answer:
        answer = self.times.note(page, path, self.visitor.open(path, part))
        if not part:
            self.stream.follow(ReadPage(answer.text))
        return answer

    def _today(self) -> None:
        self._open("today", "/today")

    def _search(self) -> None:
        self._open("search", f"/search/suggest?q={self.chance.choice(SOUGHT)}", part=True)

    def _card(self) -> None:
        self._open("card", f"/customers/{self._person()}")

    def _call(self) -> None:
        asked = self._open("form of a call", f"/quick/call?person={self._person()}", part=True)
        form = ReadPage(asked.text).form("/quick/call")
        self._think()
        if form is not None:
            told = {**form.fields, "summary": "asked when the delivery comes"}
            self.times.note("call saved", "POST /quick/call", self.visitor.send("/quick/call", told))

    def _board(self) -> None:
        board = self._open("board", f"/deals?view=board&unit={self.unit}")
        cards = [one for one in ReadPage(board.text).having("data-deal") if one.get("data-stage") in self.stages]
        self._think()
        if cards:
            card = self.chance.choice(cards)
            stage = self.chance.choice([one for one in self.stages if one != card["data-stage"]])
            path = f"/deals/{card['data-deal']}/move"
            answer = self.visitor.send(f"{path}?view=board&unit={self.unit}", {"stage": stage})
            self.times.note("move", f"POST {path}", answer)

    def _report(self) -> None:
        self._open("report", "/reports/funnel")

    def _person(self) -> str:
        return self.company.persons[self.chance.choice(self.persons)]


# --- figures


def _quantiles(
    name: str, taken: list[float], must: float | None = None, aim: float | None = None, at_once: float | None = None
) -> Iterator[Figure]:
    """Half, 95 and 99 of a hundred; the bar is on the 95, or for people at once on the 99."""
    cuts = statistics.quantiles(taken, n=100) if len(taken) > 1 else [*taken] * 99
    yield Figure(f"{name}, p50", cuts[49], "ms", lower_is_better=True)
    yield Figure(f"{name}, p95", cuts[94], "ms", must=must, aim=aim, lower_is_better=True)
    yield Figure(f"{name}, p99", cuts[98], "ms", must=at_once, lower_is_better=True)


def _refuse_errors(times: Times) -> None:
    """A page that does not come has no time. Errors: Failure."""
    if times.errors:
        raise Failure(f"{len(times.errors)} answers were errors, such as: {times.errors[0]}")


def _memory(folder: DataFolder) -> Iterator[Figure]:
    total = 0.0
    for one in read_json(folder.state)["processes"]:
        megabytes = resident_bytes(one["pid"]) / MEGABYTE
        total += megabytes
        yield Figure(f"memory of {one['name']}", megabytes, "MB", lower_is_better=True)
    yield Figure("memory of all", total, "MB", must=600, lower_is_better=True)


@contextmanager
def _cpu(folder: DataFolder) -> Iterator[dict[str, float]]:
    """Seconds of processor time that each process and its children use inside."""
    pids = {one["name"]: one["pid"] for one in read_json(folder.state)["processes"]}
    used = {name: -_seconds(pid) for name, pid in pids.items()}
    yield used
    for name, pid in pids.items():
        used[name] += _seconds(pid)


def _seconds(pid: int) -> float:
    process = psutil.Process(pid)
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


BENCH = Bench("web", "How fast do pages begin, and what do fifty people at once feel?", measure)
