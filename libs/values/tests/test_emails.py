"""Which e-mail texts are addresses: all of isemail's cases, the forms people write, several in one cell."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from values.emails import Email, EmailProblem, EmailTrouble, normalize_email, split_emails

DataSet = Callable[[str], Path]
# The data shows control character n as U+2400 + n (SOURCE.md of the set).
CONTROLS = {0x2400 + code: code for code in [*range(0x21), 0x7F]}

# The fate of what is legal by some RFC and still odd: quoted local parts and blanks around are accepted, all other
# oddities (address literals, comments, folded blanks, over-long labels, dot-less domains) are refused.
ACCEPTED_ODDITIES = {42, 45, 46, 48, 55, 59, 60, 157, 158}


def read_email(raw: str) -> Email:
    found = normalize_email(raw)
    assert isinstance(found, Email), found
    return found


def read_trouble(raw: str) -> EmailTrouble:
    found = normalize_email(raw)
    assert isinstance(found, EmailProblem), found
    assert found.detail
    return found.reason


def test_every_isemail_case_has_its_fate(shared_data: DataSet) -> None:
    accepted: dict[str, set[int]] = defaultdict(set)
    refused: dict[str, set[int]] = defaultdict(set)
    for case in ElementTree.parse(shared_data("emails-isemail") / "tests.xml").getroot().iter("test"):
        address = (case.findtext("address") or "").translate(CONTROLS)
        fates = accepted if isinstance(normalize_email(address), Email) else refused
        fates[case.findtext("category") or ""].add(int(case.attrib["id"]))
    assert len(refused["ISEMAIL_ERR"]) == 66
    assert not accepted["ISEMAIL_ERR"]
    assert len(accepted["ISEMAIL_VALID_CATEGORY"] | accepted["ISEMAIL_DNSWARN"]) == 22
    assert not refused["ISEMAIL_VALID_CATEGORY"] | refused["ISEMAIL_DNSWARN"]
    odd = ("ISEMAIL_RFC5321", "ISEMAIL_RFC5322", "ISEMAIL_CFWS", "ISEMAIL_DEPREC")
    assert set().union(*(accepted[category] for category in odd)) == ACCEPTED_ODDITIES
    assert sum(len(refused[category]) for category in odd) == 76 - len(ACCEPTED_ODDITIES)


@pytest.mark.parametrize(
    ("raw", "address", "name"),
    [
        ("Ivan.Petrov@Mail.RU", "Ivan.Petrov@mail.ru", None),
        (" a@b.com\u00a0", "a@b.com", None),
        ("mailto:a@b.com?subject=hello", "a@b.com", None),
        ("Иван Петров <ivan@mail.ru>", "ivan@mail.ru", "Иван Петров"),
        ('"Петров, Иван" <ivan@mail.ru>', "ivan@mail.ru", "Петров, Иван"),
        ("<ivan@mail.ru>", "ivan@mail.ru", None),
        ("ａ＠ｂ.com", "a@b.com", None),
        ("a@xn--e1afmkfd.xn--p1ai", "a@пример.рф", None),
        ("иван@пример.рф", "иван@пример.рф", None),
        ("x@office.local", "x@office.local", None),
    ],
)
def test_the_forms_people_write_give_the_address(raw: str, address: str, name: str | None) -> None:
    email = read_email(raw)
    assert (email.address, email.display_name, email.raw) == (address, name, raw)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ivan@Mail.RU", "ivan@mail.ru"),
        ("a@ПРИМЕР.рф", "a@xn--e1afmkfd.xn--p1ai"),
        ('"test"@iana.org', "test@iana.org"),
        ("I. <I@b.com>", "mailto:i@B.com"),
    ],
)
def test_two_spellings_of_a_mailbox_have_one_key(one: str, other: str) -> None:
    assert read_email(one).key == read_email(other).key


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", EmailTrouble.EMPTY),
        ("n/a", EmailTrouble.EMPTY),
        ("ivan@mail", EmailTrouble.NOT_AN_EMAIL),
        ("ivan.mail.ru", EmailTrouble.NOT_AN_EMAIL),
        ("a@localhost", EmailTrouble.NOT_AN_EMAIL),
        ("a@b.com; c@d.com", EmailTrouble.SEVERAL),
        ("a" * 300 + "@b.com", EmailTrouble.TOO_LONG),
        ("a" * 65 + "@b.com", EmailTrouble.NOT_AN_EMAIL),
    ],
)
def test_a_refusal_says_why(raw: str, reason: EmailTrouble) -> None:
    assert read_trouble(raw) is reason


@pytest.mark.parametrize(
    ("cell", "addresses"),
    [
        ("a@b.ru; c@d.ru", ["a@b.ru", "c@d.ru"]),
        ("a@b.ru c@d.ru", ["a@b.ru", "c@d.ru"]),
        ("a@b.ru / c@d.ru", ["a@b.ru", "c@d.ru"]),
        ("a@b.ru\r\nc@d.ru", ["a@b.ru", "c@d.ru"]),
        ("Иванов, Иван <a@b.ru>, c@d.ru", ["Иванов, Иван <a@b.ru>", "c@d.ru"]),
        ('"x; y" <a@b.com>; c@d.com', ['"x; y" <a@b.com>', "c@d.com"]),
        ("Петров; a@b.ru", ["Петров", "a@b.ru"]),
        ("-", []),
    ],
)
def test_a_cell_gives_all_its_addresses(cell: str, addresses: list[str]) -> None:
    assert split_emails(cell) == addresses


@settings(max_examples=300, deadline=None)
@given(st.emails())
def test_normalizing_a_normal_address_changes_nothing(raw: str) -> None:
    once = normalize_email(raw)
    if isinstance(once, Email):
        again = read_email(once.address)
        assert (again.address, again.key) == (once.address, once.key)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.characters() | st.sampled_from('@.<>" ,;'), max_size=40))
def test_any_text_gets_an_answer_that_keeps_it(raw: str) -> None:
    assert normalize_email(raw).raw == raw
    assert isinstance(split_emails(raw), list)


@pytest.mark.parametrize(
    "address", ["Anna.Belova@Mail.Example.com", "a+b@x.de", "a@localhost", "a@b", "a@-b.com", "x" * 65 + "@b.com"]
)
def test_a_plain_address_is_read_as_the_same_one_with_blanks_around_it(address: str) -> None:
    plain, blank = normalize_email(address), normalize_email(f" {address} ")
    assert type(plain) is type(blank)
    assert replace(plain, raw="") == replace(blank, raw="")
    assert split_emails(address) == split_emails(f" {address} ")
