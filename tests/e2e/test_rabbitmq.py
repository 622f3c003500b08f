"""The same platform on RabbitMQ: one option more, the same commands, the same figures."""

from __future__ import annotations

import json

import pytest

from chassis.testing.bus import RabbitBroker, rabbit
from tests.e2e.platforms import ROOT, CommandLine

__all__ = ["rabbit"]  # a fixture is found by its name here

pytestmark = pytest.mark.timeout(600)


def test_the_demo_comes_to_the_same_figures_on_rabbitmq(command_line: CommandLine, rabbit: RabbitBroker) -> None:  # noqa: F811
    url = rabbit.fresh_vhost()
    started = command_line.run("up", "--detach", "--json", environment={"BRANCHLINE_BUS": url})
    assert started.status == 0, started.out + started.err + command_line.logs()
    assert started.data["bus"] == "amqp"

    found = command_line.json("demo")

    expected = json.loads((ROOT / "demo" / "expected.json").read_text(encoding="utf-8"))
    sets = found["reports"]["sets"]
    column = next(place for place, one in enumerate(sets["columns"]) if one["name"] == "fact")
    assert sets["totals"][-1]["cells"][column]["value"].startswith(str(expected["sets_total"]))
    made = [command_line.json("rebuild", "reporting")["digest"] for _ in range(2)]
    assert made[0] == made[1]
    assert {one["parked"] for one in command_line.json("status")["services"]["services"]} == {0}
