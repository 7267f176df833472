"""Smuggling by relay: a fast craft from the shore meets a slow one outside, and goes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import point
from cordon.kernel.units import KNOTS_PER_MS, METRES_PER_NAUTICAL_MILE
from cordon.picture.behaviours import false_position
from cordon.picture.model import Zone
from cordon.picture.shared.crafts import Trade, crafts_of
from cordon.picture.shared.doubles import same_hull_of
from cordon.picture.shared.evidence import names_within, spread_records
from cordon.picture.shared.nearness import near_between, plane_m
from cordon.picture.shared.samples import STEP_S, followed_of, samples_of, speeds_of
from cordon.picture.shared.shore import Shore
from cordon.picture.shared.states import States, in_havens, states_of
from cordon.picture.shared.sun import is_night
from cordon.picture.tracks import Bools, Floats, Ints, Tracks, moment

CARD = load_card(__file__)
_LEAST_FAST = 2  # fixes above fast_kn on either side of a stop: one may be an error
_FINE_S = 15.0
_LONGEST_STOP_S = 2 * 3600.0
_FAR_M = 1e6
_WELL_IN = 0.7  # who has come so much nearer to the shore is on the way back
_AROUND_S = 600.0  # before and after the contact, to see how fast the slow one goes


@dataclass(frozen=True, slots=True)
class _Stops:
    """Stops of fast craft at sea, arrays of one length.

    Attributes:
        subject: index. first, last: fixes (places in the paths) of the stop. begin, end: s,
            from the last fast fix before to the first one after. lat, lon: where (degrees).
    """

    subject: Ints
    first: Ints
    last: Ints
    begin: Floats
    end: Floats
    lat: Floats
    lon: Floats

    def __len__(self) -> int:
        return len(self.subject)

    def take(self, where: Bools) -> _Stops:
        return _Stops(*(getattr(self, name)[where] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class _Contact:
    """What was seen of two side by side: when (s), how near (m), how fast the other went (kn)."""

    other: int
    begin: float
    end: float
    least_m: float
    other_kn: float


@dataclass(frozen=True, slots=True)
class _Trip:
    """A stop, how far from shore, and the fixes nearest to the shore before and after it."""

    out_m: float
    left: int
    left_m: float
    back: int
    back_m: float
    returned: bool  # else it was on its way back when it was heard last


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each fast craft and slow craft that met so."""
    shore = Shore(zones)
    if not shore.known or not len(samples_of(tracks)):
        return
    crafts, hull = crafts_of(tracks), same_hull_of(tracks)
    who = crafts.sea & ~crafts.own[hull]
    who &= ~np.isin(crafts.trade[hull], (Trade.SERVICE, Trade.PASSENGER))
    stops = _stops(tracks, who, values)
    false = false_position.untrue_of(tracks, zones)
    stops = stops.take(~false.during(stops.subject, stops.begin, stops.end))
    out = shore.distance_m(stops.lat, stops.lon, values["out_nm"] * METRES_PER_NAUTICAL_MILE)
    stops = stops.take(~np.isfinite(out))
    if not len(stops):
        return
    states = states_of(tracks, zones, values["haven_m"])
    found: dict[tuple[int, int], list[tuple[int, _Contact, _Trip]]] = {}
    partners: dict[int, set[int]] = {}
    for n, other in _beside(tracks, stops, states, who, values):
        contact = _contact(tracks, stops, n, other, values)
        if contact is None:
            continue
        span = np.array([contact.begin]), np.array([contact.end])
        if false.during(np.array([other]), *span).any():
            continue
        fast, slow = int(hull[stops.subject[n]]), int(hull[other])
        partners.setdefault(fast, set()).add(slow)
        trip = _trip(tracks, stops, n, shore, zones, states, values)
        if trip is not None:
            found.setdefault((fast, slow), []).append((n, contact, trip))
    for (fast, _), met in sorted(found.items()):
        if len(partners[fast]) < values["serving_least"]:
            yield _finding(tracks, stops, met, values)


