"""Trips of ground sensors: put into events, held against own units and against one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np

from cordon.kernel.geo import distance_m
from cordon.picture.model import KINDS
from cordon.picture.shared.nearness import plane_m
from cordon.picture.tracks import Bools, Floats, Ints, Tracks

_KNOWN = (KINDS.index("person"), KINDS.index("vehicle"))
_FLIES = KINDS.index("aircraft")


@dataclass(frozen=True, slots=True)
class Events:
    """Trips of one sensor with no long pause between them, as one; columns, by start.

    Attributes:
        sensor: index into the tracks' subjects. first, last: its fixes. start, end: s.
        lat, lon: the sensor's place (degrees). trips: how many. believed: trips that the
            sensor takes for a person or a vehicle; kind: the one it takes most of them for.
        unit_m: how near an own unit came (m) within the time asked for; infinite for none.
        chain: event n's others: see `Chain`, or None.
        restless: so many trips the sensor had within two hours around, others than these.
    """

    sensor: Ints
    first: Ints
    last: Ints
    start: Floats
    end: Floats
    lat: Floats
    lon: Floats
    trips: Ints
    believed: Ints
    kind: Ints
    restless: Ints


def events_of(tracks: Tracks, pause_s: float) -> Events:
    """All trips of all sensors (`sensor:…`), put together where at most `pause_s` lies between."""
    return tracks.once(("trips", pause_s), lambda: _events(tracks, pause_s))


def _events(tracks: Tracks, pause_s: float) -> Events:
    sensors = np.array([s.startswith("sensor:") for s in tracks.subjects], dtype=np.bool_)
    k = np.flatnonzero(sensors[tracks.subject]) if sensors.any() else np.empty(0, np.int64)
    new = np.ones(len(k), dtype=np.bool_)
    new[1:] = (np.diff(tracks.subject[k]) != 0) | (np.diff(tracks.t[k]) > pause_s)
    a = np.flatnonzero(new)
    b = np.append(a[1:], len(k)) - 1 if len(a) else a
    kind = tracks.kind[k]
    persons, vehicles = (np.append(0, np.cumsum(kind == c)) for c in _KNOWN)
    person, vehicle = persons[b + 1] - persons[a], vehicles[b + 1] - vehicles[a]
    first, last = k[a], k[b]
    believed = person + vehicle
    said = np.where(believed == 0, 0, np.where(vehicle > person, _KNOWN[1], _KNOWN[0]))
    sensor = tracks.subject[first].astype(np.int64)
    start, end = tracks.t[first], tracks.t[last]
    order = np.argsort(start, kind="stable")
    # trips of the same sensor in the hour before and after
    key = tracks.subject[k].astype(np.float64) * 1e10 + (
        tracks.t[k] - (tracks.t[k].min() if len(k) else 0)
    )
    zero = tracks.t[k].min() if len(k) else 0.0
    low = np.searchsorted(key, sensor * 1e10 + (start - zero) - 3600.0)
    high = np.searchsorted(key, sensor * 1e10 + (end - zero) + 3600.0, side="right")
    restless = high - low - (b - a + 1)
    return Events(
        *(
            np.asarray(c)[order]
            for c in (
                sensor, first, last, start, end, tracks.lat[first], tracks.lon[first], b - a + 1,
                believed, said, restless,
            )
        )
    )  # fmt: skip


def units_near(
    tracks: Tracks, events: Events, near_s: float, walk_ms: float, most_m: float
) -> Floats:
    """How near (m) an own unit may have come to each event; infinite beyond `most_m`.

    A unit that flies over trips no sensor in the ground.
    A unit's way is straight between two reports; beside it, and before the first and after the
    last, it may have gone on at `walk_ms`, which counts as nearer.
    """
    found = np.full(len(events.start), np.inf)
    units = np.flatnonzero([s.startswith("unit:") for s in tracks.subjects])
    for i in units:
        here = tracks.of(int(i))
        if (tracks.kind[here] == _FLIES).mean() > 0.5:
            continue
        t, lat, lon = tracks.t[here], tracks.lat[here], tracks.lon[here]
        low = np.searchsorted(t, events.start - near_s)
        high = np.searchsorted(t, events.end + near_s, side="right")
        reach = most_m + walk_ms * near_s
        near = np.flatnonzero(
            (np.abs(events.lat - lat.min()) < 90)
            & (events.lat > lat.min() - reach / 1e5)
            & (events.lat < lat.max() + reach / 1e5)
        )
        for n in near.tolist():
            some = slice(max(int(low[n]) - 1, 0), int(high[n]) + 1)
            if some.stop - some.start < 1:
                continue
            found[n] = min(
                found[n],
                _nearest(t[some], lat[some], lon[some], events, n, near_s, walk_ms),
            )
    return np.where(found <= most_m, found, np.inf)


def _nearest(
    t: Floats, lat: Floats, lon: Floats, e: Events, n: int, near_s: float, walk_ms: float
) -> float:
    """The least distance (m) of one unit's reports and ways to one event's place.

    Args:
        t, lat, lon: the unit's reports around the event, with one more on either side.
    """
    begin, end = e.start[n], e.end[n]
    wait = np.maximum(np.maximum(begin - t, t - end), 0.0)  # from each report to the event
    known = wait <= near_s
    step = np.diff(t)
    # who reports again before long has gone no farther aside than there and back in between
    pause = np.maximum(np.append(np.inf, step), np.append(step, np.inf)) / 2
    far = distance_m(e.lat[n], e.lon[n], lat, lon) - walk_ms * np.minimum(wait, pause)
    best = float(np.min(np.where(known, far, np.inf), initial=np.inf))
    way = np.flatnonzero(step <= 2 * near_s)
    way = way[(t[way + 1] >= begin - near_s) & (t[way] <= end + near_s)]
    if len(way):
        east = 111_195.0 * np.cos(np.radians(e.lat[n]))
        ax, ay = (lon[way] - e.lon[n]) * east, (lat[way] - e.lat[n]) * 111_195.0
        dx, dy = (lon[way + 1] - lon[way]) * east, (lat[way + 1] - lat[way]) * 111_195.0
        length = np.maximum(dx * dx + dy * dy, 1e-9)
        share = np.clip(-(ax * dx + ay * dy) / length, 0.0, 1.0)
        beside = np.hypot(ax + share * dx, ay + share * dy)
        best = min(best, float(beside.min()))
    return max(best, 0.0)


@dataclass(frozen=True, slots=True)
class Chains:
    """For each event, the passing by several sensors that it belongs to.

    Attributes:
        sensors: how many sensors the passing tripped, 1 where none. speed_ms: how fast it went.
        passing: the first event of the passing; itself where there is none.
    """

    sensors: Ints
    speed_ms: Floats
    passing: Ints


def chains_of(events: Events, values: Mapping[str, float]) -> Chains:
    """Events of neighbouring sensors in such an order and at such times as one mover makes.

    A party that walks by trips one sensor after the other; wind trips them in any order, again
    and again. So the longest run of events is sought that goes on from sensor to sensor at one
    pace, and is believed where so many trips of these sensors, in any order, would not make one
    as long by chance.

    Args:
        values: `link_m` (neighbours), `slowest_ms`, `fastest_ms`.
    """
    count = len(events.start)
    found = Chains(np.ones(count, dtype=np.int64), np.full(count, np.nan), np.arange(count))
    if count < 2:
        return found
    longest = values["link_m"] / values["slowest_ms"]
    back: list[list[tuple[int, float]]] = []  # earlier events that each may follow, and how fast
    begin = 0
    for n in range(count):
        while events.start[n] - events.start[begin] > longest:
            begin += 1
        some = np.arange(begin, n)
        some = some[events.sensor[some] != events.sensor[n]]
        far = plane_m(
            np.full(len(some), events.lat[n]), np.full(len(some), events.lon[n]),
            events.lat[some], events.lon[some],
        )  # fmt: skip
        pace = far / np.maximum(events.start[n] - events.start[some], 1.0)
        good = (far <= values["link_m"]) & (pace >= values["slowest_ms"])
        good &= pace <= values["fastest_ms"]
        back.append([(int(k), float(v)) for k, v in zip(some[good], pace[good], strict=True)])
    _believe(events, back, found)
    return found


def _believe(events: Events, back: list[list[tuple[int, float]]], found: Chains) -> None:
    """Put in the longest chains, each event in one; a chain keeps its pace and turns back nowhere.

    Which event may come next depends on the last two, so the longest chain is kept for each way
    from one event to another, and not for each event: whoever trips a sensor may have come from
    any of its neighbours.
    """
    steps: list[tuple[int, int]] = []  # the events that a way leads from and to
    # of the longest chain that ends with each: how many events, mean pace, the way before
    length: list[int] = []
    pace: list[float] = []
    before: list[int] = []
    into: list[list[int]] = [[] for _ in back]  # ways that lead to each event
    for n, some in enumerate(back):
        for k, last in some:
            top, mean, origin = 2, last, -1
            for w in into[k]:
                if length[w] + 1 <= top or not 0.4 <= last / pace[w] <= 2.5:
                    continue
                if not _turns(events, steps[w][0], k, n):
                    top, origin = length[w] + 1, w
                    mean = (pace[w] * (length[w] - 1) + last) / length[w]
            into[n].append(len(steps))
            steps.append((k, n))
            length.append(top)
            pace.append(mean)
            before.append(origin)
    used: Bools = np.zeros(len(back), dtype=np.bool_)
    queue = [(-length[w], steps[w][1], w) for w in range(len(steps))]
    heapify(queue)
    while queue:
        claimed, n, way = heappop(queue)
        chain, w = [n], way
        while w >= 0 and not used[steps[w][0]]:
            chain.append(steps[w][0])
            w = before[w]
        if used[n] or len(chain) < 2:
            continue
        if len(chain) < -claimed:  # it ran into another; a third may be longer than what is left
            heappush(queue, (-len(chain), n, way))
            continue
        used[chain] = True
        if _is_telling(events, np.array(chain[::-1])):
            found.sensors[chain] = len(chain)
            found.speed_ms[chain] = pace[way]
            found.passing[chain] = min(chain)


def _turns(events: Events, a: int, b: int, c: int) -> bool:
    """Whether the way from event a by b to c turns back."""
    shrink = np.cos(np.radians(events.lat[b]))
    x0, y0 = (events.lon[b] - events.lon[a]) * shrink, events.lat[b] - events.lat[a]
    x1, y1 = (events.lon[c] - events.lon[b]) * shrink, events.lat[c] - events.lat[b]
    return bool(x0 * x1 + y0 * y1 <= 0)


def _is_telling(events: Events, chain: Ints) -> bool:
    """Whether chance would hardly make such a chain of the events that these sensors had then."""
    begin, end = events.start[chain[0]], events.start[chain[-1]]
    own = np.isin(events.sensor, events.sensor[chain])
    around = own & (events.start >= begin - 1800.0) & (events.start <= end + 1800.0)
    rest = int(around.sum()) - len(chain)
    rate = rest / max(len(chain), 1) / (end - begin + 3600.0)  # a sensor a second
    step = (end - begin) / (len(chain) - 1)
    # each further sensor within about a step's time of when it was due
    chance = (rest + 1) * (rate * 1.5 * step) ** (len(chain) - 1)
    return bool(chance <= 0.1)
