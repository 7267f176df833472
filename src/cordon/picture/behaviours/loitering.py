"""Hanging about: at sea at little speed for hours, on land beside the border line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import point
from cordon.kernel.units import KNOTS_PER_MS, METRES_PER_NAUTICAL_MILE
from cordon.picture import zones as geometry
from cordon.picture.behaviours import encounter
from cordon.picture.model import Zone
from cordon.picture.shared.crafts import Trade, crafts_of
from cordon.picture.shared.doubles import REACH_M, same_hull_of, seen_together
from cordon.picture.shared.evidence import names_within, spread_records
from cordon.picture.shared.homes import Homes
from cordon.picture.shared.moorings import at_berth, lies_fast
from cordon.picture.shared.nearness import near_between, plane_m
from cordon.picture.shared.sameparty import unnamed_of
from cordon.picture.shared.samples import STEP_S, Samples, samples_of
from cordon.picture.shared.shore import Shore
from cordon.picture.shared.states import States, in_havens, states_of, within
from cordon.picture.shared.sun import is_night
from cordon.picture.tracks import Bools, Floats, Ints, Tracks, moment

CARD = load_card(__file__)
_HOUR = 6  # slots
_NEAR_M = 5_000.0  # who goes farther in between hangs about at another place
_ECHO_M = 100.0  # a coastal radar's error; `doubles.py`
_ANCHORED = 2  # so many other large ships make a place one where ships wait; one alone does not
_LARGE = (Trade.CARGO, Trade.PASSENGER)
_SMALL = (Trade.FISHING, Trade.LEISURE)


@dataclass(frozen=True, slots=True)
class _Episodes:
    """Runs of samples of one mover each.

    Attributes:
        first, last: samples. subject: index. lat, lon: in the median.
    """

    first: Ints
    last: Ints
    subject: Ints
    begin: Floats
    end: Floats
    lat: Floats
    lon: Floats

    def __len__(self) -> int:
        return len(self.first)

    def take(self, where: Bools) -> _Episodes:
        return _Episodes(*(getattr(self, name)[where] for name in self.__slots__))

    @property
    def hours(self) -> Floats:
        return (self.end - self.begin) / 3600


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each time that somebody hung about."""
    if not len(samples_of(tracks)):
        return
    yield from _at_sea(tracks, zones, values)
    lines = [z for z in zones if z.kind == "border"]
    if lines:
        yield from _on_land(tracks, zones, lines, values)


# at sea


def _at_sea(
    tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]
) -> Iterator[Finding]:
    samples, crafts, hull = samples_of(tracks), crafts_of(tracks), same_hull_of(tracks)
    who = crafts.sea & ~crafts.own[hull]
    if not who.any():
        return
    states = states_of(tracks, zones, values["haven_m"])
    free = ~states.haven & ~states.moored & ~states.pilotage & who[samples.subject]
    slow = _slow(samples, values["loiter_kn"])
    # who is slow on a fishing ground counts as company of those beside it
    all_slow = _episodes(samples, slow, free, 1.0, 0.0)
    again = values["again_h"] * 3600
    some = _episodes(samples, slow, free & ~states.ground, values["least_h"], again)
    some = some.take(crafts.trade[hull[some.subject]] != Trade.SERVICE)
    unnamed = unnamed_of(tracks)
    some = some.take(~_usual(tracks, some, all_slow, unnamed, values))
    some = some.take(_with_others(tracks, zones, some) < 0.5)
    homes = Homes(tracks, Shore(zones), values["home_shore_m"])
    each = _one_each(some, hull)
    for n in sorted(each, key=lambda n: (float(some.begin[n]), n)):
        i, place = int(some.subject[n]), (float(some.lat[n]), float(some.lon[n]))
        span = np.array([[some.begin[n], some.end[n]]])
        lasts = float(some.begin[n]), float(some.end[n])
        known = lies_fast(tracks, states, i, *lasts) or at_berth(tracks, states, i, place, span)
        if not known and not homes.lies_at_home(i, place, *lasts):
            yield _sea_finding(tracks, states, some, n, values)


def _one_each(some: _Episodes, hull: Ints) -> list[int]:
    """Of what one hull's identities tell of the same time, the longest."""
    kept: list[int] = []
    for n in np.argsort(-some.hours, kind="stable").tolist():
        apart = all(
            hull[some.subject[k]] != hull[some.subject[n]]
            or some.end[k] < some.begin[n]
            or some.end[n] < some.begin[k]
            for k in kept
        )
        if apart:
            kept.append(n)
    return sorted(kept)


def _slow(samples: Samples, limit_kn: float) -> Bools:
    """Whether the step to the next sample lies in an hour in which less than the limit is made."""
    gone = np.concatenate(([0.0], np.cumsum(np.nan_to_num(samples.way_m))))
    n = _spans(samples, _HOUR)
    made = (gone[n + _HOUR] - gone[n]) / 3600.0 * KNOTS_PER_MS
    return _covered(len(samples), n[made < limit_kn], _HOUR)


