"""The page of subscribers: consumers with how far they are and what waits in them, and the webhooks beside them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from chassis.schema import consumer_mark

SOURCE = "crm/elsewhere/directory"


@pytest.fixture
def a_consumer(platform: Any) -> Any:
    """A consumer of deals that has heard 41 events of a source."""
    name = f"deals.test_{uuid4().hex[:8]}"
    values = {"consumer": name, "source": SOURCE, "epoch": 1, "position": 41}
    with platform.databases["deals"].transaction() as work:
        work.execute(sa.insert(consumer_mark).values(**values, event_time=datetime(2024, 5, 1, tzinfo=UTC)))
    yield name
    with platform.databases["deals"].transaction() as work:
        work.execute(sa.delete(consumer_mark).where(consumer_mark.c.consumer == name))


def test_consumers_are_listed_with_how_far_they_are(an_administrator: Any, a_consumer: str) -> None:
    page = an_administrator.get("/admin/subscribers").text
    [row] = [one for one in re.findall(r"<tr data-row>.*?</tr>", page, re.DOTALL) if a_consumer in one]
    shown = re.sub(r"<[^>]+>", " ", row).split()
    assert shown[:4] == ["deals", a_consumer, SOURCE, "41"]
    assert shown[-1] == "0"  # nothing waits


def test_webhooks_stand_beside_them(an_administrator: Any) -> None:
    name = f"beside {uuid4().hex[:8]}"
    form = {"name": name, "address": "http://127.0.0.1:9/in", "types": "crm.deals.events.v1.DealOpened"}
    [path] = re.findall(r'href="(/admin/webhooks/[0-9a-f-]{36})"', an_administrator.post("/admin/webhooks", form).text)
    page = an_administrator.get("/admin/subscribers").text
    assert name in page
    assert f'href="{path}"' in page
    an_administrator.post(f"{path}/remove")


def test_subscribers_are_for_administrators(a_branch: Any, a_visitor: Any) -> None:
    assert a_visitor(a_branch()).get("/admin/subscribers").status_code == 403
