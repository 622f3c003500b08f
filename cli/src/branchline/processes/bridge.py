"""The bridge of a branch cell: its settings, its two directions, and the process that runs them.

It connects outwards only: to this cell's databases and bus, and to headquarters' broker and doors.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from branchline.exits import Exit, Failure
from branchline.platform.environment import SERVICES, database_url
from branchline.platform.folder import DataFolder
from branchline.platform.launch import is_running
from branchline.screen import Screen
from chassis.bus.bridge import Bridge, Lane
from chassis.bus.bridge_lanes import Cursors, forget_places, list_lanes
from chassis.bus.bridging import Direction
from chassis.bus.health import WorkerHealth
from chassis.bus.sources import DatabaseSource
from chassis.bus.transport import open_bus
from chassis.cells import check_cell
from chassis.database import Database
from chassis.entry import BEAT_SECONDS, HEALTH_FILE
from chassis.event_feed import Chosen
from chassis.naming import NameInvalid
from chassis.process import start_process, stop_signal
from chassis.rpc.event_source import RemoteSource
from chassis.settings import FOLDER, SettingsInvalid, load_settings
from units.acting import follower_tokens

PREFIX, OWN = "BRIDGE_", "bridge"
UP, DOWN = "up", "down"
STATEMENT_MS = 60_000
ENDED = 1


@dataclass(frozen=True)
class BridgeSettings:
    """`cell` is this cell's word, `far_cell` headquarters'. `database_url` is the bridge's own, for its cursors.

    `far_bus_url` is headquarters' broker as the user of this cell; `carries` are the services whose events go up.
    `brings` are those whose events come down, of the types in `brings_types`: each has its `far_…_address`, the
    directory's gives the tokens for `far_follower_secret`, and `bus_url` is this cell's bus.
    """

    cell: str = field(metadata={"help": "the word of this cell, such as ural"})
    database_url: str = field(metadata={"help": "a database of the bridge's own"})
    far_bus_url: str = field(metadata={"help": "headquarters' broker, amqps://cell-<cell>:…@host/crm"})
    far_cell: str = "hq"
    carries: str = "directory,contacts,deals,scheduling,imports"
    brings: str = ""
    brings_types: str = "crm.deals.events.v1.PlanSet"
    bus_url: str = ""
    far_follower_secret: str = ""
    far_directory_address: str = ""
    far_contacts_address: str = ""
    far_deals_address: str = ""
    far_scheduling_address: str = ""
    far_imports_address: str = ""
    directory_database_url: str = ""
    contacts_database_url: str = ""
    deals_database_url: str = ""
    scheduling_database_url: str = ""
    imports_database_url: str = ""

    def check(self) -> BridgeSettings:
        """The settings, if they fit together. Errors: SettingsInvalid with every trouble."""
        troubles = []
        for name, word in (("CELL", self.cell), ("FAR_CELL", self.far_cell)):
            try:
                check_cell(word)
            except NameInvalid as trouble:
                troubles.append(f"{PREFIX}{name}: {trouble}")
        if self.cell == self.far_cell:
            troubles.append(
                f"{PREFIX}CELL and {PREFIX}FAR_CELL are both {self.cell!r}; each cell has a word of its own"
            )
        strange = [name for name in (*words(self.carries), *words(self.brings)) if f"far_{name}_address" not in KNOWN]
        troubles += [f"there is no service {name!r} that says anything" for name in strange]
        needed = [f"{name}_database_url" for name in words(self.carries)]
        if self.brings:
            needed += ["bus_url", "far_follower_secret", "far_directory_address", "brings_types"]
            needed += [f"far_{name}_address" for name in words(self.brings)]
        troubles += [f"{name.upper()} is not set" for name in needed if name in KNOWN and not getattr(self, name)]
        if troubles:
            raise SettingsInvalid("settings: " + "; ".join(dict.fromkeys(troubles)))
        return self


KNOWN = frozenset(BridgeSettings.__dataclass_fields__)


def words(text: str) -> list[str]:
    """The names of a list with commas."""
    return [one.strip() for one in text.split(",") if one.strip()]


def read_settings(screen: Screen) -> BridgeSettings:
    """The settings from the environment and files; over a running embedded platform its databases need no naming.

    What headquarters gave lies in a folder of its own, FAR_FOLDER. Errors: Failure.
    """
    environ = dict(os.environ)
    if (screen.data or FOLDER not in environ) and is_running(screen.folder()):
        environ = {**_embedded(screen.folder()), **environ}
    far = Path(environ.get("FAR_FOLDER", ""))
    if environ.get("FAR_FOLDER"):
        for name in ("far_bus_url", "far_follower_secret"):
            if (far / name).is_file():
                environ.setdefault(name.upper(), (far / name).read_text(encoding="utf-8").strip())
    try:
        return load_settings(BridgeSettings, PREFIX, environ).check()
    except SettingsInvalid as trouble:
        raise Failure(str(trouble), Exit.USAGE, "SETTINGS_INVALID") from trouble


def run_bridge(settings: BridgeSettings) -> int:
    """Carry in both directions until told to stop; ends with 1 when a direction ended by itself."""
    start_process(OWN)
    stopping = stop_signal()
    file = os.environ.get(HEALTH_FILE)
    health = WorkerHealth(Path(file) if file else None)
    ways = [threading.Thread(target=one.run, name=one.name) for one in open_directions(settings, health, stopping)]
    for way in ways:
        way.start()
    while all(way.is_alive() for way in ways) and not stopping.wait(BEAT_SECONDS):
        health.beat()
    ended_by_itself = not stopping.is_set()
    stopping.set()
    for way in ways:
        way.join()
    return ENDED if ended_by_itself else 0


def open_directions(settings: BridgeSettings, health: WorkerHealth, stopping: threading.Event) -> list[Direction]:
    """What this cell says goes up; where anything is brought, that comes down."""
    own = Database(settings.database_url, OWN, statement_timeout_ms=STATEMENT_MS)
    carried = words(settings.carries)
    lanes = [Lane(DatabaseSource(_database(settings, name))) for name in carried]
    up = Bridge(settings.cell, lanes, Cursors(own, UP, carried))
    found = [Direction(UP, up, open_bus(settings.far_bus_url), health, stopping)]
    if settings.brings:
        brought = words(settings.brings)
        chosen = Chosen(types=tuple(words(settings.brings_types)))
        token = follower_tokens(f"cell-{settings.cell}", settings.far_directory_address, settings.far_follower_secret)
        sources = [RemoteSource(name, getattr(settings, f"far_{name}_address"), token) for name in brought]
        down = Bridge(settings.far_cell, [Lane(one, chosen) for one in sources], Cursors(own, DOWN, brought))
        found.append(Direction(DOWN, down, open_bus(settings.bus_url), health, stopping))
    return found


def list_carried(settings: BridgeSettings) -> list[dict[str, Any]]:
    """How far each lane is; `behind` counts events that wait here, and is not known of those that come down."""
    own = Database(settings.database_url, OWN, pool_size=1)
    return [
        {
            "direction": one.direction,
            "service": one.service,
            "epoch": one.epoch,
            "position": one.position,
            "behind": _behind(settings, one.service, one.position) if one.direction == UP else None,
            "carried": one.carry_time.isoformat(timespec="seconds") if one.carry_time else None,
            "holder": one.holder,
        }
        for one in list_lanes(own)
    ]


def tell_again(settings: BridgeSettings, direction: str, services: list[str]) -> list[str]:
    """Have lanes tell everything once more; a bridge that runs begins at once."""
    return forget_places(Database(settings.database_url, OWN, pool_size=1), direction, services)


def _behind(settings: BridgeSettings, service: str, position: int) -> int | None:
    if not getattr(settings, f"{service}_database_url"):
        return None
    database = _database(settings, service)
    standing = DatabaseSource(database).read_standing()
    database.close()
    return standing.last_position - position


def _database(settings: BridgeSettings, service: str) -> Database:
    url: str = getattr(settings, f"{service}_database_url")
    return Database(url, service, pool_size=1, overflow=1, statement_timeout_ms=STATEMENT_MS)


def _embedded(folder: DataFolder) -> Mapping[str, str]:
    """Where the databases and the bus of an embedded platform are; makes the bridge's own database."""
    server = folder.server_url
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (OWN,)).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(OWN)))
    urls = {f"{name.upper()}_DATABASE_URL": database_url(server, name) for name in SERVICES}
    bus = server.format("bus").replace("postgresql://", "pgmq://", 1)
    return {**urls, f"{PREFIX}DATABASE_URL": database_url(server, OWN), f"{PREFIX}BUS_URL": bus}
