"""Address books of every exporter of the sets become rows; what is broken, folded or hidden in them costs no card."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from imports.reading import FileFormat, Limits, UnreadableFile, UnreadableReason, inspect_file, read_rows

SETS = ("vcard-ezvcard", "vcard-ical4j", "vcard-kcontacts")
TELEPHONES = {"Mobile phone", "Work phone", "Home phone", "Phone", "Fax", "Pager"}
#: The same number four times, under four types.
REPEATED = {"4b62872a-849-0.vcf": (1, 1, 1)}

SaveText = Callable[..., Path]


def read(path: Path) -> list[dict[str, str]]:
    """The cards by column."""
    rows = read_rows(path)
    names = [column.name for column in rows.columns]
    return [{name: cell.text for name, cell in zip(names, row.cells, strict=True) if cell.text} for row in rows]


def read_text(save_text: SaveText, text: str | bytes, encoding: str = "utf-8") -> list[dict[str, str]]:
    return read(save_text(text, "cards.vcf", encoding))


def count(cards: list[dict[str, str]], columns: set[str]) -> int:
    return sum(len(card[name].split("; ")) for card in cards for name in columns & card.keys())


@pytest.mark.parametrize("name", SETS)
def test_every_card_telephone_and_address_of_every_exporter_is_read(
    name: str, shared_data: Callable[[str], Path]
) -> None:
    folder = shared_data(name)
    wanted = {
        file: REPEATED.get(file, (facts["cards"], facts["TEL"], facts["EMAIL"]))
        for file, facts in json.loads((folder / "stats.json").read_text()).items()
        if file.endswith(".vcf")
    }
    cards = {file: read(folder / file) for file in wanted}
    found = {file: (len(one), count(one, TELEPHONES), count(one, {"E-mail"})) for file, one in cards.items()}
    assert len(wanted) >= 18
    assert found == wanted


def test_address_books_of_a_mail_program_are_read_in_their_encodings(shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("contacts-csv-exports") / "roundcube"
    [wide] = read(folder / "utf-16_sample.vcf")
    assert (wide["Given name"], wide["Street"], wide["Country"]) == ("Ǽgean", "169 Mária Canal", "Perú")
    [quoted] = read(folder / "thebat.vcf")
    assert (quoted["Given name"], quoted["E-mail"]) == ("Piotr", "piotr.iksinski@somedomain.com")
    assert len(read(folder / "email.vcf")) == 4


def test_a_card_has_its_parts_in_columns_that_the_mapping_knows(save_text: SaveText) -> None:
    [card] = read_text(
        save_text,
        """BEGIN:VCARD
VERSION:4.0
N:Vetrova;Anna;Maria,Ilinichna;Dr.;
FN:Dr. Anna Vetrova
ORG:Parabola\\, Ltd;Purchasing;Oak
TEL;TYPE=work;VALUE=uri:tel:+7-495-123-45-67;ext=102
TEL;TYPE="cell,text";PREF=1:+7 916 765-43-21
TEL;TYPE=home,fax:+7 495 765-43-22
EMAIL;TYPE=home:anna@example.org
item1.EMAIL;type=INTERNET;type=pref:vetrova@example.com
ADR;TYPE=work:;Floor 3;Lesnaya 5;Moscow;;125047;Russia
ADR;TYPE=home:;;Sadovaya 1;Tula;;;
BDAY:19850719
NOTE:Two lines\\nand a comma\\, of an out
 look
