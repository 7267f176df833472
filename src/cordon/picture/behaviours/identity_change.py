"""A hull that goes on under another identity: another MMSI, or another name, call sign or IMO."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import distance_m, point
from cordon.picture.model import Static, Zone
from cordon.picture.shared.hulls import Hulls, hulls_of
from cordon.picture.shared.names import Difference, difference
from cordon.picture.shared.succession import Succession, successions_of
from cordon.picture.tracks import Said, Tracks, moment

CARD = load_card(__file__)
_ENDS = 5  # reports before and after a change that are pointed to
_WORDS = {"name": "name", "call_sign": "call sign", "imo": "IMO number"}


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each change of MMSI, and for each change of what one MMSI says of itself."""
    for change in successions_of(tracks, values):
        yield _succession(tracks, change, values)
    h = hulls_of(tracks)
    for subject, history in sorted(tracks.said.items()):
        if tracks.subjects[subject].startswith("mmsi:"):
            yield from _renamings(tracks, h, subject, history, values)


def _succession(tracks: Tracks, s: Succession, values: Mapping[str, float]) -> Finding:
    h = hulls_of(tracks)
    one, two = tracks.subjects[s.before], tracks.subjects[s.after]
    minutes = (s.t1 - s.t0) / 60
    reasons = [
        Reason(
            "off_m",
            round(s.off_m),
            "m",
            round(s.reach_m),
            f"{two} was first heard {max(minutes, 0):.0f} min after {one} fell silent, so far "
            "from where that one's way would have led.",
        ),
        Reason(
            "most_chance",
            float(f"{s.chance:.2g}"),
            "1",
            values["most_chance"],
            "So many others would begin to be heard so near by chance, by how many do there.",
        ),
        Reason(
            "least_kn",
            round(s.speed_kn, 1),
            "kn",
            values["least_kn"],
            "It was under way." if s.speed_kn >= values["least_kn"] else "It lay still.",
        ),
        Reason(
            "alone_min",
            round(s.apart_min, 1),
            "min",
            values["alone_min"],
            "So long, at least, was only the one or only the other heard before and after.",
        ),
    ]
    says = _says(s.said)
    if says:
        reasons.append(
            Reason(
                "same_words",
                len(s.said.same),
                "1",
                None,
                f"{says[0].upper()}{says[1:]}.",
            )
        )
    sure = (
        0.5 + 0.15 * min(2, len(s.said.same)) + 0.1 * min(1.0, -np.log10(max(s.chance, 1e-4)) / 4)
    )
    sure += 0.15 * (1 - min(1.0, s.off_m / max(s.reach_m, 1.0)))
    rows = [*range(max(s.a - _ENDS + 1, s.a0), s.a + 1), *range(s.b, min(s.b + _ENDS, s.b1 + 1))]
    return Finding.make(
        kind=CARD.kind,
        subjects=[one, two],
        start=moment(min(s.t0, s.t1)),
        end=moment(max(s.t0, s.t1)),
        place=point(float(h.lat[s.b]), float(h.lon[s.b])),
        radius_m=round(s.reach_m),
        confidence=float(min(0.95, sure)),
        reasons=reasons,
        records=tracks.records(h.fix[rows]),
        detector=CARD.name,
        version=CARD.version,
    )


def _says(said: Difference) -> str:
    parts = [
        f"its {_list(words)} {'is' if len(words) == 1 else 'are'} {how}"
        for words, how in (
            (said.same, "the same"),
            (said.corrected, "nearly the same"),
            (said.changed, "another" if len(said.changed) == 1 else "others"),
        )
        if words
    ]
    return ", ".join(parts)


def _list(words: Sequence[str]) -> str:
    return " and ".join(_WORDS[w] for w in words)


def _renamings(
    tracks: Tracks,
    h: Hulls,
    subject: int,
    history: Sequence[Said],
    values: Mapping[str, float],
) -> Iterator[Finding]:
    """Changes of what one MMSI says of itself while its hull goes on."""
    changes = [
        (before, after, found)
        for before, after in pairwise(history)
        if (found := difference(before.static, after.static)).changed
    ]
    # who says two things by turns is two sets, or two hulls, under one number
    if len(changes) > values["most_changes"]:
        return
    own = np.flatnonzero(h.subject == subject)
    for before, after, found in changes:
        k = int(np.searchsorted(h.t[own], after.t, side="right"))
        if k == 0 or k >= len(own):
            k = min(max(k, 1), len(own) - 1)
        if len(own) < 2:
            continue
        a, b = int(own[k - 1]), int(own[k])
        near = h.t[b] - h.t[a] <= values["longest_min"] * 60
        if not near or h.hull[a] != h.hull[b]:
            continue  # nobody knows that the same hull goes on
        yield _renaming(tracks, h, subject, before.static, after, found, a, b)


def _renaming(
    tracks: Tracks,
    h: Hulls,
    subject: int,
    before: Static,
    after: Said,
    found: Difference,
    a: int,
    b: int,
) -> Finding:
    told = tracks.speed[h.fix[[a, b]]]
    speed = float(np.nanmax(told)) if np.isfinite(told).any() else float("nan")
    way = float(distance_m(h.lat[a], h.lon[a], h.lat[b], h.lon[b]))
    words = ", ".join(
        f"{_WORDS[w]} “{getattr(before, w)[:30]}” became “{getattr(after.static, w)[:30]}”"
        for w in found.changed
    )
    reasons = [
        Reason(
            "changed_words",
            len(found.changed),
            "1",
            1,
            f"{tracks.subjects[subject]} goes on, but its {words}.",
        ),
        Reason(
            "longest_min",
            round(float(h.t[b] - h.t[a]) / 60, 1),
            "min",
            None,
            f"Between the reports before and after, {way:.0f} m apart, the same hull went on.",
        ),
    ]
    under_way = np.isfinite(speed) and speed >= 2
    if np.isfinite(speed):
        reasons.append(
            Reason(
                "speed_kn",
                round(speed, 1),
                "kn",
                None,
                "It was under way." if under_way else "It lay still.",
            )
        )
    sure = 0.4 + 0.15 * len(found.changed) + 0.1 * under_way - 0.1 * bool(found.corrected)
    first, last = max(a - _ENDS + 1, int(h.starts[h.hull[a]])), min(b + _ENDS, len(h))
    rows = [k for k in range(first, last) if h.hull[k] == h.hull[a]]
    return Finding.make(
        kind=CARD.kind,
        subjects=[tracks.subjects[subject]],
        start=moment(float(h.t[a])),
        end=moment(float(h.t[b])),
        place=point(float(h.lat[b]), float(h.lon[b])),
        radius_m=round(way) or None,
        confidence=float(min(0.95, sure)),
        reasons=reasons,
        records=tracks.records(h.fix[rows]),
        detector=CARD.name,
        version=CARD.version,
    )
