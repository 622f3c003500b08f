"""The fast library of numbering plans says what the reference says."""

import random

import phonenumbers as reference
import pytest

fast = pytest.importorskip("rphonenumbers")  # skip-ok: only where the processor has no wheel of it

KNOWN_DIFFERENCES = 0.002  # of mutated numbers: the two carry plans of different age (BW, GH, SH …)


def answers(library: object, text: str, region: str) -> tuple[object, ...]:
    try:
        number = library.parse(text, region)  # type: ignore[attr-defined]
    except Exception as refused:  # noqa: BLE001  (each library has its own class)
        return ("refused", type(refused).__name__)
    e164 = library.PhoneNumberFormat.E164  # type: ignore[attr-defined]
    return (library.is_valid_number(number), library.format_number(number, e164), number.extension)  # type: ignore[attr-defined]


def test_both_read_mutated_numbers_of_every_region_alike() -> None:
    chance = random.Random(20261121)
    texts = []
    for region in sorted(reference.SUPPORTED_REGIONS):
        example = reference.example_number(region)
        if example is None:
            continue
        for form in (reference.PhoneNumberFormat.NATIONAL, reference.PhoneNumberFormat.INTERNATIONAL):
            text = reference.format_number(example, form)
            for _ in range(8):
                place = chance.randrange(len(text))
                texts.append((text[:place] + chance.choice("0123456789 -()") + text[place + 1 :], region))
    differing = [
        (text, region) for text, region in texts if answers(reference, text, region) != answers(fast, text, region)
    ]
    assert len(texts) > 3_000
    assert len(differing) <= KNOWN_DIFFERENCES * len(texts), differing[:20]
