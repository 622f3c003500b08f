"""Every word, number, date and sum that a page shows, in the language of the one who looks.

Messages are gettext's: the English text is the key, `locale/<language>/LC_MESSAGES/gateway.po` holds the rest and is
read when a language is first asked for. What a catalogue lacks is shown in English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date as Day
from datetime import datetime, timedelta
from datetime import time as TimeOfDay
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, dates, lists, numbers
from babel.messages.pofile import read_po

LOCALES = Path(__file__).parent / "locale"
# Language and how it calls itself; complete ones first, the others fall back to English where they have no words yet.
LANGUAGES = {"en": "English", "ru": "Русский", "ar": "العربية", "fa": "فارسی", "ja": "日本語"}
# The order of a catalogue's plural forms, by their CLDR names.
PLURALS = {
    "en": ("one", "other"),
    "ru": ("one", "few", "many"),
    "ar": ("zero", "one", "two", "few", "many", "other"),
    "fa": ("one", "other"),
    "ja": ("other",),
}
RIGHT_TO_LEFT = frozenset({"ar", "fa"})
DEFAULT = "en"


@dataclass(frozen=True)
class Texts:
    """Words and forms of one language in one time zone."""

    language: str
    zone: ZoneInfo

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"

    @property
    def locale(self) -> Locale:
        """The forms of numbers and dates."""
        return _locale(self.language)

    def gettext(self, message: str) -> str:
        """A message in this language."""
        return str(_catalogue(self.language).get((None, message), message))

    def pgettext(self, context: str, message: str) -> str:
        """A message whose English word means several things."""
        return str(_catalogue(self.language).get((context, message), message))

    def ngettext(self, one: str, many: str, count: int) -> str:
        """A message that counts."""
        found = _catalogue(self.language).get((None, one))
        if isinstance(found, tuple):
            forms, form = PLURALS[self.language], self.locale.plural_form(count)
            return found[forms.index(form) if form in forms else -1]
        return one if count == 1 else many

    def number(self, value: Decimal | int | float, digits: int | None = None) -> str:
        """A number with this language's separators; `digits` after the point, as many as it has where None."""
        if digits is None:
            return numbers.format_decimal(value, locale=self.locale, decimal_quantization=False)
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return numbers.format_decimal(value, pattern, locale=self.locale)

    def percent(self, share: Decimal | float, digits: int = 1) -> str:
        """A share of one, as per cent."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
        return numbers.format_percent(share, pattern, locale=self.locale)

    def money(self, amount: Decimal, currency: str) -> str:
        """A sum of money; a whole sum is shown without the currency's fraction digits."""
        return _money(self.language, amount, currency)

    def short_money(self, amount: Decimal, currency: str) -> str:
        """A sum in few letters, such as €1.2M, where a column is narrow."""
        return _spaced(numbers.format_compact_currency(amount, currency, locale=self.locale, fraction_digits=1))

    def date(self, day: Day | datetime, form: str = "medium") -> str:
        """A day; an instant is taken in the viewer's zone."""
        if isinstance(day, datetime):
            day = day.astimezone(self.zone).date()
        return _date(self.language, day, form)

    def month(self, day: Day) -> str:
        """A month with its year, such as May 2026."""
        return _day(self.language, day, "yMMMM")

    def day(self, day: Day | datetime, today: Day | None = None) -> str:
        """A day as people say it: today, yesterday, tomorrow; without the year when it is this one."""
        if isinstance(day, datetime):
            day = day.astimezone(self.zone).date()
        today = today or datetime.now(self.zone).date()
        near = {0: self.gettext("today"), -1: self.gettext("yesterday"), 1: self.gettext("tomorrow")}
        if (day - today).days in near:
            return near[(day - today).days]
        return _day(self.language, day, "MMMd" if day.year == today.year else "yMMMd")

    def time(self, moment: datetime) -> str:
        """The time of day of an instant, in the viewer's zone."""
        local = moment.astimezone(self.zone)
        return _time(self.language, local.hour, local.minute)

    def moment(self, moment: datetime) -> str:
        """Day and time of an instant, in the viewer's zone."""
        return f"{self.day(moment)} {self.time(moment)}"

    def span(self, seconds: float) -> str:
        """How long, in the largest fitting unit: 3 days, 2 hours."""
        return dates.format_timedelta(timedelta(seconds=seconds), locale=self.locale, threshold=1.0)

    def listing(self, words: list[str]) -> str:
        """Words as an enumeration: a, b and c."""
        return lists.format_list(words, locale=self.locale)


