"""The first start of a directory, from its own command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.errors import FieldInvalid
from chassis.testing.postgres import fresh_database
from directory.__main__ import main
from directory.tables import position, unit, user

FIRST = ["--company", "Acme", "--country", "DE", "--currency", "EUR", "--zone", "Europe/Berlin", "--login", "admin"]


def test_bootstrap_makes_company_and_administrator_once(
    postgres: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = fresh_database(postgres, "directory_bare")
    monkeypatch.setenv("DIRECTORY_DATABASE_URL", url)
    secret = tmp_path / "password"
    secret.write_text("a long password\n")
    main(["migrate"])
    main(["migrate"])
    for _ in range(2):
        main(["bootstrap", *FIRST, "--password-file", str(secret)])
    database = Database(url, "directory")
    with database.transaction() as work:
        counts = [
            work.execute(sa.select(sa.func.count()).select_from(table)).scalar() for table in (unit, user, position)
        ]
        company = work.execute(sa.select(unit)).one()
    database.close()
    assert counts == [1, 1, 1]
    assert (company.path, company.country_code, company.currency_code) == ("hq", "DE", "EUR")


def test_bootstrap_refuses_a_short_password(
    postgres: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIRECTORY_DATABASE_URL", fresh_database(postgres, "directory_bare"))
    main(["migrate"])
    secret = tmp_path / "password"
    secret.write_text("short")
    with pytest.raises(FieldInvalid):
        main(["bootstrap", *FIRST, "--password-file", str(secret)])


def test_whoever_holds_the_machine_gets_in_again_when_the_last_administrator_is_lost(
    postgres: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = fresh_database(postgres, "directory_bare")
    monkeypatch.setenv("DIRECTORY_DATABASE_URL", url)
    secret = tmp_path / "password"
    secret.write_text("a long password")
    main(["migrate"])
    main(["bootstrap", *FIRST, "--password-file", str(secret)])

    main(["bootstrap", *FIRST[:-1], "rescue", "--password-file", str(secret)])

    database = Database(url, "directory")
    with database.transaction() as work:
        roles = work.execute(sa.select(user.c.login, position.c.role).join(position).order_by(user.c.login)).all()
        noted = work.execute(sa.text("SELECT count(*) FROM outbox WHERE type LIKE '%UserCreated'")).scalar()
    database.close()
    assert [tuple(one) for one in roles] == [("admin", "administrator"), ("rescue", "administrator")]
    assert noted == 2, "nobody becomes administrator without an event that says so"