END:VCARD
""".replace("\\\\", "\\"),
    )
    assert card == {
        "Family name": "Vetrova", "Given name": "Anna", "Middle name": "Maria Ilinichna", "Honorific prefix": "Dr.",
        "Organization": "Parabola, Ltd", "Department": "Purchasing, Oak",
        "Work phone": "+7-495-123-45-67 ext. 102", "Mobile phone": "+7 916 765-43-21", "Fax": "+7 495 765-43-22",
        "E-mail": "vetrova@example.com; anna@example.org",
        "Address line 2": "Floor 3", "Street": "Lesnaya 5", "City": "Moscow", "Postal code": "125047",
        "Country": "Russia", "Other address": "Sadovaya 1, Tula", "Birth date": "1985-07-19",
        "Note": "Two lines\nand a comma, of an outlook",
    }  # fmt: skip


def test_quoted_printable_goes_over_lines_and_names_its_encoding(save_text: SaveText) -> None:
    lines = (
        b"begin:vcard", b"version:2.1", b"n;charset=koi8-r;quoted-printable:=F7=C5=D4=D2=CF=D7=C1;=E1=CE=CE=C1",
        b"NOTE;CHARSET=UTF-8;QUOTED-PRINTABLE:=D0=\r\n=9E=D0=BA=0D=0Awood=", b"end:vcard",
    )  # fmt: skip
    [card] = read_text(save_text, b"\r\n".join(lines))
    assert card == {"Family name": "Ветрова", "Given name": "Анна", "Note": "Ок\nwood"}


def test_what_quoted_printable_hides_without_naming_it_is_told(save_text: SaveText) -> None:
    name = "Ветрова;Анна Ильинична".encode("cp1251")
    quoted = b"".join(b"=%02X" % code for code in name.replace(b";", b"\0")).replace(b"=00", b";")
    path = save_text(b"BEGIN:VCARD\nN;ENCODING=QUOTED-PRINTABLE:" + quoted + b"\nEND:VCARD\n", "cards.vcf")
    [card] = read(path)
    assert card == {"Family name": "Ветрова", "Given name": "Анна Ильинична"}
    told = inspect_file(path, "cards.vcf").findings
    assert "cp1251" in next(one.message for one in told if one.code == "encoding_guessed")


@pytest.mark.parametrize(
    "company",
    ["FN:Parabola\nORG:Parabola", "KIND:org\nFN:Parabola", "ORG:Parabola", "FN:PARABOLA\nN:;;;;\nORG:Parabola"],
)
def test_a_card_of_a_company_has_no_persons_name(company: str, save_text: SaveText) -> None:
    cards = read_text(save_text, f"BEGIN:VCARD\n{company}\nTEL:5\nEND:VCARD\n")
    assert cards == [{"Organization": "Parabola", "Phone": "5"}]


def test_lists_devices_and_cards_in_cards_are_no_customers(save_text: SaveText) -> None:
    cards = read_text(
        save_text,
        "BEGIN:VCARD\nKIND:group\nFN:Friends\nMEMBER:urn:uuid:1\nEND:VCARD\n"
        "BEGIN:VCARD\nFN:Anna\nAGENT:\nBEGIN:VCARD\nFN:Secretary\nEND:VCARD\nTEL:5\nEND:VCARD\n",
    )
    assert cards == [{"Full name": "Anna", "Phone": "5"}]


def test_a_lost_end_bad_lines_and_pictures_cost_no_card(save_text: SaveText) -> None:
    path = save_text(
        "BEGIN:VCARD\nFN:One\nBEGIN:VCARD\nthis is no property\nFN:Two\n"
        "PHOTO;ENCODING=b:AAAA\n BBBB\nCCCC=\n\nTEL:7\nEND:VCARD",
        "cards.vcf",
    )
    assert read(path) == [{"Full name": "One"}, {"Full name": "Two", "Phone": "7"}]
    [told] = [one for one in inspect_file(path, "cards.vcf").findings if "line 4" in one.way_out]
    assert told.severity == "warning"


def test_a_file_is_known_by_its_content(save_text: SaveText) -> None:
    text = "BEGIN:VCARD\r\nFN:Anna\r\nEND:VCARD\r\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-be"):
        book = inspect_file(save_text(text, "names.txt", encoding), "names.txt")
        assert (book.format, book.tables[0].name) == (FileFormat.VCARD, "Cards"), encoding
        assert "wrong_file_name" in {one.code for one in book.findings}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("BEGIN:VCARD\nEND:VCARD\n", UnreadableReason.EMPTY),
        ("BEGIN:VCARD\nNOTE:" + "a\n " * 9_000 + "\nEND:VCARD", UnreadableReason.LINE_TOO_LONG),
        ("BEGIN:VCARD\n" + "TEL:5\n" * 10_001 + "END:VCARD", UnreadableReason.TOO_MANY_COLUMNS),
    ],
)
def test_a_file_that_is_no_address_book_is_refused(text: str, reason: UnreadableReason, save_text: SaveText) -> None:
    with pytest.raises(UnreadableFile) as refused:
        list(read_rows(save_text(text, "cards.vcf"), limits=Limits(line_characters=8_192)))
    assert refused.value.reason is reason
