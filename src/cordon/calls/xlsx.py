"""The parts of an Office Open XML workbook that hold its values (ECMA-376 part 1, §18).

Read as a stream with expat, which is several times faster here than a reader that builds a tree,
and keeps no more than a row. A part that declares a document type, as every attack by entities
must, is refused.
"""

from __future__ import annotations

import datetime as dt
import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pyexpat import ParserCreate, XMLParserType
from typing import IO
from zipfile import ZipFile

MOST_COLUMNS = 400
MOST_CHARACTERS = 32_767
"""Characters of a cell: no spreadsheet takes more."""
MOST_SHARED = 5_000_000
"""Texts that sheets share, which are kept in memory (some 80 bytes each, and what they say)."""
_CHUNK = 1 << 17
_TOO_LONG = f"a text of more than {MOST_CHARACTERS:,} characters"
_DIGITS = 15  # that a spreadsheet keeps of a number
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NOT_SHOWN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_EPOCHS = {False: dt.datetime(1899, 12, 30), True: dt.datetime(1904, 1, 1)}  # noqa: DTZ001
_DAYS = 2_900_000  # to the year 9999
# formats that have a number and no text of their own (§18.8.30): day, time of day, both
_BUILT_IN = dict.fromkeys((*range(14, 18), *range(27, 37), *range(50, 59)), "day") | {
    **dict.fromkeys((18, 19, 20, 21, 45, 46, 47), "time"), 22: "both",
}  # fmt: skip


class DeclaresEntities(ValueError):
    """A part declares a document type."""


class HoldsTooMuch(ValueError):
    """A cell, or what sheets share, is more than any spreadsheet writes; says where and what."""


@dataclass(slots=True)
class Book:
    """What holds for all sheets of a workbook.

    Attributes:
        sheets: each one's part in the archive, in their order.
        shows: of each style: `day`, `time`, `both`, or empty where it shows a number.
        texts: what cells share. since_1904: days are counted from there.
    """

    sheets: list[str] = field(default_factory=list)
    shows: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    since_1904: bool = False


def read_book(archive: ZipFile) -> Book:
    """The sheets, styles and shared texts of a workbook; KeyError where it has none."""
    book = Book()
    targets: dict[str, str] = {}

    def relation(name: str, given: dict[str, str]) -> None:
        if name == "Relationship" and given.get("Type", "").endswith("/worksheet"):
            # a target stands beside the workbook, or from the archive's root
            targets[given["Id"]] = posixpath.normpath(
                posixpath.join("/xl", given["Target"])
            ).lstrip("/")

    def workbook(name: str, given: dict[str, str]) -> None:
        if name == "sheet":
            id_ = next((v for k, v in given.items() if k.endswith(":id")), "")
            if id_ in targets:
                book.sheets.append(targets[id_])
        elif name == "workbookPr":
            book.since_1904 = given.get("date1904", "") in ("1", "true", "on")

    _parse(archive, "xl/_rels/workbook.xml.rels", relation)
    _parse(archive, "xl/workbook.xml", workbook)
    have = set(archive.namelist())
    if "xl/styles.xml" in have:
        _styles(archive, book)
    if "xl/sharedStrings.xml" in have:
        _texts(archive, book)
    return book


def rows_of(archive: ZipFile, part: str, book: Book) -> Iterator[tuple[int, list[str]]]:
    """A sheet's rows as texts, with the number that it shows; rows without cells may be absent."""
    done: list[tuple[int, list[str]]] = []
    row: list[str] = []
    text: list[str] = []
    number, column, kind, style, taking, long = 0, 0, "", "", False, 0
    columns: dict[str, int] = {}

    def start(name: str, given: dict[str, str]) -> None:
        nonlocal row, number, column, kind, style, taking, long
        if name == "c":
            kind, style, long = given.get("t", ""), given.get("s", ""), 0
            text.clear()
            letters = given.get("r", "").rstrip("0123456789")
            if not letters:
                column += 1  # a cell that does not say where it stands is the next one
            elif letters in columns:
                column = columns[letters]
            else:
                column = columns[letters] = column_of(letters)
        elif name in ("v", "t"):
            taking = True
        elif name == "row":
            row, column = [], -1
            number = max(number + 1, int(given.get("r", 0)))

    def end(name: str) -> None:
        nonlocal taking
        taking = False
        if name == "c":
            if text and column < MOST_COLUMNS:
                while len(row) < column:
                    row.append("")
                row[column:] = (_value("".join(text), kind, style, book),)
        elif name == "row":
            done.append((number, row))

    def chars(data: str) -> None:
        nonlocal long
        if taking:
            text.append(data)
            long += len(data)
            if long > MOST_CHARACTERS:
                raise HoldsTooMuch(f"row {number}, column {column + 1}: {_TOO_LONG}")

    with archive.open(part) as xml:
        parser = _parser(start, end, chars)
        for chunk in _chunks(xml):
            parser.Parse(chunk, not chunk)
            yield from done
            done.clear()


def column_of(letters: str) -> int:
    """A column's index from 0 by its letters; ValueError where they are none."""
    at = 0
    for letter in letters:
        at = at * 26 + _LETTERS.index(letter) + 1
    return at - 1


