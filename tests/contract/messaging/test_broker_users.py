"""A broker user of another system ends with its account, and with it its connection."""

from __future__ import annotations

from pathlib import Path

import amqp
import kombu
import pytest
import sqlalchemy as sa

from chassis.access import ADMINISTER, ALL, PROVISION, Access, Grant
from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.ids import new_id
from chassis.migrate import migrate
from chassis.testing.bus import PASSWORD, USER, RabbitBroker
from chassis.testing.postgres import fresh_database
from directory.broker_users import end_users_of_closed_accounts
from directory.settings import MIGRATIONS
from directory.tables import user
from directory.users import NewUser, create_user

EVERYWHERE = Access(new_id(), grants=(Grant(ADMINISTER, ALL), Grant(PROVISION, ALL)))


@pytest.fixture
def directory(postgres: EmbeddedPostgres) -> Database:
    """A directory's database with nobody in it."""
    url = fresh_database(postgres, "directory_accounts")
    migrate(url, Path(MIGRATIONS))
    return Database(url, "directory")


def an_account(directory: Database, login: str) -> str:
    """Somebody with a login; answers the id."""
    with directory.transaction(EVERYWHERE) as work:
        return str(create_user(work, NewUser(login, login=login)).id)


def a_reader(rabbit: RabbitBroker, name: str) -> kombu.Connection:
    """A user of the broker with its queue, connected."""
    rabbit.ask("PUT", f"/users/{name}", {"password": PASSWORD, "tags": ""})
    rabbit.ask("PUT", f"/permissions/%2F/{name}", {"configure": "^$", "write": "^$", "read": f"^crm_{name}$"})
    connection = kombu.Connection(f"amqp://{name}:{PASSWORD}@127.0.0.1:{rabbit.port}//")
    connection.ensure_connection(max_retries=0)
    return connection


def test_the_broker_user_of_a_closed_account_is_out_and_the_others_go_on(
    rabbit: RabbitBroker, directory: Database
) -> None:
    management = f"http://{USER}:{PASSWORD}@{rabbit.management}"
    stays, goes = an_account(directory, "bi"), an_account(directory, "telephony")
    assert stays != goes
    with a_reader(rabbit, "ext-BI") as reads, a_reader(rabbit, "ext-telephony") as leaves:
        assert end_users_of_closed_accounts(directory, management) == 0
        with directory.transaction() as work:
            work.execute(sa.update(user).where(user.c.id == goes).values(active=False))

        assert end_users_of_closed_accounts(directory, management) == 1

        reads.heartbeat_check()
        assert reads.connected
        with pytest.raises((amqp.exceptions.ConnectionForced, OSError)):
            leaves.drain_events(timeout=10)
        with pytest.raises(amqp.exceptions.AccessRefused):
            kombu.Connection(f"amqp://ext-telephony:{PASSWORD}@127.0.0.1:{rabbit.port}//").connect()
    names = {one["name"] for one in rabbit.ask("GET", "/users")}
    assert {USER, "ext-BI"} <= names, "nobody but users of other systems is touched"
    rabbit.ask("DELETE", "/users/ext-BI")