_ENGLISH = Texts(DEFAULT, ZoneInfo("UTC"))
_current: ContextVar[Texts] = ContextVar("texts", default=_ENGLISH)


def current_texts() -> Texts:
    """The texts of the request in hand."""
    return _current.get()


@contextmanager
def speaking(texts: Texts) -> Iterator[None]:
    """Answer the request inside in these texts."""
    mark = _current.set(texts)
    try:
        yield
    finally:
        _current.reset(mark)


def gettext(message: str) -> str:
    """A message in the language of the request in hand; code marks its messages with it, for extraction too."""
    return _current.get().gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """A message that counts, in the language of the request in hand."""
    return _current.get().ngettext(one, many, count)


def pgettext(context: str, message: str) -> str:
    """A message with a context, in the language of the request in hand."""
    return _current.get().pgettext(context, message)


def choose_language(wanted: str, accepted: str) -> str:
    """The language of a page: the person's own choice, else the first known of an Accept-Language header."""
    if wanted in LANGUAGES:
        return wanted
    for part in accepted.split(",")[:20]:
        code = part.partition(";")[0].strip().lower().partition("-")[0]
        if code in LANGUAGES:
            return code
    return DEFAULT


def _spaced(sum_of_money: str) -> str:
    """A space that does not break between a currency's letters and the digits, as CLDR asks and Babel leaves out."""
    return re.sub(r"^([A-Z]{3})(?=[\d-])", "\\1\N{NO-BREAK SPACE}", sum_of_money)


# Babel takes 0.05 ms for a sum; a board has eighty, mostly those it had when somebody moved a card a moment ago.
@lru_cache(maxsize=8_192)
def _money(language: str, amount: Decimal, currency: str) -> str:
    locale = _locale(language)
    if amount != amount.to_integral_value():
        return _spaced(numbers.format_currency(amount, currency, locale=locale))
    pattern = locale.currency_formats["standard"].pattern.replace("0.00", "0")
    return _spaced(numbers.format_currency(amount, currency, pattern, locale=locale, currency_digits=False))


@lru_cache(maxsize=4_096)
def _day(language: str, day: Day, form: str) -> str:
    return dates.format_skeleton(form, day, locale=_locale(language))


@lru_cache(maxsize=4_096)
def _date(language: str, day: Day, form: str) -> str:
    return dates.format_date(day, form, locale=_locale(language))


@lru_cache(maxsize=1_440 * len(LANGUAGES))
def _time(language: str, hour: int, minute: int) -> str:
    return dates.format_time(TimeOfDay(hour, minute), "short", locale=_locale(language))


@lru_cache(maxsize=16)
def _locale(language: str) -> Locale:
    return Locale.parse(language)


@lru_cache(maxsize=16)
def _catalogue(language: str) -> dict[tuple[str | None, str], str | tuple[str, ...]]:
    path = LOCALES / language / "LC_MESSAGES" / "gateway.po"
    found: dict[tuple[str | None, str], str | tuple[str, ...]] = {}
    if not path.exists():
        return found
    with path.open("rb") as source:
        for message in read_po(source):
            key = message.id if isinstance(message.id, str) else message.id[0]
            words = message.string if isinstance(message.string, str) else tuple(message.string or ())
            if key and words and all(words) and not message.fuzzy:
                found[message.context, key] = words
    return found
