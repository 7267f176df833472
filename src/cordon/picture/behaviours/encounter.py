"""Meetings at sea: two craft side by side for long, or for minutes near the coast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import point
from cordon.kernel.units import KNOTS_PER_MS, METRES_PER_NAUTICAL_MILE
from cordon.picture.behaviours import false_position
from cordon.picture.model import Zone
from cordon.picture.shared.company import bands
from cordon.picture.shared.crafts import Trade, crafts_of
from cordon.picture.shared.doubles import same_hull_of
from cordon.picture.shared.evidence import names_within, spread_records
from cordon.picture.shared.meetings import Meetings, meetings_of, needed_minutes
from cordon.picture.shared.moorings import at_berth, lies_fast
from cordon.picture.shared.nearness import near_pairs, plane_m
from cordon.picture.shared.numbering import different_pairs
from cordon.picture.shared.samples import followed_of, samples_of
from cordon.picture.shared.states import States, in_havens, states_of
from cordon.picture.shared.sun import is_night
from cordon.picture.tracks import Bools, Floats, Ints, Tracks, moment
from cordon.picture.zones import METRES_PER_DEGREE

CARD = load_card(__file__)
_DAY_S = 86_400.0
_AROUND_S = np.arange(15, 61, 5) * 60.0  # before and after a meeting, to see who sails in company
_MOVE_S = 300.0
_ALIKE = 0.3  # velocities that differ by less are those of company: by 15° or a quarter in speed
_MOST_RECORDS = 40
_LAY, _LAY_S = 1.5, 1800.0  # of a meeting, and so much more, those who came for it lie still
_LAY_MOST_S = 6 * 3600.0  # who lies still for longer beside another is at anchor
_LARGE = (Trade.CARGO, Trade.PASSENGER)


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each pair, or group, whose meeting is not what is usual there."""
    met = meetings(tracks, zones, values)
    if not len(met):
        return
    states = states_of(tracks, zones, values["haven_m"])
    told = met.take(_telling(tracks, met, states, values))
    told = told.take(~_at_home(tracks, told, states))
    hull = same_hull_of(tracks)
    one, two = np.sort((hull[told.one], hull[told.two]), axis=0)
    for band in bands(one, two, told.begin, told.end, values["again_h"] * 3600):
        yield _finding(tracks, told.take(band.rows), band.members, values)


