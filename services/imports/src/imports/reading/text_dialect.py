"""How a text table is written: what separates its fields, quotes them and ends its lines.

A `sep=` line decides. Else each candidate separator is tried on the first lines, and the one wins under which the lines
have the same number of fields and the fields look like values. csv.Sniffer and the libraries built like it answer with
letters and spaces on such files; the candidates here are only characters that people use.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass, replace

#: Lines that are enough to tell; the rest of a file changes nothing.
SAMPLE_LINES = 300
#: Separators in use, with what each is worth when two fit equally well.
_SEPARATORS = {
    ",": 1.0,
    ";": 1.0,
    "\t": 1.03,
    "|": 0.83,
    "^": 0.8,
    "~": 0.8,
    "¦": 0.8,
    "§": 0.8,
    "\x1f": 0.9,
    "*": 0.6,
    "#": 0.55,
    ":": 0.5,
    " ": 0.4,
}
#: Prose under its own commas and spaces stays below this; the least regular real table met has 0.35.
_LEAST_SCORE = 0.25
_SEP_LINE = re.compile(r'^"?sep=(.{1,3}?)"?\s*$', re.IGNORECASE)
_VALUE = re.compile(
    r"[-+]?[$€£¥₽]? ?\d[\d \u00a0\u202f.,'’]*(?:[eE][-+]?\d+)? ?[%$€£¥₽]?"  # numbers of every country
    r"|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T]\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[-+]\d\d:?\d\d)?)?"
    r"|\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:\s?[AaPp][Mm])?"
    r"|[\w.+-]+@[\w-]+\.[\w.-]+|https?://\S+|(?:true|false|yes|no|nan|null|n/a|[-*?])",
    re.IGNORECASE,
)
_FOREIGN_SEPARATOR = re.compile(r"[;\t|]|,(?=\S)")
_PUNCTUATION = re.compile(r"[+|~^#*&$%!:;,@§¦<>=\\/-]{1,3}$")
_ODD_ENDS = re.compile(r"[+|~^#*&$%!@§¦<>\\]{2,3}$")
#: Fields beginning and ending with ' are quoted by it only when " is not used and this share of text fields are.
_SINGLE_QUOTED = re.compile(r"'(?:[^']|'')*'")


@dataclass(frozen=True, slots=True)
class Dialect:
    """The written form of a text table; `line_end` is what precedes the line feed ("" usual, "&|" met in dumps)."""

    delimiter: str
    quote: str
    line_end: str
    line_break: str
    escape: str = ""
    sep_line: bool = False
    certain: bool = True


def detect_dialect(sample: str) -> Dialect:
    """Find the dialect of a text table from its beginning, which must be cut at a line end."""
    line_break = _line_break(sample)
    first = sample.split(line_break, 1)[0]
    told = _SEP_LINE.match(first)
    if told:
        rest = sample[len(first) + len(line_break) :]
        return Dialect(told.group(1), _quote_of(rest, told.group(1)), "", line_break, sep_line=True)
    line_end = _odd_line_end(sample, line_break)
    body = sample.replace(line_end + line_break, line_break) if line_end else sample
    ranked = sorted(
        ((_score(body, sep, quote), sep, quote) for sep in _SEPARATORS for quote in _quotes(body, sep)), reverse=True
    )
    best, separator, quote = ranked[0]
    if best < _LEAST_SCORE:
        return Dialect(",", '"', line_end, line_break, certain=False)
    rival = max((score for score, other, _ in ranked if other != separator), default=0.0)
    dialect = Dialect(_widen(body, separator), quote, line_end, line_break, certain=rival < best * 0.85)
    return replace(dialect, escape=_escape_of(body, dialect))


def _line_break(sample: str) -> str:
    """CRLF, LF or CR, whichever ends most lines; CR alone only where no LF follows."""
    pairs = sample.count("\r\n")
    feeds, returns = sample.count("\n") - pairs, sample.count("\r") - pairs
    if pairs >= max(feeds, returns) and pairs:
        return "\r\n"
    return "\r" if returns > feeds else "\n"


def _odd_line_end(sample: str, line_break: str) -> str:
    """Punctuation that stands before every line break, like "&|" in database dumps."""
    lines = [line for line in sample.split(line_break)[:SAMPLE_LINES] if line]
    found = _ODD_ENDS.search(lines[0]) if len(lines) > 1 else None
    if found is None or len(set(found.group())) == 1:
        return ""  # a run of one separator is empty fields
    return found.group() if all(line.endswith(found.group()) for line in lines) else ""


def _quotes(body: str, separator: str) -> tuple[str, ...]:
    return ('"', "'") if _quote_of(body, separator) == "'" else ('"',)


def _quote_of(body: str, separator: str) -> str:
    fields = [field.strip() for line in body.splitlines()[:SAMPLE_LINES] for field in line.split(separator)]
    double = sum(1 for field in fields if len(field) > 1 and field.startswith('"'))
    single = sum(1 for field in fields if len(field) > 1 and _SINGLE_QUOTED.fullmatch(field))
    return "'" if single > double and single > 1 else '"'


def parse_sample(body: str, separator: str, quote: str) -> list[list[str]]:
    """The first records of a sample under a dialect; a one-character separator only."""
    lines = body.splitlines(keepends=True)
    reader = csv.reader(lines, delimiter=separator, quotechar=quote, doublequote=True, skipinitialspace=False)
    records: list[list[str]] = []
    try:
        for record in reader:
            if record:
                records.append(record)
            if len(records) >= SAMPLE_LINES:
                break
    except csv.Error:
        return []
    return records


def _score(body: str, separator: str, quote: str) -> float:
    """How table-like the sample is under a separator: same width of lines times fields that look like values."""
    if separator not in body:
        return 0.0
    records = parse_sample(body, separator, quote)
    if not records:
        return 0.0
    widths = Counter(len(record) for record in records)
    wide = {width: count for width, count in widths.items() if width > 1}
    if not wide:
        return 0.0
    width, _ = max(wide.items(), key=lambda item: item[1] * (item[0] - 1) / item[0])
    alike = sum(count for other, count in widths.items() if other == width) / len(records)
    near = sum(count for other, count in widths.items() if other > 1 and other != width) / len(records)
    regular = alike + 0.4 * near
    return regular * (1 - 0.5 / width) * _cleanness(records, separator, quote) * _SEPARATORS[separator]


def _cleanness(records: list[list[str]], separator: str, quote: str) -> float:
    total = 0.0
    count = 0
    for record in records:
        for field in record:
            count += 1
            total += _field_worth(field.strip(), separator, quote)
    return total / max(1, count)


def _field_worth(field: str, separator: str, quote: str) -> float:
    if not field:
        return 0.75
    if field.count(quote) % 2 or "\n" in field.strip() and len(field) > 2000:
        return 0.1
    if len(field) < 64 and _VALUE.fullmatch(field):
        return 1.0
    foreign = _FOREIGN_SEPARATOR.search(field.replace(separator, ""))
    return 0.45 if foreign else 0.8


def _widen(body: str, separator: str) -> str:
    """A separator of several characters: the punctuation that stands at the same side of every occurrence."""
    lines = [line for line in body.splitlines()[:SAMPLE_LINES] if separator in line]
    befores = [_PUNCTUATION.search(part) for line in lines for part in line.split(separator)[:-1]]
    found = [match.group() for match in befores if match]
    if found and len(found) == len(befores):
        usual, times = Counter(found).most_common(1)[0]
        if times == len(befores) and usual != separator:
            return usual + separator
    return _doubled(lines, separator)


def _doubled(lines: list[str], separator: str) -> str:
    """`||` and `::`: every separator comes in pairs."""
    pair = separator * 2
    if separator in ",;\t " or not lines:
        return separator
    return pair if all(line.count(separator) == 2 * line.count(pair) for line in lines) else separator


def _escape_of(body: str, dialect: Dialect) -> str:
    r"""A backslash before a quote inside a quoted field (\") instead of a doubled quote."""
    escaped = body.count("\\" + dialect.quote)
    doubled = body.count(dialect.quote * 2) - body.count(dialect.delimiter + dialect.quote * 2 + dialect.delimiter)
    at_end = len(
        re.findall(r"\\" + re.escape(dialect.quote) + r"(?=" + re.escape(dialect.delimiter) + r"|\r|\n|$)", body)
    )
    return "\\" if escaped > doubled and escaped > at_end else ""
