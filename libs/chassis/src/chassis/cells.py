"""Which cell an event is of: the word for an installation that runs its own services and broker, as a branch may.

An event's home is the cell whose service wrote it; `crm/<cell>/<service>` is its source. At home its key ends with the
word `e` and no header names a cell. What a bridge brings to another cell ends with the home's word and names it in a
header, so that a broker can refuse a key, and a consumer an event, that pretends to be of another cell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from chassis.logged_event import LoggedEvent
from chassis.naming import LAST_WORD, NameInvalid

CELL_HEADER = "crm_cell"
_CELL = re.compile(r"[a-z][a-z0-9_]{1,29}")  # a word of a key; one letter alone is the last word of keys at home


def check_cell(cell: str) -> str:
    """The word of a cell. Errors: NameInvalid."""
    if not _CELL.fullmatch(cell):
        raise NameInvalid(f"{cell!r} is no word for a cell; use 2 to 30 signs of a-z, 0-9 and _, a letter first")
    return cell


def source_of(cell: str, service: str) -> str:
    """The CloudEvents source of a service in a cell."""
    return f"crm/{cell}/{service}"


def with_cell(event: LoggedEvent, cell: str) -> LoggedEvent | None:
    """The event as it goes to another cell, marked with its home; None for one that has come from elsewhere itself."""
    start, _, last = event.routing_key.rpartition(".")
    if last != LAST_WORD or CELL_HEADER in event.headers:
        return None
    return event._replace(routing_key=f"{start}.{cell}", headers={**event.headers, CELL_HEADER: cell})


def is_cell_true(routing_key: str, headers: Mapping[str, str], source: str) -> bool:
    """Tell whether the key's last word, the header and the source agree about where an event is from.

    The broker lets the user of a cell publish under keys of that cell only, so the key is what is believed. A message
    without a key was kept in a database after it had been looked at.
    """
    told = headers.get(CELL_HEADER, "")
    last = routing_key.rpartition(".")[2]
    if not last or (last == LAST_WORD and not told):
        return True
    return last == told and source.startswith(f"crm/{told}/")
