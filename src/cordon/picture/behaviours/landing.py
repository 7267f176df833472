"""Landings in the dark on open beaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import point
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE
from cordon.picture.behaviours import false_position
from cordon.picture.model import Zone
from cordon.picture.shared.crafts import Trade, crafts_of
from cordon.picture.shared.doubles import same_hull_of
from cordon.picture.shared.evidence import names_within, spread_records
from cordon.picture.shared.nearness import near_pairs, plane_m
from cordon.picture.shared.numbering import different_pairs
from cordon.picture.shared.samples import followed_of, speeds_of
from cordon.picture.shared.shore import Shore
from cordon.picture.shared.states import in_havens, states_of
from cordon.picture.shared.sun import height_deg, is_night
from cordon.picture.tracks import Bools, Floats, Ints, Tracks, moment

CARD = load_card(__file__)
_NO_BEACH = (Trade.SERVICE, Trade.PASSENGER, Trade.CARGO)
_INWARD_S = 300.0  # over so long it must have come nearer to the shore before it is lost
_FAR_M = 1e6
_SAME_S = 1800.0
_STOOD_S = 3600.0
_ON_THE_WAY_S = np.arange(1, 5) * 300.0  # before the first of two comes to the shore


@dataclass(frozen=True, slots=True)
class _Arrivals:
    """Ends of ways: a craft that was under way has slowed or is heard no more.

    Attributes:
        subject: index. fix: the last fast fix (place in the paths). last: the last fix before it
            goes on or is lost. begin, end: s. lat, lon: where it ends. lost: heard no more.
    """

    subject: Ints
    fix: Ints
    last: Ints
    begin: Floats
    end: Floats
    lat: Floats
    lon: Floats
    lost: Bools

    def __len__(self) -> int:
        return len(self.subject)

    def take(self, where: Bools) -> _Arrivals:
        return _Arrivals(*(getattr(self, name)[where] for name in self.__slots__))


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each landing that is not what is usual at that beach."""
    shore = Shore(zones)
    if not shore.known or not len(tracks):
        return
    crafts, hull = crafts_of(tracks), same_hull_of(tracks)
    who = crafts.sea & ~crafts.own[hull] & ~np.isin(crafts.trade[hull], _NO_BEACH)
    some = _arrivals(tracks, who, values)
    false = false_position.untrue_of(tracks, zones)
    # by where it came to stand: a circle is known some minutes after it began
    soon = np.minimum(some.begin + _STOOD_S, some.end)
    some = some.take(~false.during(some.subject, some.begin, soon))
    away = shore.distance_m(some.lat, some.lon, max(values["shore_m"], values["lost_m"]))
    ashore = np.isfinite(away)
    some, away = some.take(ashore), away[ashore]
    if not len(some):
        return
    states = states_of(tracks, zones, values["haven_m"])
    stood = (away <= values["shore_m"]) & (some.end - some.begin >= values["stand_min"] * 60)
    stood |= some.lost & (away <= values["lost_m"])
    # what a radar sees for a moment in the surf is nobody who lands there
    lives = np.diff(followed_of(tracks).starts)[some.subject] >= values["least_fixes"]
    some, away = some.take(stood & lives), away[stood & lives]
    told = is_night(some.begin, some.lat, some.lon)
    told &= ~in_havens(zones, some.lat, some.lon, values["haven_m"])
    told &= ~states.near_mooring(some.lat, some.lon, values["haven_m"])
    party = _parties(tracks, some, hull, values)
    told &= _others(some, hull, party, values["home_m"]) < values["beach_least"]
    seen: list[tuple[int, float]] = []
    landed: dict[int, list[Finding]] = {}
    for n in np.flatnonzero(told):
        finding = _landing(tracks, shore, some, int(n), float(away[n]), values)
        key = int(hull[some.subject[n]]), float(some.begin[n])
        # by radar and by AIS it is one landing
        if finding is None or any(k == key[0] and abs(t - key[1]) < _SAME_S for k, t in seen):
            continue
        seen.append(key)
        landed.setdefault(int(party[n]), []).append(finding)
    for those in landed.values():
        yield those[0] if len(those) == 1 else _of_party(those)


