"""In which encoding a text file is written: by mark, by strictness, by the plausibility of what it would say.

Order: byte order mark, the zero pattern of UTF-16 and UTF-32, strict UTF-8 over the whole file, and for the rest a
ranking of the code pages by what the text would look like, with chardet's language models as the tie break.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import chardet

#: Non-ASCII text of this length decides a code page; more costs time and changes nothing.
SAMPLE_BYTES = 65_536
#: The look of the words settles long before the language does, and costs far more per byte.
_RANKED_BYTES = 6_000
_CHUNK_BYTES = 1024 * 1024
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: In order of preference between equals: the first that fits wins.
_SINGLE_BYTE = (
    "cp1252",
    "cp1251",
    "cp1250",
    "cp1253",
    "cp1254",
    "cp1256",
    "cp1255",
    "cp1257",
    "cp874",
    "koi8-r",
    "cp866",
)
#: Lead bytes of the characters in everyday use (level 1 of each standard); the rest is rare.
_EVERYDAY_LEADS = {
    "cp932": (0x82, 0x97),
    "euc-jp": (0xA4, 0xCF),
    "gb18030": (0xB0, 0xD7),
    "big5": (0xA4, 0xC6),
    "cp949": (0xB0, 0xC8),
}
#: UTF-8 with this share of broken sequences is still UTF-8 with damaged places; above it, it is something else.
_BROKEN_UTF8_SHARE = 0.1
_LEAD = re.compile(rb"[\xc2-\xf4]")
_WORD = re.compile(rb"[^\x00-\x40\x5b-\x60\x7b-\x7f]*[\x80-\xff][^\x00-\x1f,;\t|\"]*")
_ALIASES = {"cp1125": "cp866", "koi8-u": "koi8-r", "maccyrillic": "mac-cyrillic", "windows-1252": "cp1252"}


@dataclass(frozen=True, slots=True)
class EncodingFacts:
    """The encoding found. `certain` is False where another reading is possible and the user should look at the
    preview.
    """

    encoding: str
    certain: bool
    how: str


def detect_encoding(path: Path) -> EncodingFacts:
    """Find the encoding of a text file; reads it once to its end, in constant memory."""
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return EncodingFacts(encoding, True, "byte order mark")
    wide = detect_wide(head)
    if wide:
        return EncodingFacts(wide, True, "pattern of zero bytes")
    good, broken, sample = _try_utf8(path)
    if broken == 0:
        return EncodingFacts("utf-8", True, "plain ASCII" if good == 0 else "valid UTF-8")
    if broken < good * _BROKEN_UTF8_SHARE:
        return EncodingFacts("utf-8", False, f"UTF-8 with {broken} damaged places")
    return rank_code_pages(sample)


def detect_wide(head: bytes) -> str | None:
    """UTF-16 and UTF-32 without a mark: separators, digits and line ends leave zeros in one place of each unit."""
    body = head[: len(head) // 4 * 4]
    zeros = body.count(0)
    if len(body) < 4 or zeros < len(body) // 50 + 1:
        return None
    columns = [body[place::4].count(0) for place in range(4)]
    quarter = len(body) // 4
    if columns[0] >= quarter * 0.9 and columns[1] >= quarter * 0.9 and columns[3] < quarter * 0.5:
        return _if_it_decodes(body, "utf-32-be")
    if columns[3] >= quarter * 0.9 and columns[2] >= quarter * 0.9 and columns[0] < quarter * 0.5:
        return _if_it_decodes(body, "utf-32-le")
    even, odd = columns[0] + columns[2], columns[1] + columns[3]
    if odd > 4 * even:
        return _if_it_decodes(body[:-2], "utf-16-le")
    if even > 4 * odd:
        return _if_it_decodes(body[:-2], "utf-16-be")
    return None


def _if_it_decodes(body: bytes, encoding: str) -> str | None:
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        try:
            text = body[:-2].decode(encoding)  # a surrogate pair cut by the sample's end
        except UnicodeDecodeError:
            return None
    odd = sum(1 for character in text if character == "\x00" or unicodedata.category(character) in ("Cn", "Co", "Cs"))
    return encoding if odd * 20 <= len(text) else None


def _try_utf8(path: Path) -> tuple[int, int, bytes]:
    """Count valid and broken multi-byte sequences over the whole file, and keep a sample of the words that hold
    them.
    """
    good = broken = 0
    sample = bytearray()
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            if not rest and chunk.isascii():
                continue
            chunk = rest + chunk
            cut = _cut_before_open_sequence(chunk)
            chunk, rest = chunk[:cut], chunk[cut:]
            text = chunk.decode("utf-8", "replace")
            wrong = text.count("�") - chunk.count(b"\xef\xbf\xbd")
            broken += wrong
            good += len(_LEAD.findall(chunk))
            if wrong and len(sample) < SAMPLE_BYTES:
                sample += b"\n".join(_WORD.findall(chunk))[: SAMPLE_BYTES - len(sample)]
    return max(0, good - broken), broken + (1 if rest else 0), bytes(sample or rest)


def _cut_before_open_sequence(chunk: bytes) -> int:
    """Where to cut so that a sequence begun in the last three bytes goes with the next chunk."""
    for back in range(1, min(4, len(chunk) + 1)):
        lead = chunk[-back]
        if lead >= 0xC0:
            length = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
            return len(chunk) - back if length > back else len(chunk)
        if lead < 0x80:
            break
    return len(chunk)


def rank_code_pages(sample: bytes) -> EncodingFacts:
    """The code page in which bytes that are no UTF-8 read best."""
    language = _language_scores(sample)
    sample = sample[:_RANKED_BYTES]
    candidates = dict.fromkeys((*_SINGLE_BYTE, *_EVERYDAY_LEADS, *language))
    scores = {name: _plausibility(sample, name) + 2 * language.get(name, 0.0) for name in candidates}
    best = max(scores, key=lambda name: scores[name])
    read = _decode(sample, best)
    best = next(name for name in candidates if name == best or _decode(sample, name) == read)
    second = max((score for name, score in scores.items() if _decode(sample, name) != read), default=0.0)
    return EncodingFacts(best, scores[best] - second > 0.15, "the most plausible reading")


def _language_scores(sample: bytes) -> dict[str, float]:
    """chardet's candidates under Python's names, its best one scaled to 1."""
    found = chardet.detect_all(sample[:16_384], ignore_threshold=True)
    weights: dict[str, float] = {}
    for answer in found:
        name = _python_name(str(answer["encoding"] or ""))
        if name and name not in ("utf-8", "ascii"):
            weights[name] = max(weights.get(name, 0.0), float(answer["confidence"] or 0.0))
    top = max(weights.values(), default=1.0) or 1.0
    return {name: weight / top * 0.25 for name, weight in weights.items()}


@lru_cache(maxsize=64)
def _python_name(name: str) -> str:
    name = _ALIASES.get(name.lower(), name.lower())
    try:
        found = codecs.lookup(name).name
    except LookupError:
        return ""
    everyday = {
        "iso8859-1": "cp1252",
        "shift_jis": "cp932",
        "euc_jp": "euc-jp",
        "euc_kr": "cp949",
        "gb2312": "gb18030",
        "gbk": "gb18030",
    }
    return everyday.get(found, found)


def _decode(sample: bytes, encoding: str) -> str:
    return sample.decode(encoding, "replace")


def _plausibility(sample: bytes, encoding: str) -> float:
    """How much like writing the sample reads in an encoding: 1 at best, below 0 for nonsense."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError as error:
        if len(sample) - error.start > 4 or error.start == 0:
            return -10.0
        text = sample.decode(encoding, "ignore")
    if encoding in _EVERYDAY_LEADS:
        return _plausibility_of_wide(sample, text, *_EVERYDAY_LEADS[encoding])
    foreign = [place for place, character in enumerate(text) if character > "\x7f"]
    return sum(_fit(text, place) for place in foreign) / max(1, len(foreign))


