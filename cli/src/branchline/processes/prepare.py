"""Makes a data folder ready for its processes: secrets, databases, bus, newest schemas, company and administrator.

Runs to its end at every start of the platform and may be repeated; what is there is kept. A process of its own, since
what it imports would stay in the supervisor's memory for nothing.
"""

from __future__ import annotations

import logging
import os
import secrets
from importlib import import_module
from pathlib import Path

import psycopg
from psycopg import sql

from branchline.platform.environment import SERVICES, STORES, database_url
from branchline.platform.folder import DataFolder, read_json, write_json
from branchline.processes.starting import begin
from chassis.bus.pgmq import prepare_pgmq
from chassis.database import Database
from chassis.migrate import migrate
from chassis.tokens import generate_key, public_key_of
from directory.bootstrap import FirstFacts, bootstrap

log = logging.getLogger(__name__)
ADMINISTRATOR = "admin"


def ensure_secrets(folder: DataFolder) -> None:
    """Make the keys and secrets that are missing."""
    found = read_json(folder.secrets)
    if "token_private_key" not in found:
        private = generate_key()
        found |= {"token_private_key": private, "token_public_key": public_key_of(private)}
    for name in ("service_secret", "follower_secret", "webhook_secret", "webhook_key"):
        found.setdefault(name, secrets.token_urlsafe(24))
    if found != read_json(folder.secrets):
        write_json(folder.secrets, found)


def create_databases(server: str) -> None:
    """Make the databases that are missing; `server` is a URL with `{}` in the place of the database."""
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        there = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        for name in (*STORES, "bus"):
            if name not in there:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def migrate_services(server: str) -> None:
    """Bring every service's database to its newest schema."""
    for name in STORES:
        migrate(database_url(server, name), import_module(f"{name}.settings").MIGRATIONS)


def catch_up_newcomers(server: str) -> None:
    """Let services that came with an upgrade read what was said before them; the others are where they were."""
    from chassis.bus.catching_up import catch_up  # the bus, which a first start does without
    from chassis.bus.sources import DatabaseSource

    databases = {name: Database(database_url(server, name), name, pool_size=1) for name in SERVICES}
    sources = [DatabaseSource(one) for one in databases.values()]
    for name in SERVICES:
        settings = import_module(f"{name}.settings").Settings(database_url=database_url(server, name))
        for consumer in import_module(f"{name}.worker").worker_service(settings).consumers:
            read = catch_up(consumer, databases[name], sources)
            log.info("caught up", extra={"consumer": consumer.name, "events": read})
    for database in databases.values():
        database.close()


def ensure_company(folder: DataFolder, server: str) -> None:
    """Make the company and its administrator once; the password is kept in the folder before it is used."""
    found = read_json(folder.credentials)
    if "company_id" in found:
        return
    if "password" not in found:
        found |= {"login": ADMINISTRATOR, "password": secrets.token_urlsafe(12)}
        write_json(folder.credentials, found)
    facts = FirstFacts(**read_json(folder.company), login=found["login"], password=found["password"])
    company_id, _ = bootstrap(Database(database_url(server, "directory"), "directory"), facts)
    write_json(folder.credentials, found | {"company_id": company_id})


def main() -> None:
    """Prepare the folder named in the environment."""
    begin("prepare")
    folder = DataFolder(Path(os.environ["BRANCHLINE_DATA"]))
    server = os.environ["SERVER_URL"]
    was_there = "company_id" in read_json(folder.credentials)
    ensure_secrets(folder)
    create_databases(server)
    if not os.environ.get("BUS_URL"):
        prepare_pgmq(server.format("bus"))
    migrate_services(server)
    if was_there:
        catch_up_newcomers(server)
    ensure_company(folder, server)
    log.info("prepared")


if __name__ == "__main__":
    main()