def meetings(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Meetings:
    """All meetings at sea, also those that are usual there; computed once for the same values.

    Of two hulls at one time there is one, by those of their identities that show it best. By
    positions that are told to be false nobody meets.
    """
    samples, crafts, hull = samples_of(tracks), crafts_of(tracks), same_hull_of(tracks)
    who = crafts.sea & ~crafts.own[hull]
    if int(who.sum()) < 2 or not len(samples):
        return Meetings.none()
    # the states hold the zones, so that their ids stay theirs
    states = states_of(tracks, zones, values["haven_m"])

    false = false_position.untrue_of(tracks, zones)

    def make() -> Meetings:
        free = who[samples.subject] & ~states.haven & ~states.moored & ~states.pilotage
        met = meetings_of(tracks, free, values)
        untrue = false.during(met.one, met.begin, met.end)
        met = met.take(~(untrue | false.during(met.two, met.begin, met.end)))
        met = met.take(_at_sea(tracks, met, zones, states, values)) if len(met) else met
        return met.take(_best(met, hull, values)) if len(met) else met

    # and what is false holds all of them
    key = ("encounter", *sorted(values.items()), *map(id, zones))
    return tracks.once(key, make)


def _best(met: Meetings, hull: Ints, values: Mapping[str, float]) -> Ints:
    """Of the same hulls' meetings at a time the one that lasts longest for its distance."""
    pairs = np.sort((hull[met.one], hull[met.two]), axis=0)
    weight = met.minutes / needed_minutes(met.far_m, values)
    kept: list[int] = []
    held: dict[tuple[int, int], list[int]] = {}
    for n in np.argsort(-weight, kind="stable").tolist():
        others = held.setdefault((int(pairs[0, n]), int(pairs[1, n])), [])
        if all(met.end[k] < met.begin[n] or met.end[n] < met.begin[k] for k in others):
            others.append(n)
            kept.append(n)
    return np.array(sorted(kept), dtype=np.int64)


def _at_sea(
    tracks: Tracks,
    met: Meetings,
    zones: Sequence[Zone],
    states: States,
    values: Mapping[str, float],
) -> Bools:
    """Which are more than lying at anchor beside each other."""
    near = in_havens(zones, met.lat, met.lon, values["anchorage_km"] * 1000)
    both = _share(tracks, met.one, met, states.still) + _share(tracks, met.two, met, states.still)
    beside = (both < 1.6) | (met.far_m <= values["quick_m"]) | _for_it(tracks, met, states)
    return np.asarray(met.quick | (met.long & ~near & beside))


def _for_it(tracks: Tracks, met: Meetings, states: States) -> Bools:
    """Whether both lay still for little more than the meeting, and were seen to come or go.

    Who lies at anchor lies there whoever else does: two who come and leave together have met.
    """
    samples = samples_of(tracks)
    still = np.flatnonzero(states.still)
    found = np.ones(len(met), np.bool_)
    if not len(still):
        return found
    # runs of samples in which a craft lies still
    new = np.append(True, (np.diff(still) > 1) | (np.diff(samples.subject[still]) != 0))
    run = np.cumsum(new) - 1
    first, last = still[new], still[np.append(np.flatnonzero(new)[1:], len(still)) - 1]
    long = np.minimum(_LAY * (met.end - met.begin) + _LAY_S, _LAY_MOST_S)
    for subject in (met.one, met.two):
        a, b = samples.spans(subject, met.begin, met.end)
        low, high = np.searchsorted(still, a), np.searchsorted(still, b) - 1
        lay = low <= high  # else it did not lie still at all
        low, high = np.minimum(low, len(still) - 1), np.maximum(high, 0)
        begin, end = first[run[low]], last[run[high]]
        lasted = samples.t(end) - samples.t(begin) <= long
        seen = (begin > samples.starts[subject]) | (end < samples.starts[subject + 1] - 1)
        found &= ~lay | (lasted & seen)
    return found


def _at_home(tracks: Tracks, met: Meetings, states: States) -> Bools:
    """Whether both have lain there fast all along, or it is a berth of one of them."""
    home = np.zeros(len(met), dtype=np.bool_)
    for n in range(len(met)):
        one, two = int(met.one[n]), int(met.two[n])
        begin, end = float(met.begin[n]), float(met.end[n])
        pair = (met.one == one) & (met.two == two)
        spans = np.column_stack((met.begin[pair], met.end[pair]))
        place = float(met.lat[n]), float(met.lon[n])
        home[n] = all(lies_fast(tracks, states, i, begin, end) for i in (one, two)) or any(
            at_berth(tracks, states, i, place, spans) for i in (one, two)
        )
    return home


def _share(tracks: Tracks, subject: Ints, met: Meetings, which: Bools) -> Floats:
    """The part of a subject's samples during each meeting at which something holds."""
    samples = samples_of(tracks)
    total = np.concatenate(([0], np.cumsum(which)))
    a, b = samples.spans(subject, met.begin, met.end)
    return np.asarray((total[b] - total[a]) / np.maximum(b - a, 1))


def _telling(tracks: Tracks, met: Meetings, states: States, values: Mapping[str, float]) -> Bools:
    """Which meetings are not what is usual for these two, or at that place."""
    trade, hull = crafts_of(tracks).trade, same_hull_of(tracks)
    one, two = trade[hull[met.one]], trade[hull[met.two]]
    serves = (one == Trade.SERVICE) | (two == Trade.SERVICE)
    odd = np.isin(one, _LARGE) != np.isin(two, _LARGE)
    partners = _partners(met, hull)
    fleet = np.minimum(*partners) >= values["fleet_partners"]
    hub = np.maximum(*partners) >= values["serving_partners"]
    ground = (_share(tracks, met.one, met, states.ground) > 0.5) | (
        _share(tracks, met.two, met, states.ground) > 0.5
    )
    usual = ground | fleet | hub | (_others(met, hull, values) >= values["ground_least"])
    return np.asarray(~serves & ~_in_company(tracks, met, values) & (odd | ~usual))


def _partners(met: Meetings, hull: Ints) -> tuple[Ints, Ints]:
    """How many others each of the two meets within a day of the meeting, this partner left out."""
    one, two = hull[met.one], hull[met.two]
    whose, other = np.concatenate((one, two)), np.concatenate((two, one))
    t = np.concatenate((met.begin, met.begin))
    order = np.lexsort((t, whose))
    whose, other, t = whose[order], other[order], t[order]
    starts = np.searchsorted(whose, one), np.searchsorted(whose, two)
    ends = np.searchsorted(whose, one, "right"), np.searchsorted(whose, two, "right")
    found = []
    for mate, first, last in zip((two, one), starts, ends, strict=True):
        count = np.zeros(len(met), dtype=np.int64)
        for n in np.flatnonzero(last - first > 1):
            own = slice(int(first[n]), int(last[n]))
            near = np.abs(t[own] - met.begin[n]) <= _DAY_S
            count[n] = len(np.setdiff1d(other[own][near], mate[n : n + 1]))
        found.append(count)
    return found[0], found[1]


def _others(met: Meetings, hull: Ints, values: Mapping[str, float]) -> Ints:
    """How many others meet within a day and `ground_nm` of each meeting."""
    reach = values["ground_nm"] * METRES_PER_NAUTICAL_MILE
    a, b, _ = near_pairs(np.zeros(len(met), np.int64), met.lat, met.lon, max(reach, 1.0))
    soon = np.abs(met.begin[a] - met.begin[b]) <= _DAY_S
    a, b = np.concatenate((a[soon], b[soon])), np.concatenate((b[soon], a[soon]))
    here = np.concatenate((a, a))
    one, two = hull[met.one], hull[met.two]
    who = np.concatenate((one[b], two[b]))
    others = (who != one[here]) & (who != two[here])
    pairs = different_pairs(here[others], who[others])
    return np.bincount(pairs[:, 0], minlength=len(met)).astype(np.int64)


def _in_company(tracks: Tracks, met: Meetings, values: Mapping[str, float]) -> Bools:
    """Whether the two sail together before or after: near each other, the same way, as fast."""
    paths = followed_of(tracks)
    t = np.concatenate((met.begin[:, None] - _AROUND_S, met.end[:, None] + _AROUND_S), axis=1)
    shape, flat = t.shape, t.ravel()
    places, moves = [], []
    for subject in (met.one, met.two):
        whose = np.repeat(subject, shape[1])
        lat, lon = paths.at(whose, flat)
        lat0, lon0 = paths.at(whose, flat - _MOVE_S)
        east = ((lon - lon0 + 540.0) % 360.0 - 180.0) * np.cos(np.radians(lat))
        moves.append(np.stack((east, lat - lat0)) * METRES_PER_DEGREE / _MOVE_S * KNOTS_PER_MS)
        places.append((lat, lon))
    far = plane_m(*places[0], *places[1])
    made = [np.hypot(*m) for m in moves]
    with np.errstate(invalid="ignore"):
        sailing = (np.minimum(*made) > values["under_way_kn"]) & np.isfinite(far)
        alike = np.hypot(*(moves[0] - moves[1])) <= _ALIKE * np.maximum(*made)
        together = sailing & alike & (far <= values["company_m"])
    # on either side, as far as it is seen: who parts afterwards has met
    company, seen = np.ones(len(met), dtype=np.bool_), np.zeros(len(met), dtype=np.bool_)
    for side in np.split(np.arange(shape[1]), 2):
        known = sailing.reshape(shape)[:, side].sum(axis=1)
        company &= together.reshape(shape)[:, side].sum(axis=1) >= 0.8 * known
        seen |= known >= 2
    return np.asarray(company & seen)


def _finding(
    tracks: Tracks, some: Meetings, members: Sequence[int], values: Mapping[str, float]
) -> Finding:
    """The finding for meetings of the same hulls."""
    begin, end = float(some.begin.min()), float(some.end.max())
    main = int(np.argmax(some.minutes))
    far, minutes = float(some.far_m[main]), float(some.minutes[main])
    lat, lon = float(some.lat[main]), float(some.lon[main])
    long = bool(some.long[main] and not (some.quick[main] and far <= values["quick_m"]))
    reach = values["encounter_m"] if long else values["quick_m"]
    trades = crafts_of(tracks).trade[list(members)]
    odd = len({t in _LARGE for t in trades.tolist()}) == 2
    night = bool(is_night(np.array([begin]), np.array([lat]), np.array([lon]))[0])
    asked = values["encounter_min"] if long else float(needed_minutes(np.array([far]), values)[0])
    count = len(members)
    who = "The two" if count == 2 else f"{count} craft"
    reasons = [
        Reason(
            "encounter_m" if long else "quick_m",
            round(far, 1),
            "m",
            reach,
            f"{who} lay so far apart in the median, at sea and in no port or anchorage.",
        ),
        Reason(
            "encounter_min" if long else "quick_min",
            round(minutes, 1),
            "min",
            round(asked, 1),
            "So long they stayed near each other."
            if long
            else "So long they stayed near each other; at that distance a handover takes as much "
            "as the threshold.",
        ),
        Reason(
            "encounter_kn" if long else "quick_kn",
            round(float(some.speed_kn[main]), 1),
            "kn",
            values["encounter_kn" if long else "quick_kn"],
            "The faster of them made so much way in the median.",
        ),
    ]
    if len(some) > 1 and count == 2:
        reasons.append(
            Reason(
                "again_h", len(some), "1", None, "So many times they met, one soon after another."
            )
        )
    if odd:
        reasons.append(Reason("odd", 1, "1", None, "A large ship met a small craft."))
    if night:
        reasons.append(Reason("night", 1, "1", None, "It was dark."))
    names, records = [], []
    each = max(4, _MOST_RECORDS // (2 * len(some)))
    for n in range(len(some)):
        for i in (int(some.one[n]), int(some.two[n])):
            span = float(some.begin[n]), float(some.end[n])
            names += names_within(tracks, i, *span)
            records += spread_records(tracks, i, *span, each)
    confidence = 0.5 + 0.15 * max(0.0, 1 - far / reach) + 0.05 * min(2.0, minutes / asked - 1)
    confidence += 0.1 * odd + 0.05 * night + 0.05 * long
    return Finding.make(
        kind=CARD.kind,
        subjects=names,
        start=moment(begin),
        end=moment(end),
        place=point(lat, lon),
        radius_m=round(max(far, 50.0)),
        confidence=min(0.95, confidence),
        reasons=reasons,
        records=list(dict.fromkeys(records)),
        detector=CARD.name,
        version=CARD.version,
    )
