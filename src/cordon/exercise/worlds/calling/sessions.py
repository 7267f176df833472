"""Internet sessions: what everybody reaches, what a firm or family has, what a centre's phones do.

All of it is drawn from a random stream of its own, so that the other files of a world are the same
whether it is asked for or not. Addresses are of 198.18.0.0/15, which is nobody's (RFC 2544).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cordon.exercise.worlds.calling.drawing import DAY, HOUR, Data, Floats, Ints, Longs, drawn
from cordon.exercise.worlds.calling.rows import Rows

if TYPE_CHECKING:
    from cordon.exercise.worlds.calling.nation import Nation

SCHEMA = pa.schema(
    [("start", pa.timestamp("us", "UTC")), ("end", pa.timestamp("us", "UTC"))]
    + [(n, pa.string()) for n in ("number", "imsi", "imei", "cell", "public_ip")]
    + [("public_port", pa.int64()), ("remote_ip", pa.string()), ("remote_port", pa.int64())]
    + [("protocol", pa.string()), ("bytes_up", pa.int64()), ("bytes_down", pa.int64())]
)
_STREAM = 0x5E55  # beside the seed: no other part draws from it
_REMOTE, _POOL = (198 << 24) | (18 << 16), (198 << 24) | (19 << 16)
_HTTPS, _SIP = 443, 5060


@dataclass(slots=True)
class _Own:
    """Lines that reach one address of their own on many of their days.

    Attributes:
        line, spot, begin, end: of each, seconds. address: as a number. chance: a line's, of a day.
    """

    line: Ints
    spot: Ints
    begin: Floats
    end: Floats
    address: int
    chance: float


@dataclass(slots=True)
class _Plan:
    """Who reaches what. `line`, `spot`, `set`: of persons with data; `own`: beside them."""

    line: Ints
    spot: Ints
    set: Ints
    own: list[_Own] = field(default_factory=list)


class Sessions:
    """Writes the sessions of a world that has lived.

    Args:
        data: the part `sessions` of the YAML, not drawn. rows: when each card was at work.
    """

    def __init__(self, data: Data, seed: int, nation: Nation, rows: Rows) -> None:
        self._rng = np.random.default_rng(np.random.SeedSequence([seed, _STREAM]))
        self._data, self._nation, self._rows = drawn(data, self._rng), nation, rows
        self._given = 0
        own = self._data
        self._messengers = self._addresses(int(own["messengers"]))
        self._networks = self._addresses(int(own["networks"]))
        self._rest = self._addresses(int(own["rest"]))
        self._providers = self._addresses(int(own["providers"]))
        self._plan = self._everybody()
        self._firms()
        self._families()
        self._trades()
        self._centres()

    def write(self, path: Path, midnight: datetime) -> int:
        """Write the file, day by day; how many rows it has."""
        count = 0
        with pq.ParquetWriter(path, SCHEMA, compression="zstd") as out:
            for day in range(self._nation.days):
                table = self._day(day, midnight)
                out.write_table(table)
                count += len(table)
        return count

    def _addresses(self, count: int) -> Longs:
        self._given += count
        return _REMOTE + 1 + np.arange(self._given - count, self._given)

    def _everybody(self) -> _Plan:
        people, rng = self._nation.people, self._rng
        some = np.flatnonzero(rng.random(people.persons) < self._data["online"])
        return _Plan(people.line[some], people.home[some], people.set[some])

    def _always(self, line: Ints, spot: Ints, address: int, chance: float) -> None:
        every = np.full(len(line), np.inf)
        self._plan.own.append(_Own(line, spot, -every, every, address, chance))

    def _firms(self) -> None:
        """Small firms whose people reach a box of their own."""
        people, rng = self._nation.people, self._rng
        at = people.workplace[: people.persons]
        firms = np.unique(at[at >= 0])
        for firm in firms[rng.random(len(firms)) < self._data["firms"]].tolist():
            staff = np.flatnonzero(at == firm)[:60]
            (box,) = self._addresses(1).tolist()
            self._always(people.line[staff], people.work[staff], box, rng.uniform(0.2, 0.8))

    def _families(self) -> None:
        """Homes with a camera or a disk that their phones reach."""
        people, rng = self._nation.people, self._rng
        homes = np.unique(people.household)
        most = min(len(homes), 400)
        for home in rng.choice(homes, round(most * self._data["families"]), replace=False).tolist():
            kin = np.flatnonzero(people.household == home)
            (box,) = self._addresses(1).tolist()
            self._always(people.line[kin], people.home[kin], box, 0.3)

    def _trades(self) -> None:
        """Registered centres and telephone sales behind providers; riders on their platform."""
        people, trades, rng = self._nation.people, self._nation.trades, self._rng
        for name in ("registered_centres", "telesales"):
            trade = trades.named(name)
            for office in np.unique(trade.office).tolist():
                of = trade.office == office
                phones = trade.phone[of]
                own = rng.random() < self._data["own_gateway"]
                box = self._addresses(1)[0] if own else rng.choice(self._providers)
                spots = np.where(trade.spot[of] >= 0, trade.spot[of], people.home[phones])
                self._always(people.line[phones], spots, int(box), rng.uniform(0.5, 1.0))
        (platform,) = self._addresses(1).tolist()
        for trade in trades.trades:
            if trade.moving:
                phones = trade.phone
                self._always(people.line[phones], people.home[phones], platform, 0.9)
        customers = rng.choice(people.persons, people.persons // 8, replace=False)
        self._always(people.line[customers], people.home[customers], platform, 0.2)

    def _centres(self) -> None:
        """Gateways or panels of some centres; a raided one's people may keep theirs."""
        rng, first, last = self._rng, self._rows.first, self._rows.last
        boxes: dict[int, int] = {}
        for centre in self._nation.centres:
            used = centre.cards[np.isfinite(first[centre.cards])]
            kept = boxes.get(-1 if centre.earlier is None else centre.earlier)
            if kept is not None and rng.random() < self._data["kept"]:
                box = kept
            elif rng.random() >= self._data["gateways"]:
                box = 0
            elif rng.random() < self._data["hidden"]:
                box = int(rng.choice(self._providers))
            else:
                box = int(self._addresses(1)[0])
            boxes[centre.index] = box
            online = used[rng.random(len(used)) < self._data["cards_online"]]
            spot = np.full(len(online), centre.spot, np.int32)
            begin, end = first[online], last[online]
            for address, chance in (
                (box, rng.uniform(0.5, 1.0)),
                (int(rng.choice(self._messengers)), rng.uniform(0.2, 0.9)),
                (int(rng.choice(self._networks)), rng.uniform(0.1, 0.5)),
            ):
                if address and len(online):
                    self._plan.own.append(_Own(online, spot, begin, end, address, chance))

    def _day(self, day: int, midnight: datetime) -> pa.Table:
        rng, plan = self._rng, self._plan
        n = rng.poisson(self._data["a_day"], len(plan.line))
        who = np.repeat(np.arange(len(plan.line)), n)
        which = rng.random(len(who))
        remote = np.where(
            which < self._data["to_messengers"],
            rng.choice(self._messengers, len(who)),
            np.where(which < 0.9, rng.choice(self._networks, len(who)), self._seldom(len(who))),
        )
        lines, spots = [plan.line[who]], [plan.spot[who]]
        handsets, remotes = [plan.set[who]], [remote]
        for own in plan.own:
            at = (own.begin < (day + 1) * DAY) & (own.end >= day * DAY)
            at &= rng.random(len(own.line)) < own.chance
            lines.append(own.line[at])
            spots.append(own.spot[at])
            handsets.append(np.full(int(at.sum()), -1, np.int32))
            remotes.append(np.full(int(at.sum()), own.address))
        parts = (np.concatenate(p) for p in (lines, spots, handsets, remotes))
        return self._table(day, midnight, *parts)

    def _seldom(self, count: int) -> Longs:
        """Addresses of the many that few reach."""
        rank = (len(self._rest) * self._rng.random(count) ** 2).astype(np.int64)
        return np.asarray(self._rest[rank])

    def _table(
        self, day: int, midnight: datetime, line: Ints, spot: Ints, handset: Ints, remote: Longs
    ) -> pa.Table:
        rng, nation, count = self._rng, self._nation, len(line)
        hour = np.clip(rng.normal(15.5, 4.0, count), 0.0, 23.99)
        start = day * DAY + np.floor(hour * HOUR)
        inside = np.flatnonzero((start >= nation.begin) & (start < nation.end))
        order = inside[np.argsort(start[inside], kind="stable")]
        line, spot, handset, remote = line[order], spot[order], handset[order], remote[order]
        begin = start[order].astype(np.int64) + int(midnight.timestamp())
        lasts = rng.integers(1, 3600, len(order))
        net = np.maximum(nation.lines.net[line].astype(np.int64), 0)
        cells = nation.land.cells(net, spot, rng)
        pools = int(self._data["pools"])
        region = nation.land.region[spot].astype(np.int64)
        public = _POOL + (region * 8 + net) * pools + rng.integers(0, pools, len(order))
        up = rng.integers(200, 400_000, len(order))
        box = np.isin(remote, self._providers)
        columns = {
            "start": _moments(begin),
            "end": _moments(begin + lasts),
            "number": self._rows_text("number", line),
            "imsi": self._rows_text("imsi", line),
            "imei": nation.sets.imei_strings().take(pa.array(handset, mask=handset < 0)),
            "cell": pa.array(nation.land.cell_ids).take(pa.array(cells)),
            "public_ip": _written(public),
            "public_port": pa.array(rng.integers(1024, 65536, len(order))),
            "remote_ip": _written(remote),
            "remote_port": pa.array(np.where(box, _SIP, _HTTPS)),
            "protocol": pa.array(np.where(box, "UDP", "TCP")),
            "bytes_up": pa.array(up),
            "bytes_down": pa.array(up * rng.integers(1, 20, len(order))),
        }
        return pa.table([columns[n] for n in SCHEMA.names], schema=SCHEMA)

    def _rows_text(self, name: str, line: Ints) -> pa.Array:
        lines = self._nation.lines
        texts = lines.number_strings() if name == "number" else lines.imsi_strings()
        return texts.take(pa.array(line))


def _moments(seconds: Longs) -> pa.Array:
    return pa.array(seconds * 1_000_000).cast(SCHEMA.field("start").type)


def _written(address: Longs) -> pa.Array:
    """Addresses of IPv4 as they are written."""
    known, at = np.unique(address, return_inverse=True)
    texts = [".".join(str(int(a) >> s & 255) for s in (24, 16, 8, 0)) for a in known]
    return pa.array(texts, pa.string()).take(pa.array(at))