def _arrivals(tracks: Tracks, who: Bools, values: Mapping[str, float]) -> _Arrivals:
    # loads what is compiled
    from cordon.picture import trackkernel as kernel

    paths = followed_of(tracks)
    speed = speeds_of(tracks)
    k = np.flatnonzero((speed >= values["came_kn"]) & who[paths.subject])
    whole, real = np.empty(0, np.int64), np.empty(0)
    if not len(k):
        return _Arrivals(whole, whole, whole, real, real, real, real, np.empty(0, np.bool_))
    ends = paths.starts[paths.subject[k] + 1]
    following = np.append(k[1:], ends[-1])
    # the next fast fix of the same craft, or the end of its fixes
    following = np.minimum(following, ends)
    silent = values["silent_min"] * 60
    own_end = following == ends
    breaks = np.append((np.diff(paths.t) > silent) | (np.diff(paths.subject) != 0), True)
    lull = (following - k > 1) | own_end | breaks[k]
    k, following, own_end = k[lull], following[lull], own_end[lull]
    last, lost = _heard_to(paths.t, breaks, k, following, own_end, silent)
    # where it lay in between: amid the slow fixes, of which one may be off by a radar's error,
    # or at the last fast one
    lat, lon = paths.lat[k].copy(), paths.lon[k].copy()
    quiet = last > k
    lat[quiet], lon[quiet] = kernel.middles(paths.lat, paths.lon, k[quiet] + 1, last[quiet])
    keep = quiet | lost
    slow = np.concatenate(([0], np.cumsum(speed < values["slow_kn"])))
    halted = slow[last + 1] - slow[np.minimum(k + 1, last + 1)] > 0
    keep &= halted | lost
    begin = paths.t[np.where(quiet, k + 1, k)]
    return _Arrivals(paths.subject[k], k, last, begin, paths.t[last], lat, lon, lost).take(keep)


def _heard_to(
    t: Floats, breaks: Bools, k: Ints, following: Ints, own_end: Bools, silent: float
) -> tuple[Ints, Bools]:
    """The last fix from k on before a silence or the next fast one; whether a silence ends it.

    Args:
        breaks: the fixes after which there is a silence, or no other of the craft.
        following: the next fast fix, or the end of the craft's fixes where `own_end`.
    """
    at = np.flatnonzero(breaks)
    first = at[np.searchsorted(at, k)]
    lost = (first < following - 1) | ((first == following - 1) & ~own_end)
    lost |= own_end & (first == following - 1) & (t.max() - t[following - 1] > silent)
    return np.minimum(first, following - 1), lost


def _parties(tracks: Tracks, some: _Arrivals, hull: Ints, values: Mapping[str, float]) -> Ints:
    """For each arrival the party that it belongs to: who came in side by side is one.

    More than `beside_most` are a fleet that comes home, of which each is by itself.
    """
    own = np.arange(len(some))
    a, b = _near_shores(some, hull, values["home_m"])
    soon = np.abs(some.begin[a] - some.begin[b]) <= _SAME_S
    a, b = a[soon], b[soon]
    if not len(a):
        return own
    t = (np.minimum(some.begin[a], some.begin[b])[:, None] - _ON_THE_WAY_S).ravel()
    paths, looks = followed_of(tracks), len(_ON_THE_WAY_S)
    ends = [paths.at(np.repeat(some.subject[of], looks), t) for of in (a, b)]
    far = plane_m(*ends[0], *ends[1]).reshape(-1, looks)
    known = np.isfinite(far).sum(axis=1)
    with np.errstate(invalid="ignore"):
        beside = (far <= values["beside_m"]).sum(axis=1)
    together = (known >= 2) & (beside == known)
    ones = np.ones(int(together.sum()), np.bool_)
    ties = coo_matrix((ones, (a[together], b[together])), shape=(len(some), len(some)))
    party = len(some) + connected_components(ties, directed=False)[1].astype(np.int64)
    pairs = different_pairs(party, hull[some.subject])
    many = np.bincount(pairs[:, 0]) > values["beside_most"]
    return np.where(many[party], own, party)


def _near_shores(some: _Arrivals, hull: Ints, reach_m: float) -> tuple[Ints, Ints]:
    """Pairs of arrivals of different hulls at one place of the shore."""
    a, b, _ = near_pairs(np.zeros(len(some), np.int64), some.lat, some.lon, max(reach_m, 1.0))
    apart = hull[some.subject[a]] != hull[some.subject[b]]
    return a[apart], b[apart]


