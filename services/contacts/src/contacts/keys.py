"""By which identities a customer is known, as digests that are unique over the whole base.

Pure. A key says that two cards sharing it are one customer, unless rules.py finds a reason against it; the hints
`email` and `phone` only say that two cards may be. Digests make every key 16 bytes and keep names out of the index.
"""

from __future__ import annotations

from hashlib import blake2b

from contacts.cards import EMAIL, PHONE, OrganizationCard, PersonCard

EXT, TAX, NAME_BIRTH, NAME_EMAIL, NAME_PHONE, NAME_ORG, BARE, NAME = (
    "ext", "tax", "name_birth", "name_email", "name_phone", "name_org", "bare", "name",
)  # fmt: skip
HINTS = frozenset({EMAIL, PHONE})
WEAK = frozenset({NAME_ORG, BARE, NAME})  # two numbers of one source outweigh these


_BEGUN = blake2b(digest_size=16)
# One identity of a card: its kind, and a digest of record type, kind and values as a UUID's 32 digits. A plain tuple,
# since a batch makes thousands of them.
Key = tuple[str, str]


def digest_of(*parts: str) -> str:
    """A digest of texts; 128 bits, so that two different ones never meet. The unit separator keeps parts apart."""
    digest = _BEGUN.copy()  # half the time of beginning another one
    digest.update("\x1f".join(parts).encode())
    return digest.hexdigest()


def external_key(record_type: str, source: str, external_id: str) -> Key:
    """The number a source knows a card by."""
    return EXT, digest_of(record_type, EXT, source, external_id)


def tax_key(record_type: str, country: str, tax_id: str) -> Key:
    """The tax id, within the country that issued it."""
    return TAX, digest_of(record_type, TAX, country, tax_id)


def person_keys(card: PersonCard) -> list[Key]:
    """The identities of a person, strongest first, hints last; numbers of sources are not among them.

    A person of whom only a name is known, and at most what cannot be dialled, is the same as another such one of the
    same unit: nothing more could ever tell them apart, and a file read twice must not make two.
    """
    name = card.name_key
    emails = sorted({one.value.casefold() for one in card.channels if one.kind == EMAIL and one.value})
    phones = sorted({one.value + one.extension for one in card.channels if one.kind == PHONE and one.value})
    keys = [tax_key("person", card.tax_country, card.tax_id)] if card.tax_id else []
    if card.birth_date:
        keys.append((NAME_BIRTH, digest_of("person", NAME_BIRTH, name, card.birth_date.isoformat())))
    keys += [(NAME_EMAIL, digest_of("person", NAME_EMAIL, name, email)) for email in emails]
    keys += [(NAME_PHONE, digest_of("person", NAME_PHONE, name, phone)) for phone in phones]
    keys += [(NAME_ORG, digest_of("person", NAME_ORG, name, one.organization_id)) for one in card.affiliations]
    if not keys:
        written = sorted(one.raw.casefold() for one in card.channels)
        keys.append((BARE, digest_of("person", BARE, card.unit_id, name, *written)))
    keys += [(EMAIL, digest_of("person", EMAIL, email)) for email in emails]
    keys += [(PHONE, digest_of("person", PHONE, phone)) for phone in phones]
    return keys


def add_organization_keys(known: list[Key], card: PersonCard) -> list[Key]:
    """The identities of a person, `known` of the time before anything was said of an organization, with those as well.

    The same as `person_keys` of the whole card: what every file says anew is worked out before the base is asked.
    """
    strong = [key for key in known if key[0] not in HINTS and key[0] != BARE]
    hints = [key for key in known if key[0] in HINTS]
    name = card.name_key
    named = [(NAME_ORG, digest_of("person", NAME_ORG, name, one.organization_id)) for one in card.affiliations]
    return [*strong, *named, *hints]


def organization_keys(card: OrganizationCard) -> list[Key]:
    """The identities of an organization, strongest first; numbers of sources are not among them."""
    keys = [tax_key("organization", card.tax_country, card.tax_id)] if card.tax_id else []
    return [*keys, (NAME, digest_of("organization", NAME, card.name_key))] if card.display_name else keys
