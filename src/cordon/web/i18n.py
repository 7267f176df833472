"""Languages of the pages: catalogues, which one a reader gets, and how they are kept.

English is the language of the source; the others stand in `locale/<code>/LC_MESSAGES/cordon.po`.

    python -m cordon.web.i18n update     gather messages of templates, code and cards into each .po
    python -m cordon.web.i18n missing    list what has no translation; exits 1 where there is any
    python -m cordon.web.i18n compile    write the .mo files
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import yaml
from babel.core import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from babel.support import NullTranslations, Translations

DOMAIN = "cordon"
SOURCE = "en"
LANGUAGES = {"en": "English", "ur": "اردو"}
RIGHT_TO_LEFT = frozenset({"ur"})
LOCALE = Path(__file__).parent / "locale"
PACKAGE = Path(__file__).parents[1]
COOKIE = "cordon_lang"

KEYWORDS: dict[str, Any] = {
    "_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2),
}  # fmt: skip


def N_(message: str) -> str:
    """Mark a message for the catalogues without translating it here."""
    return message


# Names that a page shows from data, so that no template spells them.
NAMES = (
    N_("Picture"), N_("Alerts"), N_("Taskings"), N_("Calls"), N_("Money"), N_("Cases"),
    N_("Sharing"), N_("Units"), N_("Ledger"), N_("Exercise"), N_("Oversight"), N_("Authorities"),
    N_("notice"), N_("serious"), N_("grave"), N_("Patterns of payments"),
)  # fmt: skip


def direction(lang: str) -> str:
    """`rtl` or `ltr`."""
    return "rtl" if lang in RIGHT_TO_LEFT else "ltr"


def negotiate(accept_language: str | None, cookie: str | None = None) -> str:
    """The language of a page: the reader's own choice, else what the browser prefers, else English.

    Args:
        accept_language: the header of that name (RFC 9110 §12.5.4), or None.
        cookie: value of the cookie `cordon_lang`, or None.
    """
    if cookie in LANGUAGES:
        return cookie
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate((accept_language or "").split(",")[:20]):
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        code = tag.split("-", maxsplit=1)[0].lower()
        if code in LANGUAGES and quality > 0:
            wanted.append((-quality, place, code))
    return min(wanted)[2] if wanted else SOURCE


def po_path(lang: str) -> Path:
    """Where a language's catalogue stands."""
    return LOCALE / lang / "LC_MESSAGES" / f"{DOMAIN}.po"


def read_catalogue(lang: str) -> Catalog:
    """A language's catalogue as it stands in its .po."""
    with po_path(lang).open("rb") as file:
        return read_po(file, locale=lang, domain=DOMAIN)


@lru_cache(maxsize=16)
def translations(lang: str) -> NullTranslations:
    """The translations of a language; compiled in memory where the .mo is missing or older."""
    if lang == SOURCE or lang not in LANGUAGES:
        return NullTranslations()
    source = po_path(lang)
    packed = source.with_suffix(".mo")
    if packed.exists() and packed.stat().st_mtime >= source.stat().st_mtime:
        with packed.open("rb") as file:
            return Translations(file, domain=DOMAIN)
    buffer = io.BytesIO()
    write_mo(buffer, read_catalogue(lang))
    buffer.seek(0)
    return Translations(buffer, domain=DOMAIN)


@lru_cache(maxsize=16)
def locale_of(lang: str) -> Locale:
    """Babel's locale of a language, for numbers and dates."""
    return Locale.parse({"en": "en_GB"}.get(lang, lang))


def extract_card(
    fileobj: IO[bytes], keywords: Any, comment_tags: Any, options: Any
) -> Iterator[tuple[int, str | None, str, list[str]]]:
    """Babel's extractor for detector cards: the title, which queues show."""
    data = yaml.safe_load(fileobj.read())
    if isinstance(data, dict) and isinstance(data.get("title"), str) and "kind" in data:
        yield 1, None, data["title"], []


def extract() -> Catalog:
    """Every message that templates, code and cards use, sorted, with the files that use it."""
    with (PACKAGE.parents[1] / "babel.cfg").open("r", encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    catalogue = Catalog(project="Cordon", domain=DOMAIN, charset="utf-8")
    for name, _line, message, comments, context in extract_from_dir(
        str(PACKAGE), methods, options, keywords=KEYWORDS, comment_tags=("Translators:",)
    ):
        catalogue.add(message, None, [(name, None)], auto_comments=comments, context=context)  # type: ignore[list-item]
    return catalogue


def missing(lang: str) -> list[str]:
    """Messages in use that a language's catalogue does not translate, sorted."""
    known = read_catalogue(lang)
    lacking = []
    for message in extract():
        if not message.id:
            continue
        found = known.get(message.id, message.context)
        texts = found.string if found is not None and not found.fuzzy else ""
        if not all(texts if isinstance(texts, (tuple, list)) else (texts,)):
            first = message.id[0] if isinstance(message.id, (tuple, list)) else message.id
            lacking.append(str(first))
    return sorted(lacking)


# Header lines that change at each run or say nothing.
_NOISE = (
    b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Report-Msgid-Bugs-To', b'"Last-Translator',
    b'"Language-Team', b'"Generated-By',
)  # fmt: skip


def update(lang: str) -> None:
    """Bring a .po up to what is in use: new messages come in empty, unused ones go."""
    known = read_catalogue(lang)
    known.update(extract(), no_fuzzy_matching=True)
    known.obsolete.clear()
    buffer = io.BytesIO()
    # Sorted and without line numbers, so that two people's additions merge.
    write_po(buffer, known, no_location=True, sort_output=True, width=100)
    kept = (line for line in buffer.getvalue().splitlines(True) if not line.startswith(_NOISE))
    po_path(lang).write_bytes(b"".join(kept))


def compile_all() -> None:
    """Write each .mo beside its .po."""
    for lang in LANGUAGES:
        if lang != SOURCE:
            with po_path(lang).with_suffix(".mo").open("wb") as file:
                write_mo(file, read_catalogue(lang))


def main(arguments: list[str]) -> int:
    """The commands named above; returns the exit code."""
    others = [lang for lang in LANGUAGES if lang != SOURCE]
    match arguments:
        case ["update"]:
            for lang in others:
                update(lang)
        case ["compile"]:
            compile_all()
        case ["missing"]:
            lacking = {lang: missing(lang) for lang in others}
            for lang, messages in lacking.items():
                sys.stdout.writelines(f"{lang}: {message}\n" for message in messages)
            return 1 if any(lacking.values()) else 0
        case _:
            sys.stderr.write(__doc__ or "")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
