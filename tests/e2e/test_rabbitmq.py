"""The same platform on RabbitMQ: one option more, the same commands, the same figures."""

from __future__ import annotations

import json

import pytest

from chassis.testing.bus import RabbitBroker, rabbit
from chassis.testing.eventually import eventually
from tests.e2e.platforms import ROOT, CommandLine

__all__ = ["rabbit"]  # a fixture is found by its name here

pytestmark = pytest.mark.timeout(600)
NO_EVENTS = ("_workers", "_reader", "_layout")  # queues by which workers find each other


def start(command_line: CommandLine, url: str, queues: int) -> None:
    """Start the platform on the broker, reporting's consumer with so many queues."""
    told = {"BRANCHLINE_BUS": url, "REPORTING_QUEUES": str(queues)}
    started = command_line.run("up", "--detach", "--json", environment=told)
    assert started.status == 0, started.out + started.err + command_line.logs()
    assert started.data["bus"] == "amqp"


def queues_of_reporting(rabbit: RabbitBroker, url: str) -> set[str]:  # noqa: F811
    """The queues that stand for reporting's events."""
    told = rabbit.ask("GET", f"/queues/{url.rsplit('/', 1)[1]}")
    names = {one["name"] for one in told if one["name"].startswith("crm_reporting_in")}
    return {name for name in names if not name.endswith(NO_EVENTS)}


def test_the_demo_comes_to_the_same_figures_on_rabbitmq_with_reporting_in_four_queues_and_then_in_one(
    command_line: CommandLine,
    rabbit: RabbitBroker,  # noqa: F811
) -> None:
    url = rabbit.fresh_vhost()
    start(command_line, url, 4)
    four = {f"crm_reporting_in_4_{part}" for part in range(4)}
    eventually(lambda: queues_of_reporting(rabbit, url) == four, within=60, every=0.2)

    found = command_line.json("demo")

    expected = json.loads((ROOT / "demo" / "expected.json").read_text(encoding="utf-8"))
    sets = found["reports"]["sets"]
    column = next(place for place, one in enumerate(sets["columns"]) if one["name"] == "fact")
    assert sets["totals"][-1]["cells"][column]["value"].startswith(str(expected["sets_total"]))
    divided = command_line.json("rebuild", "reporting")["digest"]
    command_line.run("down")
    start(command_line, url, 1)
    eventually(lambda: queues_of_reporting(rabbit, url) == {"crm_reporting_in"}, within=60, every=0.2)
    assert command_line.json("rebuild", "reporting")["digest"] == divided
    assert {one["parked"] for one in command_line.json("status")["services"]["services"]} == {0}
