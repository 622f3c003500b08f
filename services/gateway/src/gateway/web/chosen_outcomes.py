"""What acts on chosen records are made of: the records, what becomes of each, and the three steps of an act."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.web.texts import gettext as _
from gateway.web.visits import Visit


@dataclass(frozen=True)
class Chosen:
    """A record as the list showed it: who was responsible, of a deal its version; `title` is what it is called now."""

    id: str
    owner_id: str = ""
    version: str = ""
    title: str = ""

    @property
    def written(self) -> str:
        """The record as a form's field says it."""
        return f"{self.id}|{self.owner_id}|{self.version}"


@dataclass(frozen=True)
class Outcome:
    """What becomes of a record: `refusal` words why it stays; `back` is what undoes it, as a form's field says it."""

    record: Chosen
    refusal: str = ""
    unchanged: bool = False
    back: str = ""

    @property
    def goes(self) -> bool:
        """Whether it is changed."""
        return not self.refusal and not self.unchanged


@dataclass(frozen=True)
class Act:
    """One thing to do: `kinds` are the lists that offer it, the functions are its three steps.

    `ask` has the values of its form, `look` says what would become of each record and changes nothing, `do` does it.
    `undo` takes the `back` of outcomes, each with the record it is about.
    """

    key: str
    kinds: Sequence[str]
    ask: Callable[[Visit, str], dict[str, Any]]
    look: Callable[[Visit, str, Sequence[Chosen]], list[Outcome]]
    do: Callable[[Visit, str, Sequence[Chosen]], list[Outcome]]
    undo: Callable[[Visit, str, Sequence[tuple[Chosen, str]]], list[Outcome]]


def reason_words(name: str) -> str:
    """Why a record stays as it is, by the name of a service's reason."""
    words = {
        "ERROR_REASON_NOT_PERMITTED": _("your positions do not allow this"),
        "ERROR_REASON_STALE_ETAG": _("somebody else is responsible by now"),
    }
    return words.get(name, _("not here, or not for you to see"))
