"""What address a written e-mail means, and by which key two spellings are the same mailbox.

No look-up: whether the domain takes mail is not asked here. The local part stays as written, since only its host may
say that case does not matter; the key folds it, since no host of our customers tells them apart.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.parse import unquote

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, ValidatedEmail, validate_email

from values.characters import is_blank_value

__all__ = ["Email", "EmailProblem", "EmailTrouble", "normalize_email", "split_emails"]

# Intranets write user@office.local and trainings user@office.test: such a mailbox is no slip of the pen. Taking names
# off the list is the library's documented way to allow them.
SPECIAL_USE_DOMAIN_NAMES[:] = [name for name in SPECIAL_USE_DOMAIN_NAMES if name not in {"local", "test"}]

# A re-import meets every address again: 32 Ki answers are about 15 MB.
_REMEMBERED = 32768


class EmailTrouble(StrEnum):
    """Why a text gives no address; the value is the sentence part shown to people."""

    EMPTY = "empty"
    NOT_AN_EMAIL = "not an e-mail address"
    TOO_LONG = "too long"
    SEVERAL = "several addresses"


@dataclass(frozen=True, slots=True)
class Email:
    """A mailbox. `key` is for comparison only: local part case-folded, domain in ASCII (IDNA 2008)."""

    address: str
    key: str
    display_name: str | None
    raw: str


@dataclass(frozen=True, slots=True)
class EmailProblem:
    """A text that gives no address, why, and what exactly is wrong with it in English."""

    reason: EmailTrouble
    raw: str
    detail: str


# Blanks that may stand around an address. A stray line break is not one of them: split_emails takes lines apart.
_BLANKS = " \t\u00a0\u200b\ufeff"
_NAMED = re.compile(r"([^<>]*)<([^<>]+)>")
_MAILTO = re.compile(r"mailto:([^?]*)(?:\?.*)?", re.IGNORECASE)
_FULL_WIDTH = re.compile(r"[\uff00-\uffef]")
# A dot-atom of RFC 5321 section 4.1.2 in ASCII, the local part of almost every address.
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
# Nearly every address is written as it is: nothing around it, nothing to take apart.
_PLAIN_ADDRESS = re.compile(rf"({_PLAIN_LOCAL.pattern})@([A-Za-z0-9.-]+)").fullmatch
_LONGEST_LOCAL = 64  # RFC 5321 section 4.5.3.1.1
_LONGEST_ADDRESS = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
# A longer cell is a text, not a list of addresses, and is not searched: the patterns here take quadratic time.
_LONGEST_CELL = 4000
# A top level never ends in a digit, unless it is an internationalized one in ASCII form. Without a dot only a
# country's top level can take mail (ICANN forbids the others, SAC 053): "a@io" may be a mailbox, "a@mail" is a slip.
_TOP_LEVEL = re.compile(r".+\.(?:xn--[a-z0-9-]+|[a-z0-9-]*[a-z])|[a-z]{2}", re.IGNORECASE)
_PIECE = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|<[^<>]*>|[^;,\r\n|，；、"<]|["<])+""")
_BETWEEN_ADDRESSES = re.compile(r"[\s/]+(?=[^\s/@]+@)")


def normalize_email(raw: str) -> Email | EmailProblem:
    """Read one address: "a@b.com", "Name <a@b.com>" or "mailto:a@b.com".

    The domain is lower-cased and shown in its own script; .local and .test are accepted, .invalid and localhost not.
    Source: RFC 5321 and 6531 by email-validator; RFC 5322's comments, address literals and folded blanks are refused.
    """
    if (plain := _PLAIN_ADDRESS(raw)) and len(plain[1]) <= _LONGEST_LOCAL and len(raw) <= _LONGEST_ADDRESS:
        local, domains = plain[1], _read_domain(plain[2])
        if not isinstance(domains, str):
            return Email(f"{local}@{domains[0]}", f"{local.casefold()}@{domains[1]}", None, raw)
    name, written = _take_apart(raw)
    if is_blank_value(written):
        return EmailProblem(EmailTrouble.EMPTY, raw, "There is no address.")
    found = _read_address(written)
    if isinstance(found, str):
        return _tell_trouble(raw, written, found)
    return Email(*found, name, raw)


