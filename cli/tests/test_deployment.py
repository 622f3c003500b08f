"""A distributed platform's secrets are made once, and each part gets its own and no others."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from branchline.app import run
from branchline.deployment.definitions import with_passwords
from branchline.platform.environment import SERVICES, STORES


def files_below(folder: Path) -> dict[str, str]:
    """Every file with what it says."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_secrets_are_made_once(tmp_path: Path) -> None:
    assert run(["deployment", "secrets", str(tmp_path / "s")]) == 0
    before = files_below(tmp_path / "s")
    assert run(["deployment", "secrets", str(tmp_path / "s")]) == 0

    assert files_below(tmp_path / "s") == before
    assert (tmp_path / "s").stat().st_mode & 0o077 == 0, "nobody else looks into the folder"


def test_a_renewed_secret_is_new_wherever_it_is_needed_and_no_other_is(tmp_path: Path) -> None:
    run(["deployment", "secrets", str(tmp_path)])
    before = files_below(tmp_path)
    assert run(["deployment", "secrets", str(tmp_path), "--renew", "deals_bus_password"]) == 0

    changed = {name for name, text in files_below(tmp_path).items() if text != before[name]}
    assert changed == {"secrets.json", "deals/bus_url", "rabbitmq/definitions.json"}


def test_a_secret_that_is_none_is_not_renewed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["deployment", "secrets", str(tmp_path)])
    before = files_below(tmp_path)

    assert run(["deployment", "secrets", str(tmp_path), "--renew", "deals_bus_pasword"]) == 2
    assert "deals_bus_password" in capsys.readouterr().err
    assert files_below(tmp_path) == before


def test_a_part_knows_its_own_secrets_only(tmp_path: Path) -> None:
    run(["deployment", "secrets", str(tmp_path)])
    kept = json.loads((tmp_path / "secrets.json").read_text())

    for service in SERVICES:
        told = "".join(path.read_text() for path in (tmp_path / service).iterdir())
        foreign = {kept[f"{store}_database_password"] for store in STORES if store != service}
        foreign |= {kept[f"{other}_bus_password"] for other in SERVICES if other != service}
        assert not [password for password in foreign if password in told]
        assert (kept["token_private_key"] in told) == (service == "directory")
        assert kept["administrator_password"] not in told


def test_hosts_are_those_that_were_asked_for(tmp_path: Path) -> None:
    run(["deployment", "secrets", str(tmp_path), "--database-host", "{}.db.test", "--bus-host", "bus.test"])

    assert "@deals.db.test:5432/deals" in (tmp_path / "deals" / "database_url").read_text()
    assert (tmp_path / "deals" / "bus_url").read_text().endswith("@bus.test:5672/crm")


def test_the_brokers_definitions_hold_hashes_that_fit_the_passwords() -> None:
    found = json.loads(with_passwords(dict.fromkeys((*SERVICES, "operator", "accounts"), "pass")))

    for user in found["users"]:
        raw = base64.b64decode(user["password_hash"])
        assert raw[4:] == hashlib.sha256(raw[:4] + b"pass").digest()


def test_a_user_without_a_password_is_no_user() -> None:
    with pytest.raises(KeyError):
        with_passwords({"contacts": "pass"})


def test_secrets_become_manifests_of_the_same_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["deployment", "secrets", str(tmp_path)])
    capsys.readouterr()
    assert run(["deployment", "manifests", str(tmp_path)]) == 0
    listed = json.loads(capsys.readouterr().out)

    by_name = {one["metadata"]["name"]: one["data"] for one in listed["items"]}
    others = ("postgres", "rabbitmq", "administrator", "operator", "bridge")
    assert set(by_name) == {f"branchline-{part}" for part in (*STORES, *others)}
    url = base64.b64decode(by_name["branchline-contacts"]["database_url"]).decode()
    assert url == (tmp_path / "contacts" / "database_url").read_text()


def test_a_folder_without_secrets_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["deployment", "manifests", str(tmp_path)]) == 1
    assert "has no secrets" in capsys.readouterr().err


def test_another_cell_gets_a_user_a_secret_and_no_more_and_stays(tmp_path: Path) -> None:
    assert run(["deployment", "secrets", str(tmp_path), "--cell", "ural"]) == 0
    assert run(["deployment", "secrets", str(tmp_path)]) == 0

    given = files_below(tmp_path / "cell-ural")
    kept = json.loads((tmp_path / "secrets.json").read_text())
    assert set(given) == {"far_bus_url", "far_follower_secret"}
    assert given["far_bus_url"].startswith("amqp://cell-ural:")
    assert f"cell-ural={kept['cell-ural_follower_secret']}" in (tmp_path / "directory" / "follower_secrets").read_text()
    [rights] = [
        one
        for one in json.loads((tmp_path / "rabbitmq" / "definitions.json").read_text())["topic_permissions"]
        if one["user"] == "cell-ural"
    ]
    assert rights["write"].endswith("ural$")


def test_a_word_that_is_none_for_a_cell_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["deployment", "secrets", str(tmp_path), "--cell", "E.*"]) == 2
    assert "2 to 30 signs" in capsys.readouterr().err
    assert not (tmp_path / "secrets.json").exists()


def test_an_encrypted_broker_is_named_as_one(tmp_path: Path) -> None:
    assert run(["deployment", "secrets", str(tmp_path), "--encrypted-bus"]) == 0
    assert (tmp_path / "deals" / "bus_url").read_text().startswith("amqps://deals:")
    assert (tmp_path / "deals" / "bus_url").read_text().endswith("@rabbitmq:5671/crm")
