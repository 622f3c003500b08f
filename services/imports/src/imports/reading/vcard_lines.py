"""The properties of a vCard file, one after another, as its exporter meant them.

Reads versions 2.1, 3.0 and 4.0 side by side, since files mix them: folded lines, soft breaks of quoted-printable, a
character set named per property, groups, types with and without their name. Pictures, sounds and keys are passed over
unread. A line that is no property is left out and counted; nothing here refuses a file for one bad line.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imports.reading.limits import Limits, UnreadableFile, UnreadableReason

_PROPERTY = re.compile(rb'\s*(?:[\w.-]+\.)?([A-Za-z][\w/-]*)((?:;(?:"[^"]*"|[^":;])*)*)\s*:(.*)', re.DOTALL)
_PARAMETER = re.compile(r';((?:"[^"]*"|[^";])*)')
_ENCODINGS = frozenset({"QUOTED-PRINTABLE", "BASE64", "B", "8BIT", "7BIT"})
#: Whose values are files, in whatever encoding they are written.
_BINARY = frozenset({"PHOTO", "LOGO", "SOUND", "KEY"})
_END = b"END:VCARD"
#: Text that is turned into UTF-8 as a whole before anything is looked for in it.
_WIDE = ("utf-16", "utf-32", "utf-8-sig")


@dataclass(frozen=True, slots=True)
class Property:
    """One property: `name` in capitals, types in lower case, its value's bytes, the character set it names or ""."""

    name: str
    types: frozenset[str]
    value: bytes
    charset: str = ""

    def text(self, encodings: Sequence[str]) -> str:
        """The value in its own character set, or in the first of the file's that fits."""
        for encoding in filter(None, (self.charset, *encodings)):
            try:
                return self.value.decode(encoding)
            except (LookupError, UnicodeDecodeError):
                continue
        return self.value.decode(encodings[0], errors="replace")


@dataclass(slots=True)
class _Held:
    """A property of which more lines may follow."""

    name: str
    quoted: bool
    parameters: bytes
    pieces: list[bytes]
    size: int = 0

    @property
    def goes_on(self) -> bool:
        """Whether its last line ends with a soft break."""
        return self.quoted and self.pieces[-1].endswith(b"=")

    def add(self, piece: bytes) -> None:
        if self.name not in _BINARY:
            self.pieces.append(piece)
            self.size += len(piece)


class PropertyReader:
    """The properties of one file, as often as they are asked for. Errors: UnreadableFile for one that does not end.

    After a pass `strange` is the number of lines that were no property, `first_strange` the first one's number.
    """

    def __init__(self, path: Path, encoding: str, limits: Limits) -> None:
        self._path, self._limits, self._wide = path, limits, encoding.startswith(_WIDE)
        self._read_as = encoding if self._wide else "latin-1"  # which keeps every byte
        self.encoding = "utf-8" if self._wide else encoding
        self.strange = self.first_strange = 0

    def __iter__(self) -> Iterator[Property]:
        self.strange = self.first_strange = 0
        held: _Held | None = None
        for number, line in enumerate(self._lines(), start=1):
            if held and held.goes_on and not line.upper().startswith(_END):
                held.add(b"\n" + line)
            elif held and line[:1] in (b" ", b"\t"):
                held.add(line[1:])
            elif found := _PROPERTY.match(line):
                yield from _finish(held)
                held = _hold(found)
            elif line.strip() and not (held and held.name in _BINARY):  # base64 may go on without being folded
                yield from _finish(held)
                held = None
                self._note_strange(number)
            if held and held.size > self._limits.line_characters:
                raise UnreadableFile(
                    UnreadableReason.LINE_TOO_LONG,
                    f"line {number}: {held.name} does not end",
                    "look for what is not text in the card near this line, or export the contacts once more",
                )
        yield from _finish(held)

    def _lines(self) -> Iterator[bytes]:
        with self._path.open(encoding=self._read_as, errors="replace") as file:
            for line in file:
                yield line.removesuffix("\n").encode(self.encoding if self._wide else self._read_as)

    def _note_strange(self, number: int) -> None:
        self.strange += 1
        self.first_strange = self.first_strange or number


def _hold(found: re.Match[bytes]) -> _Held:
    quoted = b"QUOTED-PRINTABLE" in found[2].upper()
    return _Held(found[1].decode("ascii").upper(), quoted, found[2], [found[3]], len(found[3]))


def _finish(held: _Held | None) -> Iterator[Property]:
    if held is not None and held.name not in _BINARY:
        types, charset = _read_parameters(held.parameters.decode("latin-1"))
        value = b"".join(held.pieces)
        yield Property(held.name, types, quopri.decodestring(value) if held.quoted else value, charset)


def _read_parameters(text: str) -> tuple[frozenset[str], str]:
    """Types and character set of `;TYPE=home,pref`, `;type="voice,home"`, `;HOME;PREF`, `;PREF=1`, `;CHARSET=x`."""
    types: set[str] = set()
    charset = ""
    for each in _PARAMETER.findall(text):
        name, named, value = (part.strip().strip('"') for part in each.partition("="))
        if not named and name.upper() not in _ENCODINGS:
            types.add(name.lower())
        elif name.upper() == "CHARSET":
            charset = value
        elif name.upper() == "TYPE":
            types |= {one.strip().lower() for one in value.split(",")}
        elif name.upper() == "PREF" and value == "1":
            types.add("pref")
    return frozenset(types - {""}), charset
