"""One identity at places that no single craft could go between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import distance_m, point
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE, MS_PER_KNOT, knots
from cordon.picture.behaviours import false_position, shared_identity
from cordon.picture.model import Zone
from cordon.picture.plausible import segments
from cordon.picture.shared.numbering import different
from cordon.picture.shared.spells import defaults_of
from cordon.picture.shared.turns import episodes, same_way, turns_of
from cordon.picture.tracks import Ints, Tracks, moment

CARD = load_card(__file__)
_MOST_RECORDS = 60


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each episode of jumps of each identity; `zones` are not needed.

    Where two hulls take turns under one identity shared_identity tells it, and where a set tells
    a default false_position does; then this does not.
    """
    apart = segments(tracks, values)
    if not apart.broken:
        return
    # who tells of a jump already: start and end (s) of it, and the subject
    elsewhere = [
        (s.subject, s.start, s.end) for s in turns_of(tracks, shared_identity.CARD.values())
    ]
    elsewhere += [
        (s.subject, float(tracks.t[s.fixes[0]]), float(tracks.t[s.fixes[-1]]))
        for s in defaults_of(tracks, false_position.CARD.values())
    ]
    for i in apart.broken:
        here = np.arange(*tracks.of(i).indices(len(tracks)))
        real = here[apart.label[here] >= 0]
        label = apart.label[real]
        turns = np.flatnonzero(np.diff(label))
        sizes = np.bincount(label)
        for a, b in episodes(tracks.t, real[turns], real[turns + 1], values["longest_h"] * 3600):
            begin, end = tracks.t[a[0]], tracks.t[b[-1]]
            if any(who == i and start <= end and begin <= stop for who, start, stop in elsewhere):
                continue
            if _one_hull(tracks, real, label, a, b):
                continue
            found = _episode(
                tracks,
                i,
                a,
                b,
                float(apart.limit_kn[i]),
                values,
                int(sizes[different(apart.label[np.append(a, b)])].min()),
            )
            if found is not None:
                yield found


def _one_hull(tracks: Tracks, real: Ints, label: NDArray[np.int32], a: Ints, b: Ints) -> bool:
    """Whether each jump goes to a place on the way that it left: a clock is wrong, no position."""
    at = np.searchsorted(real, a), np.searchsorted(real, b)
    return all(
        same_way(tracks, b[[n]], real[label == label[at[0][n]]])
        or same_way(tracks, a[[n]], real[label == label[at[1][n]]])
        for n in range(len(a))
    )


def _episode(
    tracks: Tracks,
    i: int,
    a: Ints,
    b: Ints,
    limit_kn: float,
    values: Mapping[str, float],
    support: int,
) -> Finding | None:
    """The finding for jumps a[n] → b[n] (fix indices), or None where none is too fast."""
    way = distance_m(tracks.lat[a], tracks.lon[a], tracks.lat[b], tracks.lon[b])
    dt = tracks.t[b] - tracks.t[a]
    slack = values["slack_nm"] * METRES_PER_NAUTICAL_MILE
    reach = limit_kn * MS_PER_KNOT * (dt + values["time_error_s"]) + slack
    over = way / reach
    if not np.any(over > 1):
        return None
    worst = int(np.argmax(over))
    # the time may be wrong by time_error_s: the speed told is the least that explains the jump
    speed = knots(float(way[worst]), float(dt[worst]) + values["time_error_s"])
    miles = float(way[worst]) / METRES_PER_NAUTICAL_MILE
    said = tracks.speed[tracks.of(i)]
    usual = float(np.nanmedian(said)) if np.any(np.isfinite(said)) else None
    usually = f"; it usually reports {usual:.1f} kn" if usual is not None else ""
    count = len(a)
    times = "once" if count == 1 else f"{count} times, by turns"
    reasons = (
        Reason(
            "limit_kn",
            round(speed, 1),
            "kn",
            limit_kn,
            f"From one report to the next it moved {miles:.1f} nm in {dt[worst]:.0f} s, "
            f"at least {speed:.0f} kn; no craft of its class passes {limit_kn:.0f} kn{usually}.",
        ),
        Reason(
            "slack_nm",
            round(miles, 2),
            "nm",
            round(float(reach[worst]) / 1852.0, 2),
            "The jump is farther than speed, position error and clock error explain together.",
        ),
        Reason("jumps", count, "1", 1, f"It jumped {times}."),
        Reason(
            "least_fixes",
            support,
            "1",
            values["least_fixes"],
            "So many positions stand on the weaker side: it is no single wrong fix.",
        ),
    )
    first = int(np.argmax(over > 1))
    rows = different(np.concatenate((a, b)))[:_MOST_RECORDS]
    return Finding.make(
        kind=CARD.kind,
        subjects=[tracks.subjects[i]],
        start=moment(tracks.t[a[0]]),
        end=moment(tracks.t[b[-1]]),
        place=point(float(tracks.lat[b[first]]), float(tracks.lon[b[first]])),
        radius_m=round(float(way[first])),
        confidence=min(
            0.98,
            0.55
            + 0.2 * min(1.0, np.log10(over[worst]))
            + 0.02 * min(support, 10)
            + 0.01 * min(count, 5),
        ),
        reasons=reasons,
        records=tracks.records(rows),
        detector=CARD.name,
        version=CARD.version,
    )
