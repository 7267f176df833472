"""NMEA 0183 AIS logs and streams, line by line; payloads are decoded by pyais.

Kept are reports of moving subjects: types 1, 2, 3 (class A), 18, 19 (class B), 27 (long
range) and 9 (search-and-rescue aircraft). Types 5, 19 and 24 give names. Base stations (4)
and aids to navigation (21) stand still by their nature and are passed over on purpose.

The time of a report is, in this order: that of its own line, tag block, tag-block group or
`$PGHP` wrapper; the caller's `received`; else a running clock set by the caller's
`base_time`, or where there is none by the last base station report (types 4 and 11 carry
UTC), moved to the report's own UTC second. With none of them it is refused: “no time”.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from pyais.bit_vector import bit_vector
from pyais.exceptions import InvalidNMEAMessageException, UnknownMessageException
from pyais.messages import MSG_CLASS, AISSentence, GatehouseSentence, NMEASentenceFactory

from cordon.picture.feeds.rows import Rows
from cordon.picture.feeds.seen import Seen
from cordon.picture.feeds.sentences import Piece, pieces, stamp
from cordon.picture.feeds.source import EARLIEST, LATEST, LONGEST_LINE
from cordon.picture.model import Refusal, Static

_MOST_PENDING = 512  # messages that wait for their further parts; the oldest gives way
_MOST_GROUPS = 512
NO_TIME = "no time: give the log's begin (base time)"
_VESSEL, _UNKNOWN, _AIRCRAFT = 1, 0, 4
# Bits up to the end of the latitude (ITU-R M.1371-5, annex 8): less holds no position
_BITS = {1: 116, 2: 116, 3: 116, 9: 116, 18: 112, 19: 112, 27: 79}
_STATIC = frozenset((5, 19, 24))
_CLOCKS = frozenset((4, 11))

_Slot = tuple[bytes, bytes, int]


class Part(NamedTuple):
    """One sentence of a message of several.

    Attributes:
        slot: what its fellows share: sequence id and channel, talker with VDM or VDO, their count.
        number: its place, from 1. fill: bits of the payload's end that say nothing.
        valid: its checksum is right.
    """

    slot: _Slot
    number: int
    payload: bytes
    fill: int
    valid: bool


class _Pending:
    """A message of several parts that is not whole yet."""

    __slots__ = ("parts", "row", "source", "t")

    def __init__(self, part: Part, row: int, t: float | None, source: str) -> None:
        self.parts = [part]
        self.row = row
        self.t = t
        self.source = source


class AisDecoder(Rows):
    """Takes lines, gives batches of positions; holds what it needs and no more.

    Args:
        sha256: of the file the lines come from; empty for a live feed.
        source: name for lines whose tag block names none.
        base_time: seconds since the epoch at which a log without times begins, or None.
        most: for a feed without end: how many subjects are remembered by name.
    """

    def __init__(
        self,
        sha256: str = "",
        *,
        source: str = "ais",
        base_time: float | None = None,
        seen: Seen | None = None,
        on_refusal: Callable[[Refusal], None] | None = None,
        most: int | None = None,
    ) -> None:
        super().__init__(sha256, seen, on_refusal, most)
        self.default_source = source
        self._caller_clock = base_time is not None
        self.clock = base_time
        self._wrapper: float | None = None
        self._pending: dict[_Slot, _Pending] = {}
        self._groups: dict[str, tuple[float | None, str]] = {}

    def feed(self, row: int, line: bytes, received: float | None = None) -> None:
        """Take one line; nothing in it raises.

        Args:
            row: its number, from 1. line: with or without its newline.
            received: when it came (s since the epoch), for a live feed.
        """
        if len(line) > LONGEST_LINE:
            self.counts.read += 1
            self.refuse(row, "the line is too long")
            return
        line = line.strip()
        if not line or line[0] == 35:  # blank, or “#”: a comment
            return
        if line[0] in (33, 36) and line[-3:-2] == b"*" and line.count(b"!") < 2:
            self.counts.read += 1
            self._sentence(row, Piece(line), received)
            return
        head, _, rest = line.partition(b" ")
        if head.isdigit() and rest[:1] == b"!" and rest[-3:-2] == b"*" and rest.count(b"!") < 2:
            # the commonest log: the receiver's time, a space, one sentence
            self.counts.read += 1
            self._sentence(row, Piece(rest, stamp(head)))
            return
        found = pieces(line)
        if not found:
            self.counts.read += 1
            self.refuse(row, "the line holds no NMEA 0183 sentence")
        for piece in found:
            self.counts.read += 1
            if piece.broken:
                self.refuse(row, piece.broken)
                continue
            self._sentence(row, piece, received)

    def _sentence(self, row: int, piece: Piece, received: float | None = None) -> None:
        try:
            sentence = NMEASentenceFactory.produce(piece.sentence)
        except UnknownMessageException:
            if piece.sentence[:1] == b"$":
                self.counts.passed_over += 1  # another instrument's sentence in a mixed log
            else:
                self.refuse(row, "the sentence is no AIS sentence (VDM or VDO)")
            return
        except InvalidNMEAMessageException:
            self.refuse(row, "the sentence is broken: its fields are not those of a VDM")
            return
        except Exception:
            # pyais meets broken bytes with several other errors; each means the same here
            self.refuse(row, "the sentence is broken")
            return
        if isinstance(sentence, GatehouseSentence):
            self._wrapper = calendar.timegm(sentence.timestamp.timetuple()) + (
                sentence.timestamp.microsecond / 1e6
            )
            self.counts.passed_over += 1
            return
        if not isinstance(sentence, AISSentence):
            self.counts.passed_over += 1
            return
        t, source = piece.t, piece.source
        if piece.group:
            t, source = self.time_of_group(piece.group, piece.begins, t, source)
        if t is None and self._wrapper is None:
            t = received
        if sentence.frag_cnt > 1:
            self.take_part(row, _part_of(sentence), t, source)
        else:
            self._message(row, sentence.ais_id, sentence, t, source)

    def time_of_group(
        self, group: str, begins: bool, t: float | None, source: str
    ) -> tuple[float | None, str]:
        """Time and source of a sentence of a tag-block group; `begins` its first one."""
        if begins:  # ids come again within minutes: this is another group
            self._groups.pop(group, None)
        known_t, known_source = self._groups.get(group, (None, ""))
        if group not in self._groups and len(self._groups) >= _MOST_GROUPS:
            del self._groups[next(iter(self._groups))]
        # where no sentence says that it begins one: its own time, where told, is the newer
        result = (t if t is not None else known_t, source or known_source)
        self._groups[group] = result
        return result

    def take_part(
        self,
        row: int,
        part: Part,
        t: float | None,
        source: str,
        read: Callable[[bytes, int, float | None], bool] | None = None,
    ) -> None:
        """Take one sentence of a message of several.

        Args:
            read: given the whole payload, its fill bits and its time, reads it and says True
                where it holds no position; without it pyais reads every message.
        """
        # The slots, and that parts come in order, are as in pyais 3.3, so that the counts agree
        if part.number == 1:
            if (old := self._pending.pop(part.slot, None)) is not None:
                self._incomplete(old)
            elif len(self._pending) >= _MOST_PENDING:
                self._incomplete(self._pending.pop(next(iter(self._pending))))
            self._pending[part.slot] = _Pending(part, row, t, source)
            return
        pending = self._pending.get(part.slot)
        if pending is None:
            self.refuse(row, "a further part of a message whose first part did not come")
            return
        if part.number != len(pending.parts) + 1:
            self.refuse(row, "a part of a message out of its order")
            return
        pending.parts.append(part)
        pending.t = pending.t if pending.t is not None else t
        pending.source = pending.source or source
        if len(pending.parts) < part.slot[2]:
            self.counts.passed_over += 1
            return
        del self._pending[part.slot]
        self.counts.passed_over += 1  # its first part, which waited
        first, last = pending.parts[0], pending.parts[-1]
        payload = b"".join([p.payload for p in pending.parts])
        valid = all(p.valid for p in pending.parts)
        plain = read is not None and valid and len(first.payload) > 1
        at = pending.t if pending.t is not None else self._wrapper
        if plain and read is not None and read(payload, last.fill, at):
            self._wrapper = None
            self.counts.messages += 1
            self.counts.passed_over += 1
            return
        kind = bit_vector(first.payload, first.fill).get(0, 6)
        whole = _Whole(payload, bit_vector(payload, last.fill), valid)
        self._message(row, kind, whole, pending.t, pending.source)

    def _incomplete(self, pending: _Pending) -> None:
        # Its later parts were counted as passed over when they came; the first was not yet
        self.refuse(pending.row, "the message's further parts did not come")

    def _message(
        self, row: int, kind: int, said: AISSentence | _Whole, t: float | None, source: str
    ) -> None:
        wrapper, self._wrapper = self._wrapper, None
        if not said.payload:
            self.refuse(row, "the message is empty")
            return
        form = MSG_CLASS.get(kind)
        if form is None:
            self.refuse(row, "the message's type is not known")
            return
        try:
            message: Any = form.from_vector(said.bv)
        except Exception:
            self.refuse(row, "the message cannot be decoded")
            return
        self.counts.messages += 1
        if not said.is_valid:
            self.refuse(row, "the checksum is wrong or missing")
            return
        kind = message.msg_type
        bits = _BITS.get(kind)
        if kind in _STATIC:
            self._names(message, t if t is not None else wrapper)
        if bits is None:
            if kind in _CLOCKS and (at := _told_by(message)) is not None:
                self.station_time(at)
            self.counts.passed_over += 1
            return
        if len(said.bv) < bits:
            self.refuse(row, "the message ends before its position")
            return
        self._position(row, message, t if t is not None else wrapper, source)

    def _position(self, row: int, m: Any, t: float | None, source: str) -> None:
        lat, lon, mmsi, kind = m.lat, m.lon, m.mmsi, m.msg_type
        if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
            self.refuse(row, "the position is not available or outside ±90 and ±180 degrees")
            return
        if not 0 < mmsi <= 999_999_999:
            self.refuse(row, "the MMSI is not one of nine digits")
            return
        if t is None:
            t = self.by_clock(getattr(m, "second", None))
            if t is None:
                self.refuse(row, NO_TIME)
                return
        if not EARLIEST <= t <= LATEST:
            self.refuse(row, "the time is not between 1980 and 2100")
            return
        speed, course, heading = m.speed, m.course, getattr(m, "heading", None)
        # “Not available” is 1023 (types 9 whole knots, else tenths), or 63 for type 27
        if speed is None or speed >= (1023 if kind == 9 else 63 if kind == 27 else 102.3):
            speed = np.nan
        if course is None or course >= 360:
            course = np.nan
        if heading is None or heading >= 360:
            heading = np.nan
        name = f"mmsi:{mmsi:09d}"
        if kind == 9 or 111_000_000 <= mmsi < 112_000_000:
            code = _AIRCRAFT
        elif mmsi < 100_000_000 or mmsi >= 970_000_000:
            code = _UNKNOWN  # coast stations, groups, locators, aids to navigation, daughter craft
        else:
            code = _VESSEL
        self._rows.append(
            (
                self.subject_code(name),
                self.source_code(source or self.default_source),
                t,
                lat,
                lon,
                speed,
                course,
                heading,
                10.0 if m.accuracy else np.nan,  # the flag means 10 m or better
                code,
                row,
            )
        )

    def by_clock(self, second: int | None) -> float | None:
        """The time of a report by the running clock, moved to its own UTC second; or None."""
        if self.clock is None:
            return None
        if second is None or second > 59:
            return self.clock
        minute = self.clock // 60 * 60 + second
        at = min((minute - 60, minute, minute + 60), key=lambda t: abs(t - self.clock))  # type: ignore[operator]
        self.clock = max(self.clock, at)
        return at

    def station_time(self, at: float) -> None:
        """Set the running clock by a base station (s), where the caller set none."""
        if not self._caller_clock:
            self.clock = at

    @property
    def waits_for_message(self) -> bool:
        """A `$PGHP` has told the time of a message that has not come yet."""
        return self._wrapper is not None

    def _names(self, m: Any, at: float | None) -> None:
        if m.mmsi is None or not 0 < m.mmsi <= 999_999_999:
            return  # cut before it, or nobody's
        imo = getattr(m, "imo", None)
        ship_type = getattr(m, "ship_type", None)
        self.says(
            f"mmsi:{m.mmsi:09d}",
            Static(
                name=_words(getattr(m, "shipname", None)),
                imo=str(imo) if imo else "",
                call_sign=_words(getattr(m, "callsign", None)),
                ship_type=str(int(ship_type)) if ship_type else "",
            ),
            at if at is not None else self.clock,
        )

    def end(self) -> None:
        """The feed has ended: what still waits for further parts is refused."""
        for pending in self._pending.values():
            self._incomplete(pending)
        self._pending.clear()


class _Whole(NamedTuple):
    """A message put together from its parts."""

    payload: bytes
    bv: Any
    is_valid: bool


def _part_of(sentence: AISSentence) -> Part:
    s = sentence
    seq = "" if s.seq_id is None else s.seq_id
    slot = (f"{seq},{s.channel}".encode(), f"{s.talker_id}{s.type}".encode(), s.frag_cnt)
    return Part(slot, s.frag_num, s.payload, s.fill_bits, s.is_valid)


def _told_by(station: Any) -> float | None:
    """What a base station says the time is (s since the epoch), where it says one."""
    m = station
    if m.second is None or not 1990 <= m.year <= 2099:
        return None
    if not (1 <= m.month <= 12 and 1 <= m.day <= 31 and m.hour < 24 and m.minute < 60):
        return None
    return float(calendar.timegm((m.year, m.month, m.day, m.hour, m.minute, min(m.second, 59))))


def _words(text: str | None) -> str:
    return " ".join((text or "").split())


_OTHER = re.compile(rb"\$[A-Z]{5},[^$!]*\*[0-9A-F]{2}\s*")


def looks_like_ais(head: bytes) -> bool:
    """True where a file's first bytes hold an AIS sentence, or begin with another of NMEA 0183.

    A ship's log may begin with an hour of its own instruments.
    """
    for line in head.split(b"\n"):
        for mark in (b"VDM,", b"VDO,"):
            at = line.find(mark)
            if at >= 3 and line[at - 3 : at - 2] == b"!":
                return True
    return _OTHER.fullmatch(head.lstrip().partition(b"\n")[0]) is not None