def _spans(samples: Samples, slots: int) -> Ints:
    """Samples from which on the mover is known for so many slots without a break."""
    n = np.arange(max(0, len(samples) - slots))
    same = samples.subject[n + slots] == samples.subject[n]
    return np.flatnonzero(same & (samples.slot[n + slots] - samples.slot[n] == slots))


def _covered(count: int, begins: Ints, slots: int) -> Bools:
    """Which of `count` steps lie in one of the spans of so many steps."""
    marks = np.zeros(count + slots + 1, dtype=np.int64)
    np.add.at(marks, begins, 1)
    np.add.at(marks, begins + slots, -1)
    return np.asarray(np.cumsum(marks)[:count] > 0)


def _episodes(
    samples: Samples, steps: Bools, at: Bools, least_h: float, again_s: float
) -> _Episodes:
    """Runs of consecutive steps of a mover for which something holds, at least so long.

    Args:
        steps: whether it holds of the step from a sample to the next. at: of the sample.
        again_s: runs of one mover that are less apart are one.
    """
    k = np.flatnonzero(steps & at & np.append(at[1:], False))
    new = np.append(True, (np.diff(k) != 1) | (np.diff(samples.subject[k]) != 0))[: len(k)]
    first = k[new]
    last = k[np.append(np.flatnonzero(new)[1:], len(k)) - 1] + 1 if len(k) else k
    long = (samples.slot[last] - samples.slot[first]) * STEP_S >= least_h * 3600
    first, last = first[long], last[long]
    if len(first) > 1:
        pause = samples.t(first[1:]) - samples.t(last[:-1])
        joins = (np.diff(samples.subject[first]) == 0) & (pause <= again_s)
        for n in np.flatnonzero(joins):
            joins[n] = _stays_near(samples, int(last[n]), int(first[n + 1]))
        first, last = first[np.append(True, ~joins)], last[np.append(~joins, True)]
    middle = [
        (np.median(samples.lat[a : b + 1]), samples.lon[(a + b) // 2])
        for a, b in zip(first, last, strict=True)
    ]
    lat, lon = np.array(middle).reshape(-1, 2).T
    return _Episodes(
        first, last, samples.subject[first], samples.t(first), samples.t(last), lat, lon
    )


def _stays_near(samples: Samples, a: int, b: int) -> bool:
    """Whether the mover is never farther than _NEAR_M from sample a up to sample b."""
    lat, lon = samples.lat[a : b + 1], samples.lon[a : b + 1]
    way = plane_m(np.full(len(lat), lat[0]), np.full(len(lat), lon[0]), lat, lon)
    return bool(way.max() <= _NEAR_M)


def _usual(
    tracks: Tracks,
    some: _Episodes,
    all_slow: _Episodes,
    unnamed: Bools,
    values: Mapping[str, float],
) -> Bools:
    """Whether being slow is what is usual there and then, for craft like this."""
    trade, hull = crafts_of(tracks).trade, same_hull_of(tracks)
    reach = values["ground_nm"] * METRES_PER_NAUTICAL_MILE
    company = all_slow.take(~_fixtures(tracks, all_slow, unnamed, values["fixed_h"]))
    together = values["together_share"]
    others, large = _around(some, company, reach, trade, hull, unnamed, together, REACH_M)
    own = trade[hull[some.subject]]
    small = np.isin(own, _SMALL)
    usual = others >= np.where(small, 1, values["ground_least"])
    odd = np.isin(own, _LARGE) & (large < _ANCHORED)
    return np.asarray(usual & ~odd)


def _fixtures(tracks: Tracks, some: _Episodes, unnamed: Bools, fixed_h: float) -> Bools:
    """Whether each is a thing that lies where it is: nobody names it, and it does not move.

    A buoy, a wreck or a hulk is no company: that it is there tells nothing of who else lies there.
    """
    samples = samples_of(tracks)
    moved = plane_m(
        samples.lat[some.first], samples.lon[some.first],
        samples.lat[some.last], samples.lon[some.last],
    )  # fmt: skip
    return np.asarray(unnamed[some.subject] & (some.hours >= fixed_h) & (moved <= REACH_M))


def _around(
    some: _Episodes,
    others: _Episodes,
    reach_m: float,
    trade: np.ndarray,
    hull: Ints,
    unnamed: Bools,
    share: float = 0.0,
    echo_m: float = _ECHO_M,
) -> tuple[Ints, Ints]:
    """How many others have an episode that overlaps near each; and how many of these are large.

    Who names nobody and lies where another lies may be its echo, and is no other.

    Args:
        share: of an episode that the other's must overlap. echo_m: how far an echo may lie.
    """
    none = np.zeros(len(some), np.int64), np.zeros(len(others), np.int64)
    a, b, far = near_between(
        none[0], some.lat, some.lon, none[1], others.lat, others.lon, max(reach_m, 1.0)
    )
    both = np.minimum(some.end[a], others.end[b]) - np.maximum(some.begin[a], others.begin[b])
    one, two = hull[some.subject[a]], hull[others.subject[b]]
    echo = (far <= echo_m) & (unnamed[others.subject[b]] | unnamed[some.subject[a]])
    counts = (both >= 0) & (one != two) & ~echo
    pairs, which = np.unique(np.column_stack((a, two))[counts], axis=0, return_inverse=True)
    together = np.bincount(which.ravel(), both[counts], minlength=len(pairs))
    pairs = pairs[together >= share * (some.end - some.begin)[pairs[:, 0]]]
    large = np.isin(trade[pairs[:, 1]], _LARGE)
    return (
        np.bincount(pairs[:, 0], minlength=len(some)),
        np.bincount(pairs[large, 0], minlength=len(some)),
    )


def _with_others(tracks: Tracks, zones: Sequence[Zone], some: _Episodes) -> Floats:
    """The part of each episode that it spends in a meeting with another craft.

    Not with what may be its own echo: a radar may begin to see a ship where she stops.
    """
    met = encounter.meetings(tracks, zones, encounter.CARD.values())
    share = np.zeros(len(some))
    if not len(met):
        return share
    hull, unnamed = same_hull_of(tracks), unnamed_of(tracks)
    sure = (met.far_m > _ECHO_M) | ~(unnamed[met.one] | unnamed[met.two])
    whose = hull[np.concatenate((met.one[sure], met.two[sure]))]
    begin, end = (np.concatenate((v[sure], v[sure])) for v in (met.begin, met.end))
    mine = hull[some.subject]
    for n in np.flatnonzero(np.isin(mine, whose)):
        own = whose == mine[n]
        cut = np.minimum(end[own], some.end[n]) - np.maximum(begin[own], some.begin[n])
        share[n] = np.clip(cut, 0, None).max() / max(some.end[n] - some.begin[n], 1.0)
    return share


def _sea_finding(
    tracks: Tracks, states: States, some: _Episodes, n: int, values: Mapping[str, float]
) -> Finding:
    samples = samples_of(tracks)
    i, hours = int(some.subject[n]), float(some.hours[n])
    own = slice(int(some.first[n]), int(some.last[n]) + 1)
    made = float(np.nansum(samples.way_m[own][:-1])) / max(hours * 3600, 1.0) * KNOTS_PER_MS
    lat, lon = float(some.lat[n]), float(some.lon[n])
    spread = plane_m(
        np.full(own.stop - own.start, lat), np.full(own.stop - own.start, lon),
        samples.lat[own], samples.lon[own],
    )  # fmt: skip
    still = float(states.still[own].mean())
    middle = (some.begin[n] + some.end[n]) / 2
    night = bool(is_night(*(np.array([v]) for v in (middle, lat, lon)))[0])
    reasons = [
        Reason(
            "least_h", round(hours, 1), "h", values["least_h"], "So long it hung about, in no port."
        ),
        Reason(
            "loiter_kn",
            round(made, 2),
            "kn",
            values["loiter_kn"],
            "It made so much way on average.",
        ),
        Reason(
            "still_share",
            round(still, 2),
            "1",
            None,
            "In this part of the time it lay still, as at anchor; else it drifted.",
        ),
    ]
    if night:
        reasons.append(Reason("night", 1, "1", None, "It was dark."))
    confidence = 0.45 + 0.1 * min(2.0, hours / values["least_h"] - 1) + 0.1 * (1 - still)
    return Finding.make(
        kind=CARD.kind,
        subjects=names_within(tracks, i, float(some.begin[n]), float(some.end[n])),
        start=moment(float(some.begin[n])),
        end=moment(float(some.end[n])),
        place=point(lat, lon),
        radius_m=max(100, round(float(np.quantile(spread, 0.9)))),
        confidence=min(0.9, confidence + 0.05 * night),
        reasons=reasons,
        records=spread_records(tracks, i, float(some.begin[n]), float(some.end[n])),
        detector=CARD.name,
        version=CARD.version,
    )


# on land


def _on_land(
    tracks: Tracks, zones: Sequence[Zone], lines: Sequence[Zone], values: Mapping[str, float]
) -> Iterator[Finding]:
    samples, crafts, hull = samples_of(tracks), crafts_of(tracks), same_hull_of(tracks)
    who = (crafts.land & ~crafts.own[hull])[samples.subject]
    some = _episodes(samples, _stands(samples, values), who, 0.0, 0.0)
    everybody = some
    away = _from_lines(lines, some, values["line_m"])
    some, away = some.take(away <= values["line_m"]), away[away <= values["line_m"]]
    crossings = [z for z in zones if z.kind == "official_crossing"]
    open_ = ~within(crossings, some.lat, some.lon, values["crossing_m"])
    open_ &= ~in_havens(zones, some.lat, some.lon, values["crossing_m"])
    dark = np.array(
        [
            is_night(np.arange(a, b + 1, STEP_S), np.array([lat]), np.array([lon])).mean()
            for a, b, lat, lon in zip(some.begin, some.end, some.lat, some.lon, strict=True)
        ]
    )
    needed = np.where(dark > 0.5, values["stand_night_min"], values["stand_day_min"])
    # a stay begins and ends between two moments of the grid, which cut a step off it on average
    long = some.hours * 60 + STEP_S / 60 >= needed
    lives = some.hours >= values["home_h"]
    # on land a track that nobody names is a party, but where it is known to be somebody's echo
    named = np.zeros(len(tracks.subjects), dtype=np.bool_)
    others, _ = _around(some, everybody, values["market_m"], crafts.trade, hull, named)
    alone = others < values["ground_least"]
    told = [
        n
        for n in np.flatnonzero(open_ & long & ~lives & alone).tolist()
        if not _comes_back(everybody, some, n, values["stand_m"])
    ]
    who_stands = some.subject[told]
    nowhere_else = [None] * len(told)
    for those in seen_together(tracks, who_stands, some.begin[told], some.end[told], nowhere_else):
        n = told[those[0]]
        found = _land_finding(tracks, some, n, float(away[n]), float(dark[n]), values)
        names = {tracks.subjects[int(who_stands[k])] for k in those}
        yield found if len(those) == 1 else replace(found, subjects=tuple(sorted(names)))


def _stands(samples: Samples, values: Mapping[str, float]) -> Bools:
    """Whether the step to the next sample lies in a span of `stand_night_min` at one place."""
    slots = max(1, int(values["stand_night_min"] * 60 // STEP_S))
    n = _spans(samples, slots)
    for step in range(1, slots + 1):
        way = plane_m(samples.lat[n], samples.lon[n], samples.lat[n + step], samples.lon[n + step])
        n = n[way <= values["stand_m"]]
    return _covered(len(samples), n, slots)


def _from_lines(lines: Sequence[Zone], some: _Episodes, most_m: float) -> Floats:
    """Distance (m) of each episode from the nearest border line; infinite where far beyond."""
    best = np.full(len(some), np.inf)
    for zone in lines:
        near = within([zone], some.lat, some.lon, most_m)
        if zone.geometry.geom_type.endswith("LineString"):
            edge = zone
        else:  # a polygon's edge is the line
            edge = Zone(zone.id, zone.name, zone.kind, zone.geometry.boundary)
        k = np.flatnonzero(near)
        if len(k):
            best[k] = np.minimum(best[k], geometry.distance_to(edge, some.lat[k], some.lon[k]))
    return best


def _comes_back(everybody: _Episodes, some: _Episodes, n: int, reach_m: float) -> bool:
    """Whether it stands at that place at another time too: it lives or works there."""
    own = (everybody.subject == some.subject[n]) & (everybody.first != some.first[n])
    way = plane_m(
        np.full(int(own.sum()), some.lat[n]), np.full(int(own.sum()), some.lon[n]),
        everybody.lat[own], everybody.lon[own],
    )  # fmt: skip
    return bool((way <= reach_m).any())


def _land_finding(
    tracks: Tracks,
    some: _Episodes,
    n: int,
    away: float,
    dark: float,
    values: Mapping[str, float],
) -> Finding:
    i, minutes = int(some.subject[n]), float(some.hours[n]) * 60
    name = "stand_night_min" if dark > 0.5 else "stand_day_min"
    reasons = [
        Reason(
            name,
            round(minutes),
            "min",
            values[name],
            f"So long it stood about {'in the dark' if dark > 0.5 else 'by day'}, at no crossing.",
        ),
        Reason("line_m", round(away), "m", values["line_m"], "The border line lies so far away."),
    ]
    confidence = 0.4 + 0.2 * (dark > 0.5) + 0.15 * (1 - away / values["line_m"])
    return Finding.make(
        kind=CARD.kind,
        subjects=[tracks.subjects[i]],
        start=moment(float(some.begin[n])),
        end=moment(float(some.end[n])),
        place=point(float(some.lat[n]), float(some.lon[n])),
        radius_m=values["stand_m"],
        confidence=min(0.9, confidence + 0.05 * min(2.0, minutes / values[name] - 1)),
        reasons=reasons,
        records=spread_records(tracks, i, float(some.begin[n]), float(some.end[n])),
        detector=CARD.name,
        version=CARD.version,
    )
