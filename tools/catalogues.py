"""Keeps the workplace's catalogues of translations: extracts the messages, brings every language up to date, checks.

python -m tools.catalogues [--check]

A complete language may lack nothing, hold nothing doubtful, and keep every %(placeholder)s. References are file names
without lines, so that moving code changes no catalogue.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from gateway.web.texts import LANGUAGES, LOCALES, PLURALS

WEB = LOCALES.parent
METHODS = [("templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
OPTIONS = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "extensions": "jinja2.ext.do"}}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
COMPLETE = ("ru", "ar")
PREPARED = ("fa", "ja")
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
WIDTH = 110
COUNTED = {"num", "count", "shown"}
# Forms that are of one number only, so that a word can stand for it; the Russian "one" is also of 21.
SAID_IN_WORDS = {"ar": (("zero",), ("one",), ("two",))}


def main() -> int:
    """Write the catalogues, or with --check say what they lack."""
    parser = argparse.ArgumentParser(prog="catalogues")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    messages = extract_messages()
    if options.check:
        troubles = list(find_troubles(messages))
        print("\n".join(troubles) or f"{len(messages)} messages, complete in {', '.join(COMPLETE)}")
        return 1 if troubles else 0
    for language in (*COMPLETE, *PREPARED):
        catalogue = update(language, messages)
        known = sum(1 for one in catalogue if one.id and is_translated(one))
        print(f"{language} {LANGUAGES[language]}: {known} of {len(messages)}")
    return 0


def extract_messages() -> Catalog:
    """Every message of the workplace's code and templates."""
    found = Catalog(project="Branchline", charset="utf-8")
    for file, _line, message, comments, context in extract_from_dir(
        WEB, METHODS, OPTIONS, KEYWORDS, comment_tags=("Translators:",)
    ):
        found.add(message, None, [(Path(file).as_posix(), 1)], auto_comments=comments, context=context)
    return found


def path_of(language: str) -> Path:
    """Where a language's catalogue is."""
    return LOCALES / language / "LC_MESSAGES" / "gateway.po"


def read_catalogue(language: str) -> Catalog:
    """A language's catalogue as it is; empty where there is none."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as source:
        return read_po(source, locale=language)


def update(language: str, messages: Catalog) -> Catalog:
    """Write a language's catalogue with the present messages: translations stay, what is gone goes."""
    before = read_catalogue(language)
    made = Catalog(locale=language, project="Branchline", charset="utf-8", fuzzy=False)
    for message in messages:
        if message.id:
            known = before.get(message.id, message.context)
            words = known.string if known and not known.fuzzy and is_translated(known) else None
            made.add(message.id, words, message.locations, context=message.context)
    path = path_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text_of(made))
    return made


def text_of(catalogue: Catalog) -> bytes:
    """A catalogue as it is kept: sorted, without dates, which only make differences."""
    out = BytesIO()
    write_po(out, catalogue, width=WIDTH, sort_output=True, omit_header=True, include_lineno=False)
    forms = len(PLURALS[str(catalogue.locale)])
    plural = catalogue.plural_forms if forms == catalogue.num_plurals else f"nplurals={forms}; plural=0;"
    fields = (
        f"Language: {catalogue.locale}", f"Plural-Forms: {plural}", "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
    )  # fmt: skip
    header = "".join(['msgid ""\n', 'msgstr ""\n', *(f'"{field}\\n"\n' for field in fields), "\n"])
    return header.encode() + out.getvalue()


def is_translated(message: Message) -> bool:
    """Whether every form has words."""
    forms = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return bool(forms) and all(forms)


def find_troubles(messages: Catalog) -> Iterator[str]:
    """What the catalogues lack, keep in vain, or say wrongly."""
    wanted = {key_of(one) for one in messages if one.id}
    for language in (*COMPLETE, *PREPARED):
        there = {key_of(one): one for one in read_catalogue(language) if one.id}
        for key in sorted(wanted - set(there), key=str):
            yield f"{language}: {key[1]!r} is missing; run python -m tools.catalogues"
        for key in sorted(set(there) - wanted, key=str):
            yield f"{language}: {key[1]!r} is used no more; run python -m tools.catalogues"
        for key, message in there.items():
            if key in wanted:
                yield from (f"{language}: {key[1]!r} {trouble}" for trouble in troubles_of(language, message))


def key_of(message: Message) -> tuple[str | None, str]:
    """What a message is found by."""
    return message.context, message.id if isinstance(message.id, str) else message.id[0]


def troubles_of(language: str, message: Message) -> Iterator[str]:
    """What is wrong with one message."""
    if not is_translated(message):
        if language in COMPLETE:
            yield "has no translation"
        return
    if message.fuzzy:
        yield "is doubtful"
    forms = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    counts = not isinstance(message.id, str)
    if counts and len(forms) != len(PLURALS[language]):
        yield f"has {len(forms)} forms, {language} has {len(PLURALS[language])}"
    ids = [message.id] if isinstance(message.id, str) else list(message.id)
    wanted = set(PLACEHOLDER.findall(ids[-1]))
    for place, form in enumerate(forms):
        there = set(PLACEHOLDER.findall(str(form)))
        in_words = (
            COUNTED if counts and PLURALS[language][place : place + 1] in SAID_IN_WORDS.get(language, ()) else set()
        )
        if lost := (wanted - in_words - there) | (there - wanted):
            yield f"loses or invents a placeholder: {', '.join(sorted(lost))}"


if __name__ == "__main__":
    sys.exit(main())
