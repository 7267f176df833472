"""The outside of an AIS sentence: tag blocks, receiver times, several sentences on a line.

Forms taken, all seen in real logs: a plain `!AIVDM…`; tag blocks of NMEA 0183 v4.10
(`\\c:` time, `s:` source, `g:` group); a leading receiver time as seconds, milli-, micro- or
nanoseconds since the epoch or as RFC 3339; a trailing receiver time after the checksum (the
form of the United States' NAIS: `…*5C,r003669945,1428621738`); Gatehouse `$PGHP` before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput

# A tag block, where there is one, and a sentence up to the next one. The armour of AIS uses
# neither “!”, “$” nor “\” (ITU-R M.1371-5, IEC 61162-1 §8.2.3), so these split safely.
_PIECE = re.compile(rb"(?:\\([^\\]*)\\)?([!$][^!$\\]*)")
_BETWEEN = b" \t,;|"


@dataclass(frozen=True, slots=True)
class Piece:
    """One sentence with what stood around it.

    Attributes:
        sentence: from its “!” or “$” to its checksum.
        t: receiver time (s since the epoch) or None. source: `s:` of its tag block, or "".
        group: `g:` group id, or "". begins: it is the first sentence of its group.
        broken: what is wrong with the wrapping, or "".
    """

    sentence: bytes
    t: float | None = None
    source: str = ""
    group: str = ""
    broken: str = ""
    begins: bool = False


def pieces(line: bytes) -> list[Piece]:
    """The sentences on a line that is more than one plain sentence; empty where none is."""
    first = min((i for i in (line.find(c) for c in b"!$\\") if i >= 0), default=-1)
    if first < 0:
        return []
    before = line[:first].strip(_BETWEEN)
    leading = stamp(before) if before else None
    found = [_piece(m.group(1), m.group(2).strip(), leading) for m in _PIECE.finditer(line, first)]
    if before and leading is None:
        return [
            Piece(p.sentence, broken="the words before the sentence are no time") for p in found
        ]
    return found


def _piece(tag: bytes | None, sentence: bytes, leading: float | None) -> Piece:
    t, source, group, begins = leading, "", "", False
    if tag:
        fields, star, check = tag.rpartition(b"*")
        if not star:
            fields = tag
        elif not _sums(fields, check):
            # The sentence has a checksum of its own; only the block's words cannot be trusted
            return Piece(sentence, t)
        for field in fields.split(b","):
            key, _, value = field.partition(b":")
            if key == b"c":
                told = stamp(value)
                t = told if told is not None else t
            elif key == b"s":
                source = value.decode("ascii", "replace")[:64]
            elif key == b"g":
                group = value.rpartition(b"-")[2].decode("ascii", "replace")[:32]
                begins = value.startswith(b"1-")
    sentence, after = split_after(sentence)
    if t is None and after:
        t = stamp(after.rpartition(b",")[2])
    return Piece(sentence, t, source, group, begins=begins)


def split_after(sentence: bytes) -> tuple[bytes, bytes]:
    """The sentence to the end of its checksum, and what follows it after a comma."""
    star = sentence.rfind(b"*")
    if star < 0 or len(sentence) <= star + 3:
        return sentence, b""
    return sentence[: star + 3], sentence[star + 3 :].strip(b" ,'\"")


def _sums(fields: bytes, check: bytes) -> bool:
    try:
        return int(check[:2], 16) == checksum(fields)
    except ValueError:
        return False


def checksum(body: bytes) -> int:
    """Exclusive or of all bytes (IEC 61162-1 §7.2.4.2)."""
    # folding one big integer is several times faster than a loop over the bytes
    value = int.from_bytes(body, "big")
    width = 8
    while width < 8 * len(body):
        width *= 2
    while width > 8:
        width //= 2
        value = (value >> width) ^ (value & ((1 << width) - 1))
    return value


def stamp(text: bytes) -> float | None:
    """Seconds since the epoch from digits of any usual scale, or RFC 3339; None otherwise."""
    try:
        value = float(text)
    except ValueError:
        try:
            return parse_time(text.decode("ascii")).timestamp()
        except (BadInput, UnicodeDecodeError, OverflowError):
            return None
    if not 0 < value < 1e20:
        return None
    # Seconds stay below 1e11 until the year 5138; each finer scale is a thousand times that
    for limit, scale in ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6)):
        if value < limit:
            return value / scale
    # whole microseconds: a float holds no finer part of so late a second
    return int(value // 1000) / 1e6
