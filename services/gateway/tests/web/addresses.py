"""Every address of the workplace, with what may stand in its path, for tests over all of them.

A page is found here by being one of the workplace's topics. A page whose path has a part that is not known here fails
the tests until `RECORDS` or `WORDS` says what stands there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from gateway.web.card_reading import PANELS
from gateway.web.deals_edit import FACTS
from gateway.web.facts import GROUPS
from gateway.web.mounting import Page
from gateway.web.pages import TOPICS
from gateway.web.report_words import SHAPES

T = TypeVar("T")
PART = re.compile(r"{(\w+)}")
# Which record a part of a path names, by the page's beginning; the longest beginning that fits counts.
RECORDS: dict[tuple[str, str], str] = {
    ("/customers/", "id"): "person",
    ("/customers/", "membership"): "affiliation",
    ("/organizations/", "id"): "organization",
    ("/deals/", "id"): "deal",
    ("/activities/", "id"): "activity",
    ("/today/done/", "id"): "activity",
    ("/today/people/", "id"): "user",
    ("/imports/", "run"): "run",
    ("/imports/files/", "file"): "file",
    ("/admin/people/", "user"): "user",
    ("/people/", "user"): "user",
    ("/access-requests/", "access_request"): "access_request",
    ("/exports/", "export"): "export",
    ("/admin/people/", "position"): "position",
    ("/admin/units/", "unit"): "unit",
}
# Which words may stand in the place of others.
WORDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("/customers/", "panel"): PANELS["person"],
    ("/organizations/", "panel"): PANELS["organization"],
    ("/customers/", "group"): tuple(GROUPS["person"]),
    ("/organizations/", "group"): tuple(GROUPS["organization"]),
    ("/deals/", "name"): FACTS,
    ("/reports/", "name"): tuple(SHAPES),
    ("/help/", "topic"): ("reports",),
    ("/help/pictures/", "name"): ("no-such.png",),
    ("/admin/system/", "service"): ("contacts",),
    ("/admin/system/", "number"): ("1",),
    ("/lists/", "name"): ("customers", "organizations", "deals"),
    ("/admin/roles/", "code"): ("no-such-role",),
    ("/admin/fields/", "records"): ("customer",),
    ("/admin/fields/", "code"): ("no-such-group",),
    ("/admin/reorganizations/", "reorganization"): ("00000000-0000-7000-8000-000000000000",),
    ("/settings/passkeys/", "passkey"): ("00000000-0000-7000-8000-000000000000",),
    ("/settings/keys/", "api_key"): ("00000000-0000-7000-8000-000000000000",),
    ("/admin/people/", "api_key"): ("00000000-0000-7000-8000-000000000000",),
    ("/admin/webhooks/", "webhook"): ("00000000-0000-7000-8000-000000000000",),
    ("/admin/own-fields/", "field"): ("00000000-0000-7000-8000-000000000000",),
    ("/admin/restrictions/", "restriction"): ("00000000-0000-7000-8000-000000000000",),
}


@dataclass(frozen=True)
class Address:
    """One address: `records` are the kinds of records its path names."""

    page: Page
    path: str
    records: tuple[str, ...] = ()


def list_pages(*methods: str) -> list[Page]:
    """The pages of these methods."""
    return [page for topic in TOPICS for page in topic.PAGES if page.method in methods]


def list_addresses(records: Mapping[str, str], *methods: str) -> list[Address]:
    """Every address of the pages of these methods, records named by their ids."""
    return [address for page in list_pages(*methods) for address in addresses_of(page, records)]


def addresses_of(page: Page, records: Mapping[str, str]) -> list[Address]:
    """The addresses of a page. Errors: KeyError with the part that is not known here."""
    parts = PART.findall(page.path)
    kinds = [look_up(page.path, part, RECORDS) for part in parts]
    choices = [
        (records[kind],) if kind else look_up(page.path, part, WORDS) or ()
        for kind, part in zip(kinds, parts, strict=True)
    ]
    if not all(choices):
        raise KeyError(f"{page.path}: say in RECORDS or WORDS what its parts are")
    named = tuple(kind for kind in kinds if kind)
    return [
        Address(page, fill(page.path, dict(zip(parts, chosen, strict=True))), named) for chosen in product(*choices)
    ]


def fill(path: str, values: Mapping[str, str]) -> str:
    """A path with its parts filled in."""
    return PART.sub(lambda found: values[found[1]], path)


def look_up(path: str, part: str, table: Mapping[tuple[str, str], T]) -> T | None:
    """What a part means where the path begins so."""
    fitting = [start for start, name in table if name == part and path.startswith(start)]
    return table[max(fitting, key=len), part] if fitting else None