def _others(some: _Arrivals, hull: Ints, party: Ints, reach_m: float) -> Ints:
    """How many others come to the shore within reach of each arrival, by day or night, and not
    together with it."""
    whose = hull[some.subject]
    a, b = _near_shores(some, hull, reach_m)
    alone = party[a] != party[b]
    a, b = a[alone], b[alone]
    pairs = different_pairs(np.concatenate((a, b)), np.concatenate((whose[b], whose[a])))
    return np.bincount(pairs[:, 0], minlength=len(some)).astype(np.int64)


def _landing(
    tracks: Tracks,
    shore: Shore,
    some: _Arrivals,
    n: int,
    away: float,
    values: Mapping[str, float],
) -> Finding | None:
    """The finding, or None where it came from no sea, comes home, or passes by."""
    paths = followed_of(tracks)
    i, k = int(some.subject[n]), int(some.fix[n])
    lat, lon = float(some.lat[n]), float(some.lon[n])
    own = np.arange(int(paths.starts[i]), k + 1)
    way = plane_m(np.full(len(own), lat), np.full(len(own), lon), paths.lat[own], paths.lon[own])
    # the trip begins where it was last near this beach before; there it would come home
    late = own[paths.t[own] >= some.begin[n] - values["sea_h"] * 3600]
    out = shore.distance_m(paths.lat[late], paths.lon[late], _FAR_M)
    farthest = int(late[int(np.argmax(out))])
    if out.max() < values["sea_nm"] * METRES_PER_NAUTICAL_MILE:
        return None
    if bool((way[own < farthest] <= values["home_m"]).any()):
        return None
    if some.lost[n] and away > values["shore_m"] and not _inward(tracks, shore, some, n):
        return None
    minutes = (float(some.end[n]) - float(some.begin[n])) / 60
    sun = float(height_deg(*(np.array([v]) for v in (some.begin[n], lat, lon)))[0])
    stood = minutes >= values["stand_min"] and away <= values["shore_m"]
    reasons = [
        Reason(
            "shore_m" if stood else "lost_m",
            round(away),
            "m",
            values["shore_m" if stood else "lost_m"],
            "So near to land it stood."
            if stood
            else "So near to land it was heard last, heading for it.",
        ),
        Reason(
            "stand_min",
            round(minutes, 1),
            "min",
            values["stand_min"] if stood else None,
            "So long it was heard at the shore"
            + (", and then no more." if some.lost[n] else "; then it went away again."),
        ),
        Reason(
            "sea_nm",
            round(float(out.max()) / METRES_PER_NAUTICAL_MILE, 1),
            "nm",
            values["sea_nm"],
            "So far out it had been before.",
        ),
        Reason("sun_deg", round(sun, 1), "deg", -6.0, "So low the sun stood: it was dark."),
    ]
    start = float(some.begin[n])
    return Finding.make(
        kind=CARD.kind,
        subjects=names_within(tracks, i, start - 600.0, float(some.end[n])),
        start=moment(start),
        end=moment(float(some.end[n])),
        place=point(lat, lon),
        radius_m=max(100.0, round(away)),
        confidence=0.75 if stood else 0.6,
        reasons=reasons,
        records=spread_records(tracks, i, start - 1800.0, float(some.end[n])),
        detector=CARD.name,
        version=CARD.version,
    )


def _of_party(those: Sequence[Finding]) -> Finding:
    """One finding of craft that landed together: what is told of the surest, and who else did."""
    main = max(those, key=lambda f: f.confidence)
    reason = Reason("beside_m", len(those), "1", None, "So many came in side by side and landed.")
    return Finding.make(
        kind=CARD.kind,
        subjects=sorted({s for f in those for s in f.subjects}),
        start=min(f.start for f in those),
        end=max(f.end for f in those),
        place=main.place,
        radius_m=main.radius_m,
        confidence=main.confidence,
        reasons=[*main.reasons, reason],
        records=list(dict.fromkeys(r for f in those for r in f.records)),
        detector=CARD.name,
        version=CARD.version,
    )


def _inward(tracks: Tracks, shore: Shore, some: _Arrivals, n: int) -> bool:
    """Whether it came nearer to the shore in its last minutes, and mostly straight."""
    paths = followed_of(tracks)
    last = float(some.end[n])
    t = np.array([last - _INWARD_S, last])
    lat, lon = paths.at(np.full(2, some.subject[n]), t)
    if not np.isfinite(lat).all():
        return False
    far = shore.distance_m(lat, lon, _FAR_M)
    gone = float(plane_m(lat[:1], lon[:1], lat[1:], lon[1:])[0])
    return bool(far[0] - far[1] >= 0.5 * gone > 0)
