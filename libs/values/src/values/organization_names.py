"""Under which key two written names are the same organization, and what is left of a name without its legal form.

The legal form counts: "Barton LLC" and "Barton Inc" are two companies. Its spelling and its place do not.
"""

import re
import unicodedata
from functools import lru_cache

from cleanco.termdata import terms_by_country, terms_by_type

from values.names import fold_name

__all__ = ["organization_core_key", "organization_key"]

_REMEMBERED = 32768  # as in names.py

# One line a legal form: its canonical spelling, then the others.
_SPELLINGS = """\
llc|limited liability company|limited liability co|ltd liability co
inc|incorporated
corp|corporation
co|company|and co|and company
ltd|limited
plc|public limited company
llp|limited liability partnership
lp|limited partnership
jsc|joint stock company
pjsc|public joint stock company
ojsc|open joint stock company
cjsc|closed joint stock company
pty ltd|pty limited|proprietary limited|proprietary ltd
pte ltd|pte limited|private limited|pvt ltd|pvt limited
gmbh|gesellschaft mit beschrankter haftung|ges m b h|gesmbh
ag|aktiengesellschaft
gmbh co kg|gmbh and co kg
kg|kommanditgesellschaft
ohg|offene handelsgesellschaft
ug|unternehmergesellschaft|ug haftungsbeschrankt
ev|eingetragener verein
sa|societe anonyme|sociedad anonima|societa anonima
sarl|societe a responsabilite limitee
sas|societe par actions simplifiee
srl|societa a responsabilita limitata|sociedad de responsabilidad limitada
spa|societa per azioni
sl|sociedad limitada
bv|besloten vennootschap
nv|naamloze vennootschap
ab|aktiebolag
as|aksjeselskap|aktieselskab
oy|osakeyhtio
sp zoo|sp z oo|spolka z oo|spolka z ograniczona odpowiedzialnoscia|spolka zoo
spolka akcyjna
sro|spol sro|spolecnost s rucenim omezenym
ооо|ooo|общество с ограниченной ответственностью
оао|oao|открытое акционерное общество
зао|zao|закрытое акционерное общество
пао|pao|публичное акционерное общество
нао|непубличное акционерное общество
ао|ao|акционерное общество
одо|общество с дополнительной ответственностью
тоо|too|товарищество с ограниченной ответственностью
ип|индивидуальный предприниматель
чп|частное предприятие
чуп|частное унитарное предприятие
гуп|государственное унитарное предприятие
муп|муниципальное унитарное предприятие
фгуп|федеральное государственное унитарное предприятие
фгбу|федеральное государственное бюджетное учреждение
гбу|государственное бюджетное учреждение
ано|автономная некоммерческая организация
нко|некоммерческая организация
тов|товариство з обмеженою відповідальністю
прат|приватне акціонерне товариство
пат|публічне акціонерне товариство
фоп|фізична особа підприємець
شركة
مؤسسة
شمم|شركة ذات مسؤولية محدودة|ذمم|شذمم
株式会社|kabushiki kaisha|kabushiki gaisha
有限会社|yugen gaisha|yugen kaisha
合同会社|godo kaisha|godo gaisha
股份有限公司
有限责任公司|有限責任公司
有限公司
주식회사
유한회사
"""

# Forms in Latin letters that stand before the name: of Lithuania, Sweden, Latvia, Indonesia, and of Russian names put
# into English ("LLC Romashka"). Cyrillic, Arabic and Chinese forms may stand on either side.
_LATIN_IN_FRONT = frozenset({"llc", "jsc", "pjsc", "ojsc", "cjsc", "uab", "ab", "sia", "pt"})

_BRACKETED = {"(株)": "株式会社", "(有)": "有限会社", "(同)": "合同会社", "(주)": "주식회사", "(유)": "유한회사"}
_BRACKETED_FORM = re.compile(r"[(（](?:株|有|同|주|유)[)）]|[㈱㈲㈜]")
_SIGNS_IN_WORDS = str.maketrans({"&": " and ", "＆": " and ", "+": " plus "})


