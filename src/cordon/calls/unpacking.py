"""A file of text as blocks of whole lines in UTF-8, whatever it was packed and written in."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from cordon.kernel.errors import BadInput

BLOCK = 8 << 20  # bytes of text in a block: a batch of some 80,000 rows
LONGEST_LINE = 1 << 20  # bytes; a longer one is no record
Progress = Callable[[int, int], None]
"""Told the bytes read of the file so far, and the bytes that it has."""

_CHUNK = 1 << 20
_LOOKS_LIKE = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF document"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"SQLite format 3", "a SQLite database"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\xd4\xc3\xb2\xa1", "a capture of network packets"),
    (b"\n\r\r\n", "a capture of network packets"),
)
_TAR = slice(257, 262), b"ustar"  # POSIX.1-2017, pax: the magic of a header block
_CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b"))
_MOST_CONTROL = 0.05  # share of characters that end no line and print nothing: beyond it, no text

_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
_PAIRS = re.compile(rb"(?:[\xa1-\xa9\xb0-\xf7][\xa1-\xfe])+")  # signs, and characters (GB 2312)
_LOOKED_AT, _PAIR = 1 << 16, 2  # bytes


class Text:
    """The lines of a file, a block at a time.

    Attributes:
        broken: what cut the file short (a sentence), once all that could be read was read.
    """

    def __init__(
        self, path: Path, progress: Progress | None = None, expected: str = "", name: str = ""
    ) -> None:
        self.path = path
        self.name = name or path.name
        self.broken: str | None = None
        self._progress = progress
        self._expected = expected  # the advice of an error
        self._size = path.stat().st_size

    def blocks(self) -> Iterator[bytes]:
        """Blocks of whole lines, each ending with a newline but perhaps the last.

        Raises:
            BadInput: the file is no text at all; the message says what it looks like.
        """
        held = b""
        for chunk in self._utf8():
            held += chunk
            if len(held) < BLOCK:
                continue
            cut = held.rfind(b"\n") + 1
            if cut:
                yield held[:cut]
                held = held[cut:]
            elif len(held) > BLOCK + LONGEST_LINE:
                raise BadInput(
                    f"{self.name} has a line of more than {LONGEST_LINE:,} bytes.",
                    advice=self._expected,
                )
        if held:
            yield held

    def _utf8(self) -> Iterator[bytes]:
        chunks = self._unpacked()
        first = next(chunks, b"")
        for begins, name in _LOOKS_LIKE:
            if first.startswith(begins):
                unpack = "Unpack it, and give its files. " if name.endswith("archive") else ""
                raise BadInput(f"{self.name} looks like {name}.", advice=unpack + self._expected)
        if first[_TAR[0]] == _TAR[1]:
            raise BadInput(
                f"{self.name} looks like a tar archive.",
                advice=f"Unpack it, and give its files. {self._expected}".strip(),
            )
        decode, skip = _encoding(first)
        if decode is None:
            sample = first[:4096]
            shown = len(sample.translate(None, _CONTROL))
            if len(sample) - shown > _MOST_CONTROL * len(sample):
                raise BadInput(f"{self.name} looks like no text.", advice=self._expected)
            first = first[skip:]
            if b"\r" in first and b"\n" not in first:  # as old Macs ended their lines
                yield first.replace(b"\r", b"\n")
                for chunk in chunks:
                    yield chunk.replace(b"\r", b"\n")
                return
            yield first
            yield from chunks
            return
        yield decode.decode(first).encode()
        for chunk in chunks:
            yield decode.decode(chunk).encode()
        yield decode.decode(b"", final=True).encode()

    def _unpacked(self) -> Iterator[bytes]:
        with self.path.open("rb") as raw:
            begins = raw.read(4)
            raw.seek(0)
            read: Callable[[int], bytes] = raw.read
            if begins[:2] == b"\x1f\x8b":
                # read1 hands out what there is before it says that the rest is missing
                read = gzip.GzipFile(fileobj=raw).read1
            elif begins == b"\x28\xb5\x2f\xfd":
                read = pa.CompressedInputStream(raw, "zstd").read
            packed = read != raw.read
            while True:
                try:
                    chunk = bytes(read(_CHUNK if not packed else _CHUNK >> 2))
                except (EOFError, OSError, zlib.error) as fault:
                    if not packed:
                        raise
                    self.broken = (
                        f"{self.name} breaks off: its compressed data is "
                        f"{'cut short' if _cut(fault) else 'damaged'} after byte {raw.tell():,}."
                    )
                    return
                if not chunk:
                    return
                if self._progress is not None:
                    self._progress(min(raw.tell(), self._size), self._size)
                yield chunk


def as_utf8(block: bytes) -> bytes:
    """A block in UTF-8: one that is not is taken as Windows-1252, which covers Latin-1, or as
    GB 18030, where all of it that is not ASCII comes in pairs as Chinese does."""
    if block.isascii():
        return block
    try:
        block.decode()
    except UnicodeDecodeError:
        return block.decode("gb18030" if _is_chinese(block) else "cp1252", "replace").encode()
    return block


def _is_chinese(block: bytes) -> bool:
    """True where every run of bytes beyond ASCII is made of pairs of GB 2312, and some of more
    than one.

    Western letters with marks stand alone between plain ones or in twos (`Ligação`), and Cyrillic
    words are of odd length as often as not: among the first ones there is one that is not of pairs.
    """
    runs = _BEYOND_ASCII.findall(block[:_LOOKED_AT])
    return any(len(run) > _PAIR for run in runs) and all(_PAIRS.fullmatch(run) for run in runs)


def _cut(fault: Exception) -> bool:
    return isinstance(fault, EOFError) or "runcated" in str(fault)


def _encoding(first: bytes) -> tuple[codecs.IncrementalDecoder | None, int]:
    """A decoder where the text is UTF-16 or UTF-32, and the bytes of a mark to pass over."""
    if first.startswith(codecs.BOM_UTF8):
        return None, 3
    for mark, name in (
        (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if first.startswith(mark):
            return codecs.getincrementaldecoder(name)("replace"), 0
    sample = first[:400]
    if len(sample) >= 8 and sample[1::2].count(0) > len(sample) * 0.4:
        return codecs.getincrementaldecoder("utf-16-le")("replace"), 0
    if len(sample) >= 8 and sample[0::2].count(0) > len(sample) * 0.4:
        return codecs.getincrementaldecoder("utf-16-be")("replace"), 0
    return None, 0
