"""Templates say the same folded as not folded: texts and drawings that never change are only found earlier."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jinja2 import DictLoader, StrictUndefined

from gateway.web.folding import FoldingEnvironment
from gateway.web.frame import make_environment
from gateway.web.texts import Texts, speaking

UTC = ZoneInfo("UTC")
WORDS = "{{ _('Deals') }}|{{ _('Owner: %(name)s', name=name) }}|{% trans %}Move to{% endtrans %}|{{ icon('plus') }}"


def made(language: str, template: str) -> tuple[Texts, FoldingEnvironment]:
    spoken = Texts(language, UTC)
    environment = make_environment(spoken)
    environment.loader = DictLoader({"page.html": template})
    return spoken, environment


def render(language: str, template: str, folded: bool = True, **values: Any) -> str:
    spoken, environment = made(language, template)
    if not folded:
        environment.fixed = {}
    with speaking(spoken):
        return environment.get_template("page.html").render(**values)


@pytest.mark.parametrize("language", ["en", "ru", "ar"])
def test_a_page_is_the_same_folded_as_not(language: str) -> None:
    shown = render(language, WORDS, name="<b>")
    assert shown == render(language, WORDS, folded=False, name="<b>")
    assert "&lt;b&gt;" in shown
    assert "<svg" in shown


def test_each_language_has_its_own_texts() -> None:
    assert render("ru", "{{ _('Deals') }}") != render("en", "{{ _('Deals') }}") == "Deals"


def test_what_never_changes_is_not_asked_for_again() -> None:
    asked: list[str] = []

    def count(text: str) -> str:
        asked.append(text)
        return text

    environment = FoldingEnvironment(loader=DictLoader({"page.html": "{{ say('a') }}{{ say(b) }}"}))
    environment.undefined = StrictUndefined
    environment.globals["say"] = count
    environment.fixed = {"say": count}
    page = environment.get_template("page.html")
    assert [page.render(b="b"), page.render(b="c")] == ["ab", "ac"]
    assert asked == ["a", "b", "c"]


def test_a_percent_sign_in_a_text_is_one() -> None:
    assert render("en", "{{ _('100%% sure') }}") == render("en", "{{ _('100%% sure') }}", folded=False) == "100% sure"
