"""Whatever a check of imports can find, the workplace can say in the reader's language."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.web.finding_words import finding_words
from gateway.web.texts import Texts, speaking
from imports.reading.findings import FindingCode

SOURCE = Path(__file__).resolve().parents[2] / "services" / "imports" / "src" / "imports"
MADE = re.compile(r"(?:CellTrouble|Finding)\(\s*\"([a-z_]+)\"")


@pytest.mark.parametrize("language", ["ru", "ar"])
def test_every_code_has_its_words(language: str) -> None:
    codes = {str(code) for code in FindingCode}
    codes |= {code for path in SOURCE.rglob("*.py") for code in MADE.findall(path.read_text(encoding="utf-8"))}
    with speaking(Texts(language, ZoneInfo("UTC"))):
        words = finding_words()
    assert len(codes) > 40
    assert codes <= set(words), codes - set(words)
    assert not [text for text in words.values() if re.search("[a-z]{4}", text)]


def test_who_reads_english_gets_the_finding_itself() -> None:
    with speaking(Texts("en", ZoneInfo("UTC"))):
        assert finding_words() == {}
