"""One record of every kind in a unit, all of whose texts are the same words, made through REST."""

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.ids import new_id

_count = itertools.count(1)
PASSWORD = "correct horse battery"
CSV = "Name,E-mail\n{name},person{number}@example.com\n"


def make_records(platform: Any, unit: dict[str, Any], text: str, password: str = PASSWORD) -> dict[str, str]:
    """The ids by kind, and the `login` of the unit's seller who owns them all.

    `text` stands in every name, title, note and subject; it begins with a letter. `platform` gives REST by `admin()`
    and does the jobs that wait by `run_jobs()`.
    """
    rest = platform.admin()
    made: dict[str, str] = {"unit": unit["id"]}
    made |= make_user(rest, unit, text, password)
    made |= _make_customers(rest, unit, text, made["user"])
    made |= _make_deal(rest, unit, text, made)
    made |= _make_activity(rest, unit, text, made)
    made |= _make_run(platform, rest, unit, text)
    asked = {"list": "persons", "filters": {"unit_id": unit["id"]}, "reason": text[:300]}
    made["export"] = rest.post("/exports", asked)["id"]
    return made | {"access_request": new_id()}  # one that nobody made


def a_new_branch(platform: Any, name: str) -> dict[str, Any]:
    """A branch that every service knows."""
    body = {"kind": "branch", "code": f"records{next(_count)}", "name": name, "parent_id": "hq"}
    unit: dict[str, Any] = platform.admin().post("/units", body)
    platform.spread_units()
    return unit


def make_user(rest: Any, unit: dict[str, Any], text: str, password: str = PASSWORD) -> dict[str, str]:
    """A seller of the unit: `user`, `login` and `position`."""
    login = f"worker{next(_count)}"
    position = {"unit_id": unit["id"], "title": text[:100], "role": "seller"}
    body = {"display_name": text[:200], "login": login, "password": password, "positions": [position]}
    user = rest.post("/users", body)
    return {"user": user["id"], "login": login, "position": user["positions"][0]["id"]}


def _make_customers(rest: Any, unit: dict[str, Any], text: str, user: str) -> dict[str, str]:
    name, tag = text[:200], text[:50].replace(",", " ")
    shared = {"unit_id": unit["id"], "owner_id": user, "tags": [tag]}
    address = {"street": text[:200], "city": text[:100]}
    firm = {"display_name": name, "industry": text[:100], "address": address, "attributes": {"note": text}, **shared}
    organization = rest.post("/organizations", firm)["organization"]["id"]
    body = {
        "display_name": name,
        "given_name": text[:100],
        "channels": [{"kind": "phone", "raw": f"+7 495 {next(_count):07d}", "label": text[:50]}],
        "affiliations": [{"organization_id": organization, "role": text[:100]}],
        "address": address,
        "attributes": {"note": text},
        **shared,
    }
    person = rest.post("/persons", body)["person"]
    for about in ({"person_id": person["id"]}, {"organization_id": organization}):
        rest.post("/interactions", {"kind": "call", "summary": text, "unit_id": unit["id"], **about})
    return {
        "organization": organization,
        "person": person["id"],
        "affiliation": person["affiliations"][0]["id"],
    }


def _make_deal(rest: Any, unit: dict[str, Any], text: str, made: dict[str, str]) -> dict[str, str]:
    product = rest.post("/products", {"name": f"{text[:80]} {next(_count)}", "unit_of_measure": text[:20]})
    price = {"amount": "10", "currency_code": "EUR"}
    line = {"product_id": product["id"], "quantity": "2", "unit_price": price}
    body = {
        "title": text[:200],
        "unit_id": unit["id"],
        "owner_id": made["user"],
        "organization_id": made["organization"],
        "person_id": made["person"],
        "line_items": [line],
        "business_line": text[:100],
    }
    return {"deal": rest.post("/deals", body)["id"]}


def _make_activity(rest: Any, unit: dict[str, Any], text: str, made: dict[str, str]) -> dict[str, str]:
    due = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {
        "kind": "meeting",
        "subject": text[:200],
        "description": text,
        "unit_id": unit["id"],
        "owner_id": made["user"],
        "due_time": due,
        "time_zone": "Europe/Berlin",
        "person_id": made["person"],
        "organization_id": made["organization"],
        "deal_id": made["deal"],
    }
    return {"activity": rest.post("/activities", body)["id"]}


def _make_run(platform: Any, rest: Any, unit: dict[str, Any], text: str) -> dict[str, str]:
    content = CSV.format(name='"' + text[:150].replace('"', '""') + '"', number=next(_count)).encode()
    begun = rest.post("/files", {"name": f"{text[:100].replace('/', '_')}.csv", "size_bytes": len(content)})["file"]
    rest.ask("PUT", f"/files/{begun['id']}/chunks", content=content, params={"offset": 0},
             headers={"Content-Type": "application/octet-stream"}).raise_for_status()  # fmt: skip
    rest.post(f"/files/{begun['id']}/complete", {"sha256": hashlib.sha256(content).hexdigest()})
    run = rest.post("/runs", {"file_id": begun["id"], "kind": "persons", "unit_id": unit["id"]})
    platform.run_jobs()
    return {"run": run["id"], "file": begun["id"]}