def _stops(tracks: Tracks, who: Bools, values: Mapping[str, float]) -> _Stops:
    """Where craft that go fast before and after make less than `stop_kn` in between."""
    paths = followed_of(tracks)
    speed = speeds_of(tracks)
    fast = (speed > values["fast_kn"]) & who[paths.subject]
    many = np.bincount(paths.subject[fast], minlength=len(who)) >= 2 * _LEAST_FAST
    mine = many[paths.subject]
    # runs of fixes that are not fast, between two fast ones of the same craft
    k = np.flatnonzero(fast & mine)
    if len(k) < 2:
        return _none()
    gap = (np.diff(k) > 1) & (np.diff(paths.subject[k]) == 0)
    a, b = k[:-1][gap], k[1:][gap]
    brief = paths.t[b] - paths.t[a] <= _LONGEST_STOP_S
    a, b = a[brief], b[brief]
    slow = np.concatenate(([0], np.cumsum(speed <= values["stop_kn"])))
    halts = slow[b] - slow[a + 1] > 0
    a, b = a[halts], b[halts]
    if not len(a):
        return _none()
    middle = np.array(
        [
            (np.median(paths.lat[i + 1 : j][still]), np.median(paths.lon[i + 1 : j][still]))
            for i, j in zip(a, b, strict=True)
            for still in (speed[i + 1 : j] <= values["stop_kn"],)
        ]
    )
    return _Stops(
        paths.subject[a], a + 1, b - 1, paths.t[a], paths.t[b], middle[:, 0], middle[:, 1]
    )


def _none() -> _Stops:
    whole, real = np.empty(0, np.int64), np.empty(0)
    return _Stops(whole, whole, whole, real, real, real, real)


def _beside(
    tracks: Tracks, stops: _Stops, states: States, who: Bools, values: Mapping[str, float]
) -> Iterator[tuple[int, int]]:
    """Stops, and others that may lie within reach there: by the common grid, generously."""
    samples, hull = samples_of(tracks), same_hull_of(tracks)
    free = np.flatnonzero(who[samples.subject] & ~states.haven & ~states.moored & ~states.pilotage)
    reach = values["contact_m"] + values["stop_kn"] / KNOTS_PER_MS * STEP_S
    found = set()
    middle = (stops.begin + stops.end) / 2
    for slot in (np.floor(middle / STEP_S), np.ceil(middle / STEP_S)):
        a, b, _ = near_between(
            slot.astype(np.int64), stops.lat, stops.lon,
            samples.slot[free], samples.lat[free], samples.lon[free], reach,
        )  # fmt: skip
        others = samples.subject[free[b]]
        apart = hull[others] != hull[stops.subject[a]]
        found |= set(zip(a[apart].tolist(), others[apart].tolist(), strict=True))
    yield from sorted(found)


def _contact(
    tracks: Tracks, stops: _Stops, n: int, other: int, values: Mapping[str, float]
) -> _Contact | None:
    """The two side by side for long enough, the other one slow; else None."""
    paths = followed_of(tracks)
    t = np.arange(stops.begin[n], stops.end[n] + _FINE_S, _FINE_S)
    lat, lon = paths.at(np.full(len(t), stops.subject[n]), t)
    lat2, lon2 = paths.at(np.full(len(t), other), t)
    far = plane_m(lat, lon, lat2, lon2)
    near = np.flatnonzero(far <= values["contact_m"])
    if not len(near) or len(near) * _FINE_S < values["contact_min"] * 60:
        return None
    begin, end = float(t[near[0]]), float(t[near[-1]])
    ends = np.array([begin - _AROUND_S, begin, end, end + _AROUND_S])
    y, x = paths.at(np.full(4, other), ends)
    known = np.isfinite(y)
    y, x, ends = y[known], x[known], ends[known]
    if len(y) < 2:
        return None
    way = float(plane_m(y[:-1], x[:-1], y[1:], x[1:]).sum())
    made = way / max(float(ends[-1] - ends[0]), _FINE_S) * KNOTS_PER_MS
    if made > values["stop_kn"]:
        return None
    return _Contact(other, begin, end, float(np.nanmin(far)), made)


