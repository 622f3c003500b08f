"""Which phone numbers, and which extension, stand in one cell.

Works on the written text only; what a number means is decided in phones.py.
"""

import re

from values.characters import plain_text

__all__ = ["split_extension", "split_phones"]

# Words for "extension" in the languages of our branches; \u0445 is the Cyrillic letter that looks like x.
_EXTENSION = re.compile(
    r"[\s,;(]*(?:доб(?:авочный)?|внутр(?:енний)?|вн|дод|ext(?:ension)?|extn|x|\u0445|#|durchw(?:ahl)?|dw|poste|anexo|"
    r"int(?:erno)?|ramal|wew|内線|分机|內線|分機|내선|داخلي)[\s.:№=-]*(\d{1,7})[\s)]*$",
    re.IGNORECASE,
)
_RFC3966_EXTENSION = re.compile(r";\s*ext=(\d{1,7}).*$", re.IGNORECASE)
_DIGIT = re.compile(r"\d")

_HARD_SEPARATOR = re.compile(r"[\r\n;|、；]+|\s(?:и|или|and|or|und|oder|et|ou|y|o)\s|&", re.IGNORECASE)
_SOFT_SEPARATOR = re.compile(r"\s*[,，/\\]\s*")
_BEFORE_PLUS = re.compile(r"(?<=\d)\)?\s+(?=\(?\+)")
# Nearly every cell: digits with blanks, brackets and hyphens, in which nothing can part two numbers.
_PLAIN_NUMBER = re.compile(r"[+(]{0,2}[0-9][0-9() .-]{0,30}").fullmatch
# The shortest complete local number that people list beside another one ("25-67-89").
_SHORTEST_LISTED = 5
# No single number has more digits (E.164) than these, so a longer run is two numbers written side by side.
_LONGEST_NUMBER = 15
# A longer cell is a text, not a list of numbers, and is not searched: the patterns here take quadratic time.
_LONGEST_CELL = 1000


def split_extension(text: str) -> tuple[str, str | None]:
    """Part a plain text into the number and its extension, in digits; None where it has none."""
    match = _RFC3966_EXTENSION.search(text) or _EXTENSION.search(text)
    if match is None or not _DIGIT.search(text, 0, match.start()):
        return text, None
    return text[: match.start()].rstrip(" ,;("), match[1]


def split_phones(raw: str) -> list[str]:
    """List the numbers of a cell in their written form and order, each with its extension; [] for an empty cell.

    "030/901820" stays one number and ", доб. 12" stays with the number before it. A cell of more than 1,000 characters
    is not taken apart.
    """
    if len(raw) > _LONGEST_CELL:
        return [plain_text(raw)]
    if _PLAIN_NUMBER(raw) and _count_digits(raw) <= _LONGEST_NUMBER:
        return [" ".join(raw.split())]
    lines = [plain_text(line) for line in _HARD_SEPARATOR.split(_keep_extension(raw))]
    pieces = [piece for line in lines for part in _BEFORE_PLUS.split(line) for piece in _split_listed(part)]
    return [half for piece in pieces for half in _split_run_together(piece) if _DIGIT.search(half)]


def _keep_extension(raw: str) -> str:
    """Turn "…; доб 12" into "… доб 12", so that the separator does not part number and extension."""
    return re.sub(r"[\s,;]+(?=(?:доб|внутр|ext|дод)\w*[\s.:№=-]*\d)", " ", raw, flags=re.IGNORECASE)


def _split_listed(text: str) -> list[str]:
    """Split at commas and slashes, but only where a whole number stands on both sides."""
    pieces: list[str] = []
    start = 0
    for separator in _SOFT_SEPARATOR.finditer(text):
        after = _SOFT_SEPARATOR.split(text[separator.end() :], maxsplit=1)[0]
        if min(_count_digits(text[start : separator.start()]), _count_digits(after)) >= _SHORTEST_LISTED:
            pieces.append(text[start : separator.start()])
            start = separator.end()
    return [*pieces, text[start:]]


def _split_run_together(text: str) -> list[str]:
    """Split "8 495 123 45 67 8 916 765 43 21" at the blank that leaves as many digits on either side."""
    total = _count_digits(text)
    if total <= _LONGEST_NUMBER:
        return [text]
    for blank in re.finditer(" ", text):
        if _count_digits(text[: blank.start()]) * 2 == total:
            return [text[: blank.start()], text[blank.end() :]]
    return [text]


def _count_digits(text: str) -> int:
    return len(_DIGIT.findall(text))