def _value(text: str, kind: str, style: str, book: Book) -> str:
    """A cell's value as text: see §18.18.11 for its kinds."""
    match kind:
        case "s":
            value = book.texts[int(text)]
        case "str" | "inlineStr":
            value = clean(text)
        case "b":
            value = "TRUE" if text == "1" else "FALSE"
        case "e":
            value = "" if text == "#N/A" else text
        case "d":
            value = text.replace("T", " ").removesuffix("Z")
        case _:
            at = int(style or 0)
            shown = book.shows[at] if at < len(book.shows) else ""
            value = (shown and _moment(float(text), shown, book.since_1904)) or _number(text)
    return value


def clean(text: str) -> str:
    """A text on one line, without blanks around it."""
    return " ".join(text.split()) if "\n" in text or "\r" in text else text.strip()


def _number(text: str) -> str:
    """A number with all its digits; in scientific notation where it had more than are kept."""
    if text.isdigit() and len(text) <= _DIGITS:
        return text
    value = float(text)
    if not value.is_integer():
        return repr(value)
    return str(int(value)) if abs(value) < 10**_DIGITS else f"{value:.14E}"


def _moment(days: float, shown: str, since_1904: bool) -> str:
    """A date, a time of day, or both; empty where it is none."""
    if not 0 <= days < _DAYS:
        return ""
    seconds = round(days * 86400)  # kept as a share of a day, which is seldom a whole second
    if shown == "time" and seconds < 366 * 86400:  # a time of day, or how long something took
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    moment = _EPOCHS[since_1904] + dt.timedelta(seconds=seconds)
    if shown == "day" and not seconds % 86400:
        return moment.date().isoformat()
    return moment.isoformat(sep=" ")


def _shown(code: str) -> str:
    """What a format shows (§18.8.31): `day`, `time`, `both`, or nothing of the kind."""
    bare = _NOT_SHOWN.sub("", code.split(";", maxsplit=1)[0]).lower()
    if "general" in bare or "@" in bare or "#" in bare:
        return ""
    day, time = bool(re.search("[yd]|mmm", bare)), bool(re.search("[hs]", bare))
    return "both" if day and time else "day" if day else "time" if time else ""


def _styles(archive: ZipFile, book: Book) -> None:
    codes: dict[int, str] = {}
    inside = False

    def start(name: str, given: dict[str, str]) -> None:
        nonlocal inside
        if name == "numFmt":
            codes[int(given["numFmtId"])] = _shown(given.get("formatCode", ""))
        elif name == "cellXfs":
            inside = True
        elif name == "xf" and inside:
            number = int(given.get("numFmtId", 0))
            book.shows.append(codes.get(number, _BUILT_IN.get(number, "")))

    def end(name: str) -> None:
        nonlocal inside
        inside = inside and name != "cellXfs"

    _parse(archive, "xl/styles.xml", start, end)


def _texts(archive: ZipFile, book: Book) -> None:
    held: list[str] = []
    taking, spoken, long = False, False, 0

    def start(name: str, _given: dict[str, str]) -> None:
        nonlocal taking, spoken, long
        if name == "si":
            held.clear()
            long = 0
        spoken = spoken or name == "rPh"
        taking = name == "t" and not spoken

    def end(name: str) -> None:
        nonlocal taking, spoken
        taking = False
        if name == "rPh":
            spoken = False
        elif name == "si":
            book.texts.append(clean("".join(held)))
            if len(book.texts) > MOST_SHARED:
                raise HoldsTooMuch(f"its shared texts: more than {MOST_SHARED:,}")

    def chars(data: str) -> None:
        nonlocal long
        if taking:
            held.append(data)
            long += len(data)
            if long > MOST_CHARACTERS:
                raise HoldsTooMuch(f"its shared texts, number {len(book.texts) + 1}: {_TOO_LONG}")

    _parse(archive, "xl/sharedStrings.xml", start, end, chars)


def _parse(
    archive: ZipFile,
    part: str,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] = lambda _name: None,
    chars: Callable[[str], object] = lambda _data: None,
) -> None:
    with archive.open(part) as xml:
        parser = _parser(start, end, chars)
        for chunk in _chunks(xml):
            parser.Parse(chunk, not chunk)


def _chunks(xml: IO[bytes]) -> Iterator[bytes]:
    """A part's bytes, and an empty piece at the end."""
    while chunk := xml.read(_CHUNK):
        yield chunk
    yield b""


def _parser(
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    chars: Callable[[str], object],
) -> XMLParserType:
    """A parser that names elements without the prefix that some programs write."""

    def refuse(*_: object) -> None:
        raise DeclaresEntities

    parser = ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.CharacterDataHandler = chars

    def first(name: str, given: dict[str, str]) -> None:
        """Tells by the outermost element whether names have a prefix to be left out."""
        if ":" in name:
            parser.StartElementHandler = lambda n, g: start(n[n.find(":") + 1 :], g)
            parser.EndElementHandler = lambda n: end(n[n.find(":") + 1 :])
        else:
            parser.StartElementHandler, parser.EndElementHandler = start, end
        start(name[name.find(":") + 1 :], given)

    parser.StartElementHandler = first
    return parser
