"""The release before is replaced by this one part by part while people write, taken back, and replaced in one go.

What is done stands in docs/operator/upgrading.md and is run from there. The platform has a server of PostgreSQL for
each service, so that this way to compose it is tried as well.
"""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chassis.testing.eventually import eventually
from tests.compose.conftest import PROJECT, VERSION
from tests.compose.platforms import SPLIT, Composed, export_checkout, free_port
from tests.compose.previous_release import build_images, export_release, find_previous
from tests.compose.writers import SOURCES, History, Writers
from tests.faults.checkers import find_apart, find_doubled, find_lost
from tools.guide_blocks import Block, list_blocks

# Two releases are built and eight roll-outs done, which takes minutes: run by `branchline test compose --all`.
pytestmark = [pytest.mark.long, pytest.mark.timeout(1_800)]

SERVICES = ("directory", "contacts", "deals", "scheduling", "imports", "reporting")
PEOPLE = 3
LONG_READ_SECONDS = 5  # longer than a migration may wait for a table
MOST_WAITED_MS = 2_500.0  # 2 s, and what a busy machine adds to a clock
SETTLED_SECONDS = 180.0
COPIES = {"person": "contacts", "deal": "deals"}  # what reporting copies, and from whom
# There already: the images of both releases. What git would do, the test does with the files of the release.
DONE_BEFORE = ("git ", "docker compose build")


@dataclass
class Releases:
    """One checkout and its platform, of the release before or of this one."""

    platform: Composed
    commit: str

    def switch(self, *, back: bool) -> None:
        """Put the files of a release into the checkout, as git does, and mean its images from now on."""
        folder = self.platform.folder
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if back:
            export_release(self.commit, folder)
        else:
            export_checkout(folder)
        version = self.commit[:12] if back else VERSION
        self.platform = replace(self.platform, variables={**self.platform.variables, "BRANCHLINE_VERSION": version})

    def follow(self, block: Block) -> None:
        """Do what a block of the guide says, as soon as the platform answers after the line before."""
        for line in block.lines:
            if line.startswith("git "):
                self.switch(back="PREVIOUS" in line)
            if not line.startswith(DONE_BEFORE):
                self.platform.shell(line)
                self.platform.wait_until_it_answers()


@pytest.fixture(scope="module")
def releases(composed: Composed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Releases]:
    """A platform of the release before, up and well; the one of other tests gives it the machine meanwhile."""
    commit, port = find_previous(), str(free_port())
    told = {"BRANCHLINE_PORT": port, "BRANCHLINE_PULL": "never"}
    folder: Path = tmp_path_factory.mktemp("checkout")
    found = Releases(Composed(folder, f"{PROJECT}-upgrade", f"http://127.0.0.1:{port}", "", (SPLIT,), told), commit)
    found.switch(back=True)
    build_images(found.platform)
    composed.compose("stop", "--timeout", "10")
    try:
        found.platform.shell("docker compose up --detach")
        found.platform.wait_until_it_answers()
        found.platform = replace(found.platform, password=found.platform.read_password())
        yield found
    finally:
        found.platform.compose("down", "--volumes", "--timeout", "10")


@pytest.fixture(scope="module")
def history(releases: Releases) -> History:
    """What people were told while their platform was upgraded, taken back and upgraded again."""
    for name in SERVICES:
        releases.platform.sql(name, "ALTER SYSTEM SET log_lock_waits = on")
        releases.platform.sql(name, "SELECT pg_reload_conf()")
    at_once, ready, forward, back = list_blocks("upgrade")
    with Writers(releases.platform, PEOPLE) as writers:
        reads = [threading.Thread(target=read_long, args=(releases.platform, one)) for one in ("contacts", "deals")]
        for read in reads:
            read.start()
        for block in (ready, forward, back, at_once):
            releases.follow(block)
        for read in reads:
            read.join()
    return writers.history


