"""How the ways to reach a customer are read: telephones to E.164, e-mails to their normal form, all as written too."""

from __future__ import annotations

from collections.abc import Iterable

from contacts.cards import EMAIL, MESSENGER, PHONE, POSTAL, WEBSITE, Channel
from contacts.errors import invalid
from contacts.fields import LABEL, TEXT, read_text
from crm.contacts.v1 import contacts_pb2 as pb
from units.visibility import Unit
from values.emails import EmailProblem, EmailTrouble, normalize_email
from values.phones import Phone, PhoneTrouble, is_e164, normalize_phone

KINDS = {
    pb.CHANNEL_KIND_PHONE: PHONE,
    pb.CHANNEL_KIND_EMAIL: EMAIL,
    pb.CHANNEL_KIND_MESSENGER: MESSENGER,
    pb.CHANNEL_KIND_WEBSITE: WEBSITE,
    pb.CHANNEL_KIND_ADDRESS: POSTAL,
}
NUMBERS = {name: number for number, name in KINDS.items()}
EXTENSION = 20  # digits; the longest office extensions have seven


def read_channels(channels: Iterable[pb.Channel], unit: Unit, field: str) -> list[Channel]:
    """The channels of a request, each once, in order; what says nothing is left out. Errors: FieldInvalid."""
    read = [one for channel in channels if (one := _read_channel(channel, unit, field)) is not None]
    if len(read) < 2 or len({one.kind for one in read}) == len(read):  # nothing stands twice
        return read
    found: dict[tuple[str, str, str], Channel] = {}
    for one in read:
        found.setdefault(one.identity, one)
    return list(found.values())


def _read_channel(channel: pb.Channel, unit: Unit, field: str) -> Channel | None:
    kind = KINDS.get(channel.kind)
    if kind is None:
        raise invalid(field, f"{channel.kind} is not a kind of channel", "UNKNOWN")
    value = read_text(field, channel.value, TEXT)
    raw = read_text(field, channel.raw, TEXT) or value
    label = read_text(field, channel.label, LABEL)
    if kind == PHONE:
        return _read_phone(channel, value, raw, label, unit)
    if kind == EMAIL:
        return _read_email(value or raw, raw, label)
    return Channel(kind, value or raw, raw, label=label) if raw else None


def _read_phone(channel: pb.Channel, value: str, raw: str, label: str, unit: Unit) -> Channel | None:
    """A number that comes with its raw text was resolved by the caller's rules, which are the same as ours."""
    extension = "".join(filter(str.isdigit, channel.extension))[:EXTENSION] if channel.extension else ""
    if channel.raw and is_e164(value):
        return Channel(PHONE, value, raw, extension, label, channel.verified)
    found = normalize_phone(value or raw, unit.country_code or None, unit.area_code or None)
    if isinstance(found, Phone):
        return Channel(PHONE, found.e164, raw, found.extension or extension, label, found.verified)
    if found.reason is PhoneTrouble.EMPTY:
        return None
    unresolved = found.reason in (PhoneTrouble.AREA_CODE_UNKNOWN, PhoneTrouble.COUNTRY_UNKNOWN)
    return Channel(PHONE, "", raw, label=label, problem="area_code_unknown" if unresolved else "not_a_phone")


def _read_email(text: str, raw: str, label: str) -> Channel | None:
    found = normalize_email(text)
    if not isinstance(found, EmailProblem):
        return Channel(EMAIL, found.address, raw, label=label, verified=True)
    return None if found.reason is EmailTrouble.EMPTY else Channel(EMAIL, "", raw, label=label, problem="not_an_email")