def _plausibility_of_wide(sample: bytes, text: str, first: int, last: int) -> float:
    """East Asian code pages: the share of characters in everyday use; half-width kana and strays speak against."""
    pairs = [character for character in text if character > "\x7f"]
    half_width = sum(1 for character in pairs if "｡" <= character <= "ﾟ" or "\ue000" <= character <= "\uf8ff")
    leads = sum(1 for place, byte in enumerate(sample[:-1]) if first <= byte <= last and sample[place + 1] >= 0x40)
    latin = sum(
        1 for a, b in zip(text, text[1:], strict=False) if (a > "\x7f") != (b > "\x7f") and a.isalpha() and b.isalpha()
    )
    everyday = min(1.0, leads / max(1, len(pairs)))
    return (
        everyday
        - 2.5 * half_width / max(1, len(pairs))
        - latin / max(1, len(pairs))
        + (0.1 if len(pairs) > 1 else -0.5)
    )


def _fit(text: str, place: int) -> float:
    """How well one non-ASCII character stands among its neighbours."""
    character = text[place]
    before = text[place - 1] if place else " "
    after = text[place + 1] if place + 1 < len(text) else " "
    if not character.isalpha():
        return _fit_of_sign(character, before, after)
    if before.isalpha() and before.islower() and character.isupper():
        return -1.0
    script = _script(character)
    neighbours = [_script(near) for near in (before, after) if near.isalpha()]
    if any(near != script for near in neighbours):
        return -1.0
    foreign_neighbours = sum(1 for near in (before, after) if near.isalpha() and near > "\x7f")
    # Accented Latin letters stand alone among plain ones; runs of them are another script misread.
    if script == "LATIN":
        if character in "þðÞÐýÝ":
            return 0.2  # Icelandic; where they abound it is Turkish or Romanian misread
        return 0.9 if foreign_neighbours == 0 and neighbours else 0.3 if foreign_neighbours == 0 else -0.6
    return 1.0 if neighbours else 0.2


def _fit_of_sign(character: str, before: str, after: str) -> float:
    category = unicodedata.category(character)
    if category in ("Cc", "Cn", "Co", "Cs"):
        return -3.0
    if category == "Mn":
        return 0.6 if before.isalpha() else -1.0
    if character in "£€¥" and (after.isdigit() or before.isdigit() or after == " "):
        return 1.2
    if character in "£€°§©®«»–—“”‘’…·№±²³½¼™¿¡\xa0":
        return -0.5 if before.isalpha() and after.isalpha() and character not in "’·\xa0–" else 0.6
    return -1.0 if before.isalpha() or after.isalpha() else -0.2


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    return unicodedata.name(character, "?").split(" ")[0]
