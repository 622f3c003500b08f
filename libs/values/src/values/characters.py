"""What every value rule does to characters first: one kind of blank, one kind of digit, and what counts as nothing.

Knows nothing of phones, e-mails, names or tax ids.
"""

import unicodedata

__all__ = ["is_blank_value", "plain_text"]

# What people and spreadsheets write into a cell to say "nothing here".
_NOTHING_WORDS = (
    "n/a|#n/a|na|nil|no|none|null|nan|unknown|not known|not available|tbd|xxx|"
    "н/д|#н/д|нет|нету|нет данных|отсутствует|не указан|не указана|не указано|неизвестно|неизвестен|б/н|"
    "kein|keine|k.a|k. a|aucun|aucune|inconnu|ninguno|ninguna|sin dato|desconocido|brak|yok|"
    "無|无|なし|없음|لا يوجد"
)
_NOTHING = frozenset(_NOTHING_WORDS.split("|"))
_AROUND = " .,;:-–—_?*'\"«»()"


def plain_text(text: str) -> str:
    """Give the same text in compatibility form, with ASCII digits, single blanks and no invisible marks.

    Full-width and Arabic-Indic digits become ASCII; bidirectional marks, zero-width characters and soft hyphens go.
    """
    if not text.isascii():
        text = "".join(map(_plain_character, unicodedata.normalize("NFKC", text)))
    return " ".join(text.split())


def is_blank_value(text: str) -> bool:
    """Say whether the cell means "nothing": empty, dashes, "n/a", "нет", zeros only."""
    bare = text.strip(_AROUND).casefold()
    return not bare or bare in _NOTHING or not any(map(str.isalnum, bare)) or not bare.strip("0 .,-")


def _plain_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    return str(unicodedata.decimal(character)) if category == "Nd" else character