def read_long(platform: Composed, service: str) -> None:
    """Hold a service's largest table as a long report does, so that a migration of it finds it in use."""
    table = {"contacts": "person", "deals": "deal"}[service]
    platform.sql(service, f"BEGIN; SELECT count(*) FROM {table}; SELECT pg_sleep({LONG_READ_SECONDS}); COMMIT")


def is_settled(platform: Composed) -> bool:
    """Tell whether every event is published and reporting has handled it."""
    with platform.rest() as rest:
        handled = rest.get("/freshness")["positions"]
        lags = [rest.get(f"/services/{name}/lag") for name in SERVICES]
    known = [one for one in lags if one["source"] in handled]
    behind = [one for one in known if int(handled[one["source"]]) < int(one["last_position"])]
    return not behind and not any(int(one["unnumbered"]) or one["waiting"] for one in lags)


@pytest.fixture(scope="module")
def settled(releases: Releases, history: History) -> Composed:
    """The platform after it, when every event is handled."""
    eventually(lambda: is_settled(releases.platform), within=SETTLED_SECONDS, every=0.5)
    return releases.platform


def test_every_write_was_answered_and_none_was_refused(
    history: History, record_property: Callable[[str, object], None]
) -> None:
    record_property("acknowledged writes", history.count())
    record_property("slowest answer, s", round(history.slowest, 1))
    record_property("failed tries", dict(history.failures))
    assert history.refused == []
    assert min(map(len, history.acknowledged.values())) > PEOPLE, "nobody wrote"


def test_nothing_acknowledged_is_lost_and_nothing_is_said_twice(history: History, settled: Composed) -> None:
    for kind, service in SOURCES.items():
        rows = settled.sql(service, "SELECT aggregate_id, version FROM event_log")
        said = [(record, int(version)) for record, version in rows]
        assert find_lost(history.acknowledged[kind], said) == set()
        assert find_doubled(said) == []


def test_copies_show_what_their_sources_say(settled: Composed) -> None:
    for table, service in COPIES.items():
        source, copy = (versions_in(settled, database, table) for database in (service, "reporting"))
        assert source
        assert find_apart(source, copy) == set()


def versions_in(platform: Composed, database: str, table: str) -> dict[str, int]:
    """The version of each record of a table."""
    return {id: int(version) for id, version in platform.sql(database, f"SELECT id, version FROM {table}")}


def test_nothing_is_parked(settled: Composed) -> None:
    counts = {name: settled.sql(name, "SELECT count(*) FROM parked_event")[0][0] for name in SERVICES}
    assert counts == dict.fromkeys(SERVICES, "0")


def test_reports_made_anew_from_all_events_are_the_same(settled: Composed) -> None:
    with settled.rest() as rest:
        before = rest.get("/freshness", with_digest="true")["digest"]
        settled.shell("docker compose run --rm --no-deps reporting-worker rebuild")
        assert rest.get("/freshness", with_digest="true")["digest"] == before


def test_a_migration_made_nobody_wait_longer_than_two_seconds(settled: Composed) -> None:
    servers = {settled.server_of(name) for name in SERVICES}
    lines = settled.compose("logs", "--no-log-prefix", *servers).splitlines()
    waits = [line for line in lines if re.search(r"(waiting for|acquired) \w+ on (relation|tuple|transaction)", line)]
    assert [line for line in waits if waited_ms(line) > MOST_WAITED_MS] == []


def waited_ms(line: str) -> float:
    """How long the server says that somebody has waited for a lock."""
    found = re.search(r"after ([\d.]+) ms", line)
    return float(found.group(1)) if found else 0.0


def test_every_part_is_of_this_release_at_the_end(settled: Composed) -> None:
    ours = [one["Config"] for one in settled.containers() if one["State"]["Running"]]
    images = {one["Image"] for one in ours if one["Image"].startswith("branchline/")}
    assert images == {f"branchline/{name}:{VERSION}" for name in (*SERVICES, "gateway")}
