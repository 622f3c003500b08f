"""Settings are read once, and all that is wrong with them is said at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chassis.settings import SettingsInvalid, load_settings


@dataclass(frozen=True)
class Sample:
    database_url: str = field(metadata={"help": "postgresql+psycopg://…"})
    secret: str
    pool_size: int = 4
    ratio: float = 0.5
    loud: bool = False
    names: str = field(default_factory=lambda: "made")


def test_own_variables_come_before_shared_ones() -> None:
    environ = {"DATABASE_URL": "shared", "ADS_DATABASE_URL": "own", "SECRET": "s", "ADS_POOL_SIZE": "9", "LOUD": "on"}
    assert load_settings(Sample, "ADS_", environ) == Sample("own", "s", 9, 0.5, True, "made")


def test_everything_missing_or_wrong_is_named_at_once() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings(Sample, "ADS_", {"ADS_POOL_SIZE": "many", "RATIO": "half", "LOUD": "perhaps"})
    for name in ("ADS_DATABASE_URL", "postgresql+psycopg", "ADS_SECRET", "ADS_POOL_SIZE", "ADS_RATIO", "ADS_LOUD"):
        assert name in str(refused.value)


def test_what_is_required_may_not_be_empty() -> None:
    with pytest.raises(SettingsInvalid, match="ADS_SECRET is not set"):
        load_settings(Sample, "ADS_", {"DATABASE_URL": "x", "ADS_SECRET": " "})


def test_a_secret_comes_from_a_file_unless_the_environment_says_it(tmp_path: Path) -> None:
    (tmp_path / "database_url").write_text("from a file\n")
    (tmp_path / "secret").write_text("s3cret")
    environ = {"SETTINGS_FOLDER": str(tmp_path), "SECRET": "said"}

    assert load_settings(Sample, "ADS_", environ) == Sample("from a file", "said")


def test_a_setting_of_another_type_is_a_mistake_of_ours() -> None:
    @dataclass(frozen=True)
    class Wrong:
        many: tuple[str, ...] = ()

    with pytest.raises(TypeError, match="cannot be of type"):
        load_settings(Wrong, "", {"MANY": "a,b"})