def split_emails(raw: str) -> list[str]:
    """List the addresses of a cell as written and in order, each with its display name; [] for an empty cell.

    What is no address stays a piece of its own, so that nothing of the cell is lost in silence. A cell of more than
    4,000 characters is not taken apart.
    """
    if len(raw) > _LONGEST_CELL:
        return [raw.strip(_BLANKS)]
    if _PLAIN_ADDRESS(raw) and "/" not in raw:
        return [raw]
    pieces: list[str] = []
    waiting = ""
    for piece in _PIECE.findall(raw):
        if "@" in piece:
            named = "<" in piece
            pieces += [f"{waiting}, {piece.strip()}"] if waiting and named else [waiting, piece]
            waiting = ""
        else:
            waiting = f"{waiting}, {piece.strip()}" if waiting and piece.strip() else waiting or piece.strip()
    pieces.append(waiting)
    parted = (part for piece in pieces for part in ([piece] if "<" in piece else _BETWEEN_ADDRESSES.split(piece)))
    return [part.strip(_BLANKS) for part in parted if not is_blank_value(part)]


def _take_apart(raw: str) -> tuple[str | None, str]:
    """Part a display name from the address."""
    text = raw.strip(_BLANKS)
    if _FULL_WIDTH.search(text):
        text = unicodedata.normalize("NFKC", text)
    name = None
    if named := _NAMED.fullmatch(text):
        name = named[1].strip(_BLANKS + "\"'") or None
        text = named[2].strip(_BLANKS)
    if mailto := _MAILTO.fullmatch(text):
        text = unquote(mailto[1])
    return name, text


def _tell_trouble(raw: str, written: str, detail: str) -> EmailProblem:
    if len(written) > _LONGEST_ADDRESS:
        return EmailProblem(EmailTrouble.TOO_LONG, raw, detail)
    if len(split_emails(written)) > 1:
        return EmailProblem(EmailTrouble.SEVERAL, raw, "Several addresses stand in one value.")
    return EmailProblem(EmailTrouble.NOT_AN_EMAIL, raw, detail)


@lru_cache(maxsize=_REMEMBERED)
def _read_address(written: str) -> tuple[str, str] | str:
    """Give (address, key), or the sentence that says what is wrong."""
    if len(written) > _LONGEST_ADDRESS:
        return f"An address has at most {_LONGEST_ADDRESS} characters."
    local, _, domain = written.rpartition("@")
    if len(local) <= _LONGEST_LOCAL and _PLAIN_LOCAL.fullmatch(local):
        found = _read_domain(domain)
        return found if isinstance(found, str) else (f"{local}@{found[0]}", f"{local.casefold()}@{found[1]}")
    if local.startswith('"') and not local.isascii():
        return "A quoted local part may hold ASCII characters only."
    read = _validate(written)
    if isinstance(read, str):
        return read
    domains = _read_domain(domain)
    return domains if isinstance(domains, str) else (read.normalized, f"{read.local_part.casefold()}@{domains[1]}")


@lru_cache(maxsize=_REMEMBERED)
def _read_domain(domain: str) -> tuple[str, str] | str:
    """Give the domain as shown and in ASCII, or the sentence that says what is wrong; asked once per domain."""
    read = _validate(f"a@{domain}")
    if isinstance(read, str):
        return read
    if not _TOP_LEVEL.fullmatch(read.ascii_domain):
        return "The domain does not end in a top-level domain."
    return read.domain, read.ascii_domain


def _validate(address: str) -> ValidatedEmail | str:
    try:
        return validate_email(
            address, allow_quoted_local=True, check_deliverability=False, globally_deliverable=False, strict=True
        )
    except EmailNotValidError as refusal:
        return str(refusal)
