"""Russian and Arabic say everything that the workplace says; the checker of this is seen to find each fault."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Message

from gateway.web.texts import PLURALS, Texts
from tools.catalogues import COMPLETE, extract_messages, find_troubles, troubles_of


def test_the_catalogues_hold_every_message_complete_and_with_its_placeholders() -> None:
    assert list(find_troubles(extract_messages())) == []


@pytest.mark.parametrize(
    ("message", "trouble"),
    [
        (Message("Saved: %(name)s", "Сохранено"), "placeholder: name"),
        (Message("Saved", "Сохранено %(what)s"), "placeholder: what"),
        (Message("Saved", ""), "no translation"),
        (Message("Saved", "Сохранено", flags=["fuzzy"]), "doubtful"),
        (Message(("%(num)s day", "%(num)s days"), ("%(num)s день", "%(num)s дня")), "2 forms"),
        (Message(("%(num)s day", "%(num)s days"), ("%(num)s день", "", "%(num)s дней")), "no translation"),
    ],
)
def test_a_fault_of_a_translation_is_found(message: Any, trouble: Any) -> None:
    assert any(trouble in one for one in troubles_of("ru", message))


@pytest.mark.parametrize("language", COMPLETE)
def test_a_count_is_said_in_the_form_of_its_number(language: Any) -> None:
    texts = Texts(language, ZoneInfo("UTC"))
    said = {texts.ngettext("%(num)s day", "%(num)s days", count) for count in (0, 1, 2, 5, 11, 100)}
    assert len(said) >= min(len(PLURALS[language]), 3)
    assert "%(num)s days" not in said