@lru_cache(maxsize=_REMEMBERED)
def organization_key(name: str) -> str:
    """Give the key by which two spellings are one organization: "BARTON, L.L.C." and "Barton llc" -> "barton|llc"."""
    core, forms = _part_name(name)
    return f"{core}|{' '.join(sorted(forms))}" if forms else core


def organization_core_key(name: str) -> str:
    """Give the key without legal form, to ask "did you mean" with; equal core keys are no proof of one company."""
    return _part_name(name)[0]


def _part_name(name: str) -> tuple[str, list[str]]:
    """Give the folded name without its legal forms, and these in canonical spelling."""
    text, forms = _strip_attached(_BRACKETED_FORM.sub(_spell_bracketed, name))
    words = _fold_words(text)
    while (found := _find_form(words, _FORMS_BEHIND, at_end=True)) or (found := _find_form(words, _FORMS_IN_FRONT)):
        words, form = found
        forms.append(form)
    return " ".join(words), forms


def _fold_words(text: str) -> tuple[str, ...]:
    """Fold into words, initials joined: "L.L.C." and "l l c" are "llc"."""
    words: list[str] = []
    in_initials = False
    for word in fold_name(text.translate(_SIGNS_IN_WORDS)).split():
        is_initial = len(word) == 1 and word.isalpha()
        if is_initial and in_initials:
            words[-1] += word
        else:
            words.append(word)
        in_initials = is_initial
    return tuple(words)


def _find_form(
    words: tuple[str, ...], forms: dict[tuple[str, ...], str], *, at_end: bool = False
) -> tuple[tuple[str, ...], str] | None:
    """Take the longest legal form off one end of a name, but never the whole name; None where there is none."""
    for size in range(min(_LONGEST_FORM, len(words) - 1), 0, -1):
        form = forms.get(words[-size:] if at_end else words[:size])
        if form is not None:
            return (words[:-size] if at_end else words[size:]), form
    return None


def _spell_bracketed(match: re.Match[str]) -> str:
    return f" {_BRACKETED[unicodedata.normalize('NFKC', match[0])]} "


def _strip_attached(name: str) -> tuple[str, list[str]]:
    """Take off a Chinese, Japanese or Korean form written without a blank before or behind the name."""
    text = fold_name(name.translate(_SIGNS_IN_WORDS)) if not name.isascii() else name
    for spelling, form in _ATTACHED.items():
        bare = text.removeprefix(spelling) if text.startswith(spelling) else text.removesuffix(spelling)
        if bare and bare != text:
            return bare, [form]
    return text, []


def _read_spellings() -> dict[tuple[str, ...], str]:
    """Map every spelling of a form, in folded words, to its canonical one; cleanco's others stand for themselves."""
    forms: dict[tuple[str, ...], str] = {}
    for terms in (*terms_by_type.values(), *terms_by_country.values()):
        for term in terms:
            words = _fold_words(term)
            forms[words] = " ".join(words)
    for line in _SPELLINGS.splitlines():
        spellings = [_fold_words(spelling) for spelling in line.split("|")]
        forms.update(dict.fromkeys(spellings, " ".join(spellings[0])))
    return forms


_FORMS_BEHIND = _read_spellings()
_FORMS_IN_FRONT = {
    words: form for words, form in _FORMS_BEHIND.items() if not form.isascii() or " ".join(words) in _LATIN_IN_FRONT
}
_LONGEST_FORM = max(map(len, _FORMS_BEHIND))
# Longest first: 股份有限公司 ends in 有限公司.
_ATTACHED = {
    " ".join(words): form
    for words, form in sorted(_FORMS_BEHIND.items(), key=lambda item: -len(item[0][0]) if item[0] else 0)
    if re.fullmatch(r"[\u3400-\u9fff\uac00-\ud7a3]{4,}", "".join(words))
}
