"""Webhooks on their pages: the secret is shown once, tried, stopped, ended, and closed to those without the right."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from chassis.database import Database
from gateway.tables import webhook


def test_a_webhook_is_made_tried_stopped_and_ended_on_its_pages(an_administrator: Any) -> None:
    name = f"hook {uuid4().hex[:8]}"
    assert "DealOpened" in an_administrator.part("/admin/webhooks/new").text
    form = {"name": name, "address": "http://127.0.0.1:9/in", "types": "crm.deals.events.v1.DealOpened"}
    made = an_administrator.post("/admin/webhooks", form).text
    [secret] = re.findall(r"whsec_[\w+/=]+", made)
    [path] = re.findall(r'href="(/admin/webhooks/[0-9a-f-]{36})"', made)
    assert name in an_administrator.get("/admin/webhooks").text
    assert an_administrator.post(f"{path}/test").status_code == 204
    assert an_administrator.post(f"{path}/pause").status_code == 204
    page = an_administrator.get(path).text
    assert secret not in page
    assert [one for one in ("not reached", "paused", "Resume") if one not in page] == []
    changed = {"name": f"{name} b", "address": "http://127.0.0.1:9/there", "types": "crm.deals.events.v1.DealOpened"}
    form_of_it = an_administrator.part(f"{path}/edit").text
    assert 'value="http://127.0.0.1:9/in"' in form_of_it
    [etag] = re.findall(r'name="etag" value="(\d+)"', form_of_it)
    assert an_administrator.post(f"{path}/edit", {**changed, "etag": etag}).status_code == 204
    assert an_administrator.post(f"{path}/edit", {**changed, "etag": etag}).status_code == 412
    assert "http://127.0.0.1:9/there" in an_administrator.get(path).text
    assert an_administrator.post(f"{path}/replay", {"service": "deals", "position": "0"}).status_code == 204
    assert (
        an_administrator.post(f"{path}/replay", {"service": "deals", "position": "-1"}, "form#replay").status_code
        == 400
    )
    assert an_administrator.post(f"{path}/resume").status_code == 204
    assert secret not in an_administrator.post(f"{path}/secret").text
    assert an_administrator.post(f"{path}/remove").status_code == 204
    assert an_administrator.get(path).status_code == 404


def test_an_address_of_the_house_is_refused_at_its_field(an_administrator: Any) -> None:
    refused = an_administrator.post(
        "/admin/webhooks", {"name": "x", "address": "https://10.0.0.1/"}, "form#new-webhook"
    )
    assert refused.status_code == 400
    assert "webhooks may not go to this address" in refused.text


def test_pages_of_webhooks_are_for_those_who_may_tell(a_branch: Any, a_visitor: Any) -> None:
    visitor = a_visitor(a_branch())
    assert visitor.get("/admin/webhooks").status_code == 403
    assert visitor.post("/admin/webhooks", {"name": "x", "address": "https://example.com/"}).status_code == 403


def test_the_bell_tells_an_owner_of_a_webhook_that_stopped(platform: Any, an_administrator: Any) -> None:
    name = f"gone {uuid4().hex[:8]}"
    form = {"name": name, "address": "http://127.0.0.1:9/in", "types": "crm.deals.events.v1.DealOpened"}
    an_administrator.post("/admin/webhooks", form)
    assert name not in an_administrator.get("/notifications").text
    database = Database(platform.settings.database_url, "gateway")
    with database.transaction() as work:
        work.execute(sa.update(webhook).where(webhook.c.name == name).values(state="gone"))
    page = an_administrator.get("/notifications").text
    assert name in page
    assert "its receiver says it is gone" in page
    [path] = re.findall(r'href="(/admin/webhooks/[0-9a-f-]{36})"', page)
    assert an_administrator.post(f"{path}/remove").status_code == 204
    database.close()
