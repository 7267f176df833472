"""Who a mover is, as far as it says: at sea, on land, in the air, or one of our own.

What it is (a pilot, a tug, a fishing boat) is read from the type that it reports. Flag and
identity are not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from cordon.picture.model import KINDS
from cordon.picture.tracks import Bools, Tracks


class Trade(IntEnum):
    """What a craft does by its type (ITU-R M.1371-5, table 53), as behaviours tell it apart."""

    UNKNOWN = 0
    FISHING = 1
    SERVICE = 2  # pilots, tugs, tenders, rescue, police, dredgers, divers, navies
    PASSENGER = 3
    CARGO = 4  # and tankers
    LEISURE = 5
    OTHER = 6


_BY_CODE = {
    30: Trade.FISHING,
    **dict.fromkeys((31, 32, 33, 34, 35, *range(50, 56), 58), Trade.SERVICE),
    **dict.fromkeys((36, 37), Trade.LEISURE),
    **dict.fromkeys(range(40, 50), Trade.PASSENGER),
    **dict.fromkeys(range(60, 70), Trade.PASSENGER),
    **dict.fromkeys(range(70, 90), Trade.CARGO),
    **dict.fromkeys(range(90, 100), Trade.OTHER),
}
_BY_WORD = (
    (Trade.FISHING, r"fish|trawl"),
    (
        Trade.SERVICE,
        r"pilot|tug|tow|tender|search|rescue|law|patrol|police|military|naval|navy|dredg|div|"
        r"anti-pollution|medical|guard",
    ),
    (Trade.PASSENGER, r"passenger|ferry|high.?speed|hsc"),
    (Trade.CARGO, r"cargo|tanker|bulk|container|carrier"),
    (Trade.LEISURE, r"sail|pleasure|yacht"),
)
_OWN = ("unit",)
_NO_CRAFT = ("vehicle", "person", "sensor", "drone")
_LAND_KINDS = (KINDS.index("vehicle"), KINDS.index("person"))
_VESSEL = KINDS.index("vessel")
_EACH = 8


@dataclass(frozen=True, slots=True)
class Crafts:
    """What each subject is; arrays over the tracks' subjects.

    Attributes:
        sea: a craft at sea; also one of unknown kind, but where there are vehicles and walkers
            and no vessels. land: a vehicle or person, a mover of unknown kind that a sensor
            follows (`track:…`), or one that a radar sees there. own: one of our own units.
        trade: see Trade. family: number of the kind of identity: two of one family are two
            hulls, because one AIS set or one radar numbers its tracks itself; of two families
            they may be one hull.
        kind: as KINDS.
    """

    sea: Bools
    land: Bools
    own: Bools
    trade: NDArray[np.int8]
    family: NDArray[np.int32]
    kind: NDArray[np.int8]


def trade_of(ship_type: str) -> Trade:
    """The trade of a type as it was told: an ITU code (also `70.0`) or a word."""
    said = ship_type.strip()
    if not said:
        return Trade.UNKNOWN
    try:
        return _BY_CODE.get(int(float(said)), Trade.UNKNOWN)
    except ValueError:
        pass
    for trade, words in _BY_WORD:
        if re.search(words, said, re.IGNORECASE):
            return trade
    return Trade.OTHER


def family_of(subject: str) -> str:
    """`mmsi` of `mmsi:463…`; of a radar also its station: `radar:KHI-2` of `radar:KHI-2/881`."""
    kind, _, name = subject.partition(":")
    station, parted, _ = name.partition("/")
    return f"{kind}:{station}" if parted else kind


def crafts_of(tracks: Tracks) -> Crafts:
    """What the subjects of these tracks are."""
    return tracks.once(("crafts",), lambda: _crafts(tracks))


def _crafts(tracks: Tracks) -> Crafts:
    count = len(tracks.subjects)
    kind = np.zeros(count, dtype=np.int8)
    if len(tracks):
        kind = np.maximum.reduceat(tracks.kind, tracks.starts[:-1]).astype(np.int8)
    types = [s.partition(":")[0] for s in tracks.subjects]
    families: dict[str, int] = {}
    family = [families.setdefault(family_of(s), len(families)) for s in tracks.subjects]
    trades: dict[str, Trade] = {}
    trade = []
    for said in tracks.static:
        if said.ship_type not in trades:
            trades[said.ship_type] = trade_of(said.ship_type)
        trade.append(trades[said.ship_type])
    own = np.array([t in _OWN for t in types], dtype=np.bool_)
    no_craft = np.array([t in _NO_CRAFT for t in types], dtype=np.bool_)
    afoot = np.array([t in ("vehicle", "person", "track") for t in types], dtype=np.bool_)
    sensor = np.array([t == "sensor" for t in types], dtype=np.bool_)
    unsaid = (kind == 0) & ~no_craft & ~afoot & ~own
    ashore = np.isin(kind, _LAND_KINDS)
    afloat = unsaid & (_among(tracks, kind == _VESSEL, unsaid) | ~_among(tracks, ashore, unsaid))
    land = ashore | ((kind == 0) & (afoot | (unsaid & ~afloat)))
    return Crafts(
        sea=((kind == _VESSEL) | afloat | (own & (kind == 0))) & ~sensor,
        land=land & ~sensor,
        own=own,
        trade=np.array(trade, dtype=np.int8),
        family=np.array(family, dtype=np.int32),
        kind=kind,
    )


def _among(tracks: Tracks, others: Bools, unsaid: Bools) -> Bools:
    """Whether each of some subjects is first seen where another one ever is: within its cell of a
    quarter of a degree or the next one."""
    found = np.zeros(len(unsaid), dtype=np.bool_)
    some = np.flatnonzero(unsaid)
    if not len(some) or not others.any():
        return found
    # a few fixes of each say where it is: nobody leaps over a cell in so few
    fix = np.flatnonzero(others[tracks.subject])[::_EACH]
    row = 4 * 360 + 2
    y, x = ((v * 4).astype(np.int64) for v in (tracks.lat[fix] + 90, tracks.lon[fix] + 180))
    cells = np.unique(y * row + x)
    first = tracks.starts[:-1][some]
    y, x = ((v * 4).astype(np.int64) for v in (tracks.lat[first] + 90, tracks.lon[first] + 180))
    around = [dy * row + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    near = np.zeros(len(some), dtype=np.bool_)
    for step in around:
        near |= np.isin(y * row + x + step, cells)
    found[some] = near
    return found
