"""Text that went through a wrong encoding is shown with its probable original; clean text of every script is not."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from imports.reading.damaged_text import find_damage

JAPANESE, RUSSIAN, GERMAN, ARABIC = "株式会社山田太郎 東京都", "Иванов Иван Петрович", "Müller Straße", "محمد علی"
CLEAN = (
    JAPANESE, RUSSIAN, GERMAN, ARABIC, "ООО «Ромашка»", "ИВАНОВ", "Її Ґава", "Јована Ђорђевић", "Hämäläinen", "Hàorán",
    "São Paulo", "Nguyễn Văn Á", "Łódź", "Øyvind Ærø", "İstanbul Şişli", "Αθήνα", "יוסי כהן", "김철수", "张伟",
    "ひらがな",
    "علی رضا محمدی", "Rock ’n’ Roll – “Quote”", "Её", "50 °C ± 2 µm", "naïve café", "Дом №5", "AО Cфера", "€ 5 £ 6",
    "😀 smile", "???", "What??",
)  # fmt: skip


@pytest.mark.parametrize("text", CLEAN)
def test_clean_text_is_not_called_damaged(text: str) -> None:
    assert find_damage(text) is None


@pytest.mark.parametrize(
    ("original", "written", "read"),
    [
        (JAPANESE, "utf-8", "iso8859-15"),
        (JAPANESE, "utf-8", "latin-1"),
        (JAPANESE, "cp932", "cp1252"),
        (RUSSIAN, "utf-8", "cp1252"),
        (RUSSIAN, "cp1251", "cp1252"),
        (RUSSIAN, "cp1251", "latin-1"),
        (RUSSIAN, "koi8-r", "cp1251"),
        (RUSSIAN, "cp1251", "koi8-r"),
        ("Москва", "cp866", "cp1251"),
        ("Москва", "cp1251", "cp866"),
        ("Москва", "utf-8", "cp1251"),
        (GERMAN, "utf-8", "cp1252"),
        (GERMAN, "cp1252", "cp1251"),
        (ARABIC, "utf-8", "cp1252"),
        (ARABIC, "utf-8", "cp1256"),
        ("José García", "utf-8", "cp1251"),
        ("北京市朝阳区", "utf-8", "gb18030"),
        ("naïve café", "utf-8", "mac-roman"),
    ],
)
def test_a_wrong_encoding_is_recognized_and_the_original_proposed(original: str, written: str, read: str) -> None:
    damage = find_damage(original.encode(written).decode(read))
    assert damage is not None
    assert damage.original == original


def test_the_chain_of_utf8_over_latin9_saved_as_windows_1252_is_recognized() -> None:
    saved = JAPANESE.encode().decode("iso8859-15")
    assert find_damage(saved) is not None


def test_lost_letters_are_called_lost() -> None:
    for text in ("Ив�нов", "?????? ????"):
        damage = find_damage(text)
        assert damage is not None
        assert damage.original == ""


def test_real_names_of_all_countries_are_clean(shared_data: Callable[[str], Path]) -> None:
    flagged = []
    for path in sorted(shared_data("names-by-country").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            flagged += [cell for row in csv.reader(lines) for cell in row if cell and find_damage(cell)]
    assert flagged == []


def test_real_russian_towns_are_clean(shared_data: Callable[[str], Path]) -> None:
    text = (shared_data("addresses-ru-hflabs") / "city.csv").read_text("utf-8")
    assert [cell for row in csv.reader(text.splitlines()) for cell in row if find_damage(cell)] == []
