"""When two written names are the same, and by which words a name is found."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from values.names import fold_name, latin_spelling, person_key, search_tokens
from values.organization_names import organization_core_key, organization_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Семён Ёлкин", "семен  елкин"),
        ("Straße", "STRASSE"),
        ("José", "Jose\u0301"),
        ("Łódź", "Lodz"),
        ("Ørsted", "orsted"),
        ("İZMİR", "izmir"),
        ("ISPARTA", "ısparta"),
        ("O'Neil", "O’NEIL"),
        ("Anna-Maria", "anna maria"),
        ("Ｂａｒｔｏｎ", "barton"),
        ("ﾔﾏﾀﾞ", "ヤマダ"),
        ("Ἀθῆναι", "Αθηναι"),
        ("علي", "على"),
        ("مُحَمَّد", "محمد"),
        ("كريم", "کریم"),
        ("محـمد", "محمد"),
        ("علی\u200cرضا", "علیرضا"),
        ("Иванов\u00a0Иван", "Иванов Иван"),
        ("Ми\u0306хайло", "Мйхайло"),
    ],
)
def test_spellings_of_one_name_fold_alike(one: str, other: str) -> None:
    assert fold_name(one) == fold_name(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Андрей", "Андреи"), ("हिन्दी", "हन्द"), ("ハ", "パ"), ("***", "+++"), ("田中", "田仲"), ("Anna", "Hanna")],
)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert fold_name(one) != fold_name(other)


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=40))
def test_folding_a_key_changes_nothing(text: str) -> None:
    key = fold_name(text)
    assert fold_name(key) == key


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_no_text_but_a_blank_one_has_an_empty_key(text: str) -> None:
    visible = any(character.isalnum() for character in text)
    assert fold_name(text) or not visible


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "***\x00", "\ud800", "\ud800!", "\x1f\x7f", "🌸\x00"])
def test_a_key_never_holds_what_a_database_cannot_store(text: str) -> None:
    for key in (fold_name(text), organization_key(text), *search_tokens(text)):
        assert "\x00" not in key
        assert key.encode("utf-8").decode("utf-8") == key


def test_a_person_has_one_key_whatever_the_order_of_the_parts() -> None:
    keys = {
        person_key("Иван", "Петрович", "Сидоров"),
        person_key("ИВАН ПЕТРОВИЧ", None, "Сидоров"),
        person_key(None, None, None, "Сидоров  Иван Петрович"),
        person_key("", "", "", "Сидоров, Иван Петрович"),
    }
    assert keys == {"иван петрович сидоров"}


def test_the_display_name_counts_only_where_no_part_is_given() -> None:
    assert person_key("Anna", None, "Bell", "Frau Dr. Bell") == person_key("Anna", None, "Bell")


@settings(max_examples=200, deadline=None)
@given(st.permutations(["anna", "maria", "de", "la", "vega"]))
def test_any_order_of_words_gives_one_person_key(words: list[str]) -> None:
    assert person_key(None, None, None, " ".join(words)) == "anna de la maria vega"


@pytest.mark.parametrize(
    ("stored", "word"),
    [
        ("Иванов Сергей", "ivanov"),
        ("Щукин", "shchukin"),
        ("Müller", "muller"),
        ("Müller", "mueller"),
        ("北京商店", "beijingshangdian"),
        ("Ёлкин", "елкин"),
    ],
)
def test_a_name_is_found_by_its_word_in_the_script_of_the_searcher(stored: str, word: str) -> None:
    assert word in search_tokens(stored)


def test_search_words_come_once_and_in_order() -> None:
    assert search_tokens("Anna Иванова anna") == ("anna", "иванова", "ivanova")
    assert latin_spelling("Łódź Ёлкин") == "lodz elkin"


@pytest.mark.parametrize(
    "spellings",
    [
        ["Barton LLC", "barton, L.L.C.", "BARTON  llc", "Barton l.l.c", "Barton Limited Liability Company"],
        [
            "ООО «Ромашка»",
            "Ромашка, ООО",
            'Общество с ограниченной ответственностью "РОМАШКА"',
            "OOO Ромашка",
            "ромашка ооо",
        ],
        ["ПАО Сбербанк", "Сбербанк (ПАО)", "Публичное акционерное общество «Сбербанк»"],
        ["ИП Иванов И.И.", "ИП Иванов И. И.", "Индивидуальный предприниматель Иванов И.И."],
        ["株式会社トヨタ", "トヨタ㈱", "（株）トヨタ", "トヨタ 株式会社"],
        ["شركة الفجر", "شركه الفجر"],
        ["Müller GmbH & Co. KG", "MÜLLER G.m.b.H. & Co KG", "Muller GmbH and Co. KG"],
        ["Foo Sp. z o.o.", "FOO sp. z o. o.", "Foo spółka z ograniczoną odpowiedzialnością"],
        ["Acme S.A. de C.V.", "ACME SA de CV"],
        ["Acme Co., Ltd.", "Acme Company Limited"],
        ["Smith & Sons", "Smith and Sons"],
        ["J.P. Morgan", "JP Morgan", "J. P. Morgan"],
    ],
)
def test_an_organization_has_one_key_however_its_legal_form_is_written(spellings: list[str]) -> None:
    assert len({organization_key(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Barton LLC", "Barton Inc"),
        ("Barton LLC", "Barton"),
        ("ООО Ромашка", "ЗАО Ромашка"),
        ("A Ltd", "A+ Ltd"),
        ("株式会社トヨタ", "有限会社トヨタ"),
        ("AG", "KG"),
    ],
)
def test_another_form_or_another_name_is_another_organization(one: str, other: str) -> None:
    assert organization_key(one) != organization_key(other)


@pytest.mark.parametrize("name", ["Barton LLC", "Barton Inc", "barton", "LLC Barton", "Barton Co., Ltd."])
def test_the_core_key_leaves_the_legal_form_out(name: str) -> None:
    assert organization_core_key(name) == "barton"


@pytest.mark.parametrize("name", ["AG", "GmbH", "ООО", "株式会社", "The Limited", "***"])
def test_a_name_that_is_itself_a_legal_form_is_not_emptied(name: str) -> None:
    assert organization_core_key(name)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40), st.sampled_from(["LLC", "GmbH", "ООО", "有限公司", "S.A."]))
def test_case_and_blanks_never_change_an_organization_key(name: str, form: str) -> None:
    written = f"{name} {form}"
    assert organization_key(f"  {written}  ") == organization_key(written)
    assert organization_key(written.replace(" ", "   ")) == organization_key(written)