def _trip(
    tracks: Tracks,
    stops: _Stops,
    n: int,
    shore: Shore,
    zones: Sequence[Zone],
    states: States,
    values: Mapping[str, float],
) -> _Trip | None:
    """From the shore, and back to it or well on the way; None where that is not seen, or where
    both ends are in port."""
    paths = followed_of(tracks)
    i = int(stops.subject[n])
    whole = values["trip_h"] * 3600
    low, high = int(paths.starts[i]), int(paths.starts[i + 1])
    before = np.arange(low, int(stops.first[n]))
    before = before[paths.t[before] >= stops.begin[n] - whole]
    after = np.arange(int(stops.last[n]) + 1, high)
    after = after[paths.t[after] <= stops.end[n] + whole]
    reach = values["shore_m"]
    far = [shore.distance_m(paths.lat[k], paths.lon[k], reach) for k in (before, after)]
    if not len(after) or not np.isfinite(far[0]).any():
        return None
    out = shore.distance_m(stops.lat[n : n + 1], stops.lon[n : n + 1], _FAR_M)
    returned = bool(np.isfinite(far[1]).any())
    # the last time that it was near before, the first time after
    left = int(before[np.flatnonzero(np.isfinite(far[0]))[-1]])
    back = int(after[np.flatnonzero(np.isfinite(far[1]))[0]] if returned else after[-1])
    # and how near it came around these
    left_m = float(far[0][np.isfinite(far[0])].min())
    if returned:
        back_m = float(far[1][np.isfinite(far[1])].min())
    else:
        back_m = float(shore.distance_m(paths.lat[[back]], paths.lon[[back]], _FAR_M)[0])
        if back != high - 1 or back_m > _WELL_IN * float(out[0]):
            return None
    ends = np.array([left, back] if returned else [left])
    lat, lon = paths.lat[ends], paths.lon[ends]
    port = in_havens(zones, lat, lon, values["haven_m"])
    port |= states.near_mooring(lat, lon, values["haven_m"])
    if port.all():
        return None
    return _Trip(float(out[0]), left, left_m, back, back_m, returned)


def _finding(
    tracks: Tracks,
    stops: _Stops,
    met: Sequence[tuple[int, _Contact, _Trip]],
    values: Mapping[str, float],
) -> Finding:
    paths = followed_of(tracks)
    n, contact, trip = met[0]
    fast, slow = int(stops.subject[n]), contact.other
    begin, end = float(paths.t[met[0][2].left]), float(paths.t[met[-1][2].back])
    lat, lon = float(stops.lat[n]), float(stops.lon[n])
    night = bool(is_night(*(np.array([v]) for v in (contact.begin, lat, lon)))[0])
    speed = speeds_of(tracks)
    top = float(np.nanmax(speed[trip.left : trip.back + 1]))
    minutes = (contact.end - contact.begin) / 60
    far = trip.out_m / METRES_PER_NAUTICAL_MILE
    reasons = [
        Reason(
            "contact_m",
            round(contact.least_m),
            "m",
            values["contact_m"],
            f"{tracks.subjects[fast]} came so near to {tracks.subjects[slow]}.",
        ),
        Reason(
            "contact_min", round(minutes, 1), "min", values["contact_min"], "And stayed so long."
        ),
        Reason("out_nm", round(far, 1), "nm", values["out_nm"], "They met so far from the shore."),
        Reason(
            "fast_kn",
            round(top, 1),
            "kn",
            values["fast_kn"],
            "So fast it went on the way out or back.",
        ),
        Reason(
            "stop_kn",
            round(contact.other_kn, 1),
            "kn",
            values["stop_kn"],
            "The slow one made so much way meanwhile.",
        ),
        Reason(
            "shore_m",
            round(max(trip.left_m, trip.back_m) if trip.returned else trip.left_m),
            "m",
            values["shore_m"],
            "It came from and went back to within so much of the shore."
            if trip.returned
            else f"It came from within so much of the shore, and was {trip.back_m:.0f} m off it on "
            "its way back when it was heard last.",
        ),
        Reason(
            "trip_h",
            round((float(paths.t[trip.back]) - float(paths.t[trip.left])) / 3600, 1),
            "h",
            2 * values["trip_h"],
            "So long it was away from the shore.",
        ),
    ]
    times = len({round(m[1].begin / _AROUND_S) for m in met})
    if times > 1:
        reasons.append(Reason("times", times, "1", None, "So many times it went there."))
    if night:
        reasons.append(Reason("night", 1, "1", None, "It was dark."))
    confidence = (0.55 if trip.returned else 0.4) + 0.15 * night + 0.05 * min(3, times - 1)
    confidence += 0.1 * min(1.0, (top - values["fast_kn"]) / 15)
    return Finding.make(
        kind=CARD.kind,
        subjects=[
            *names_within(tracks, fast, begin, end),
            *names_within(tracks, slow, contact.begin, contact.end),
        ],
        start=moment(begin),
        end=moment(end),
        place=point(lat, lon),
        radius_m=values["contact_m"],
        confidence=min(0.95, confidence),
        reasons=reasons,
        records=[
            *spread_records(tracks, fast, begin, end),
            *spread_records(tracks, slow, contact.begin, contact.end, 8),
        ],
        detector=CARD.name,
        version=CARD.version,
    )
