"""A file as blocks of lines of comma-parted text, whether it is text or a workbook."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cordon.calls.model import Refusal
from cordon.calls.unpacking import Progress, Text, as_utf8
from cordon.kernel.errors import BadInput

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # [MS-CFB] §2.2: old workbooks, and encrypted ones
_LOCKED = "EncryptedPackage".encode("utf-16-le")  # [MS-OFFCRYPTO] §2.3.4.4
_RESAVE = "Open it, save it as .xlsx or as CSV, and give that."


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of a file, in UTF-8, each ended by a newline but perhaps the last.

    Attributes:
        part: the sheet of a workbook, from 0; 0 for text.
        row: number of its first line. refusals: lines that are emptied because they are no row.
    """

    part: int
    row: int
    text: bytes
    refusals: tuple[Refusal, ...] = ()


class Source(Protocol):
    """A file that can be read once.

    Attributes:
        broken: what cut it short (a sentence), once all that could be read was read.
        is_workbook: its dates and numbers are values, not text.
    """

    broken: str | None
    is_workbook: bool

    def blocks(self) -> Iterator[Block]:
        """The file's lines; BadInput where it is none that can be read."""
        ...


class Lines:
    """A file of text as a source; its first line has the number 0."""

    is_workbook = False

    def __init__(
        self, path: Path, progress: Progress | None = None, expected: str = "", name: str = ""
    ) -> None:
        self.broken: str | None = None
        self._text = Text(path, progress, expected, name)

    def blocks(self) -> Iterator[Block]:
        row = 0
        for block in self._text.blocks():
            text = as_utf8(block)
            if b"\r" in text:
                text = text.replace(b"\r\n", b"\n")
            self.broken = self._text.broken
            yield Block(0, row, text)
            row += text.count(b"\n")
        self.broken = self._text.broken


def source(
    path: Path, progress: Progress | None = None, expected: str = "", name: str = ""
) -> Source:
    """A file as a source, by its first bytes.

    Args:
        expected: the advice of errors. name: how they call the file.

    Raises:
        BadInput: it is a kind of file that is not read; the message says which, and what to do.
    """
    name = name or path.name
    with path.open("rb") as raw:
        begins = raw.read(8)
    if begins.startswith(_ZIP):
        _check_zip(path, name, expected)
        from cordon.calls.workbook import Workbook

        return Workbook(path, progress, expected, name)
    if begins == _OLE:
        if _has(path, _LOCKED):
            raise BadInput(
                f"{name} is a workbook locked with a password.",
                advice="Open it, save it without one, and give that.",
            )
        raise BadInput(f"{name} is an old Excel workbook (.xls).", advice=_RESAVE)
    return Lines(path, progress, expected, name)


def _check_zip(path: Path, name: str, expected: str) -> None:
    """That an archive is a workbook as it is read here."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError):
        raise BadInput(
            f"{name} looks like an Excel workbook or a zip archive, and is cut short or damaged.",
            advice=f"Ask for it again. {expected}".strip(),
        ) from None
    if "xl/workbook.xml" in names:
        return
    if "xl/workbook.bin" in names:
        raise BadInput(f"{name} is a binary workbook (.xlsb).", advice=_RESAVE)
    if "content.xml" in names:
        raise BadInput(f"{name} is an OpenDocument file.", advice=_RESAVE)
    if "word/document.xml" in names:
        raise BadInput(f"{name} is a Word document.", advice=expected)
    files = sum(not one.endswith("/") for one in names)
    raise BadInput(
        f"{name} looks like a zip archive of {files:,} file{'s' * (files != 1)}.",
        advice=f"Unpack it, and give its files. {expected}",
    )


def _has(path: Path, what: bytes) -> bool:
    """True where the bytes stand in the file's directory, which is near its ends."""
    with path.open("rb") as raw:
        found = what in raw.read(1 << 20)
        size = path.stat().st_size
        if not found and size > 1 << 20:
            raw.seek(-(1 << 20), 2)
            found = what in raw.read()
    return found
