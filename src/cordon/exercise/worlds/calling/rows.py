"""Events as rows of the format `calls`: cards, handsets and cells of both ends, written by day."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cordon.exercise.worlds.calling.drawing import Data, Flags, Floats, Ints, Rng, chance
from cordon.exercise.worlds.calling.events import NONE, OWN, Events
from cordon.exercise.worlds.calling.land import Land
from cordon.exercise.worlds.calling.lines import ABROAD, FIXED, SENDER, Handsets, Lines
from cordon.exercise.worlds.calling.people import People
from cordon.exercise.worlds.calling.whereabouts import Whereabouts

_TEXT = (
    "caller", "callee", "caller_imsi", "caller_imei", "caller_cell",
    "callee_imsi", "callee_imei", "callee_cell", "trunk_in", "trunk_out",
)  # fmt: skip
SCHEMA = pa.schema(
    [("start", pa.timestamp("us", "UTC")), ("duration_s", pa.float64()), ("kind", pa.string())]
    + [(name, pa.string()) for name in _TEXT]
)
_ROWS = 1 << 20  # of a row group


class Rows:
    """Writes events to Parquet and counts what each line did.

    Args:
        data: the part `rows` of the YAML, drawn. midnight: the first local midnight (UTC).
        begin, end: span in seconds from it; what lies outside is left out.

    Attributes:
        made, taken: calls that each line made; answered calls that it took. wrote: messages that
            it sent. first, last: times (s) of its first and last call, of lines that have an
            owner. count: rows written.
        last_set: handset in which each line was seen last, −1 for none.
    """

    def __init__(
        self, path: Path, data: Data, people: People, lines: Lines, sets: Handsets, land: Land,
        where: Whereabouts, midnight: datetime, begin: float, end: float,
    ) -> None:  # fmt: skip
        self.data, self.people, self.lines, self.land, self.where = data, people, lines, land, where
        self.midnight, self.begin, self.end = midnight, begin, end
        self.count = 0
        n = len(lines)
        self.made, self.taken, self.wrote = (np.zeros(n, np.int64) for _ in range(3))
        self.first, self.last = np.full(n, np.inf), np.full(n, -np.inf)
        self._pairs = np.empty(0, np.int64)
        self._sets = len(sets.digits)
        self._numbers, self._imsis = lines.number_strings(), lines.imsi_strings()
        self._imeis, self._cells = sets.imei_strings(), pa.array(land.cell_ids)
        nets = 4 if not len(lines.net) else int(lines.net.max()) + 1
        self._gates = int(data["gateways"])
        names = [f"INTL-{i + 1}" for i in range(self._gates)]
        self._trunks = pa.array([*names, "PSTN", "SMSC", *(f"IC-{k + 1}" for k in range(nets))])
        self._writer = pq.ParquetWriter(
            path,
            SCHEMA,
            compression="zstd",
            compression_level=1,
            use_dictionary=True,
            dictionary_pagesize_limit=1 << 25,
            write_statistics=True,
        )

    def __enter__(self) -> Rows:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    def write(self, made: Events, rng: Rng) -> None:
        """Write events (of one day, in any order) as rows in order of their start."""
        inside = (made.t >= self.begin) & (made.t < self.end)
        made = made.where(np.flatnonzero(inside))
        made = made.where(np.argsort(np.floor(made.t), kind="stable"))
        gone = self._resolve(made, rng)
        made = made.where(np.flatnonzero(~gone))
        if not len(made):
            return
        lines = self.lines
        a_net, b_net = lines.net[made.a_line], lines.net[made.b_line]
        self._tell(made)
        start = np.floor(made.t).astype(np.int64) + int(self.midnight.timestamp())
        written = np.isnan(made.lasts)
        columns = {
            "start": pa.array(start * 1_000_000).cast(SCHEMA.field("start").type),
            "duration_s": pa.array(made.lasts, mask=written),
            "kind": pa.array(["voice", "sms"]).take(pa.array(written.astype(np.int8))),
            "caller": self._numbers.take(pa.array(made.a_line)),
            "callee": self._numbers.take(pa.array(made.b_line)),
            **self._end("caller", made.a_line, made.a_set, made.a_spot, a_net, rng),
            **self._end("callee", made.b_line, made.b_set, made.b_spot, b_net, rng),
            **self._trunk(made, a_net, b_net),
        }
        table = pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)
        self._writer.write_table(table, row_group_size=_ROWS)
        self.count += len(table)

    def _resolve(self, made: Events, rng: Rng) -> Flags:
        """Say card, handset and spot of every end; returns which events did not happen."""
        gone = self._side(made.t, made.a, made.b, made.a_line, made.a_set, made.a_spot)
        off = self._side(made.t, made.b, made.a, made.b_line, made.b_set, made.b_spot)
        ringing = (made.lasts == 0.0) & (made.b >= 0) & (made.b_set != NONE)
        off |= ringing & (rng.random(len(made), np.float32) < self.data["switched_off"])
        off |= self._old_number(made)
        made.b_set[off] = NONE
        made.lasts[off & ~np.isnan(made.lasts)] = 0.0
        return gone

    def _side(
        self, t: Floats, who: Ints, other: Ints, line: Ints, handset: Ints, spot: Ints
    ) -> Flags:
        """One end of all events, in place; returns where the phone was off."""
        p = self.people
        person = np.flatnonzero((who >= 0) & (line == OWN))
        one = who[person]
        second = (p.line2[one] >= 0) & (chance(one, other[person], 1) < p.share2[one])
        later = t[person] >= p.change[one]
        line[person] = np.where(second, p.line2[one], np.where(later, p.new_line[one], p.line[one]))
        own = np.where(second, p.set2[one], np.where(later, p.new_set[one], p.set[one]))
        handset[person] = np.where(handset[person] == OWN, own, handset[person])
        off = np.zeros(len(t), bool)
        off[person] = (t[person] >= p.silent[one]) & ~later
        lost = np.flatnonzero((who >= 0) & (spot == OWN))
        spot[lost] = self.where.at(who[lost], t[lost])
        return off

    def _old_number(self, made: Events) -> Flags:
        """Who does not know yet that somebody's number is another one calls the old one."""
        p = self.people
        at = np.flatnonzero((made.b >= 0) & (made.a >= 0))
        b = made.b[at]
        at = at[
            (made.t[at] >= p.change[b])
            & (p.new_line[b] != p.line[b])
            & (made.b_line[at] == p.new_line[b])
        ]
        a, b = made.a[at], made.b[at]
        same_number = self.lines.number[p.new_line[b]] == self.lines.number[p.line[b]]
        learns = -np.log1p(-chance(a, b, 2).astype(float)) * self.data["learns_days"] * 86400.0
        at = at[(made.t[at] < p.change[b] + learns) & ~same_number]
        made.b_line[at] = p.line[made.b[at]]
        flags = np.zeros(len(made), bool)
        flags[at] = True
        return flags

    def _tell(self, made: Events) -> None:
        lines, n = self.lines, len(self.lines)
        voice = ~np.isnan(made.lasts)
        self.made += np.bincount(made.a_line[voice], minlength=n)
        self.taken += np.bincount(made.b_line[voice & (made.lasts > 0)], minlength=n)
        self.wrote += np.bincount(made.a_line[~voice], minlength=n)
        t = np.floor(made.t)
        for line, handset, calls in (
            (made.a_line, made.a_set, voice),
            (made.b_line, made.b_set, voice & (made.lasts > 0)),
        ):
            owned = np.flatnonzero((lines.owner[line] > 0) & calls)
            np.minimum.at(self.first, line[owned], t[owned])
            np.maximum.at(self.last, line[owned], t[owned])
            used = owned[handset[owned] >= 0]
            pair = line[used].astype(np.int64) * self._sets + handset[used]
            self._pairs = np.union1d(self._pairs, pair)

    def handsets_of(self, lines: Ints) -> Ints:
        """Handsets in which any of the lines was seen (lines with an owner alone)."""
        of = np.isin(self._pairs // self._sets, lines)
        return np.unique(self._pairs[of] % self._sets).astype(np.int32)

    def _end(
        self, end: str, line: Ints, handset: Ints, spot: Ints, net: Ints, rng: Rng
    ) -> dict[str, pa.Array]:
        here = (net >= 0) & (handset >= 0)
        cell = np.zeros(len(line), np.int32)
        at = np.flatnonzero(here)
        cell[at] = self.land.cells(net[at].astype(np.int64), spot[at], rng)
        absent = ~here
        return {
            # a card that is not on is known by its number alone
            f"{end}_imsi": self._imsis.take(pa.array(line, mask=absent)),
            f"{end}_imei": self._imeis.take(pa.array(handset, mask=absent)),
            f"{end}_cell": self._cells.take(pa.array(cell, mask=absent)),
        }

    def _trunk(self, made: Events, a_net: Ints, b_net: Ints) -> dict[str, pa.Array]:
        """Trunks by which calls come from or go to another network, as a transit switch has it."""
        names = {}
        for name, net, line in (
            ("trunk_in", a_net, made.a_line),
            ("trunk_out", b_net, made.b_line),
        ):
            code = np.where(net >= 0, self._gates + 2 + net, 0)
            code = np.where(net == ABROAD, line % self._gates, code)
            code = np.where(net == FIXED, self._gates, code)
            code = np.where(net == SENDER, self._gates + 1, code)
            names[name] = self._trunks.take(
                pa.array(code.astype(np.int32), mask=(a_net == b_net) & (net >= 0))
            )
        return names
