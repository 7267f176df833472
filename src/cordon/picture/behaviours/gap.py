"""Silences of vessels under way, where others were heard all along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import bearing_deg, destination, distance_m, point
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE, MS_PER_KNOT, knots
from cordon.picture import zones as geometry
from cordon.picture.behaviours import impossible_move
from cordon.picture.coverage import Coverage, Heard
from cordon.picture.model import KINDS, Zone
from cordon.picture.plausible import segments
from cordon.picture.tracks import Floats, Tracks, moment

CARD = load_card(__file__)
_HAVENS = ("port", "anchorage")
_AT_AN_END = 3  # so many reports before and after a silence tell which receivers heard it
_HORIZON_S = 3600.0  # how far ahead a vessel's way is followed to see whether it leaves the area
_WHERE = ("near the place", "in the wider area", "elsewhere")
_AIRCRAFT = KINDS.index("aircraft")


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each silence that others' reports make telling."""
    if len(tracks) < 2:
        return
    noise = segments(tracks, impossible_move.CARD.values()).label < 0
    coverage = Coverage(tracks, ~noise)
    havens = [z for z in zones if z.kind in _HAVENS]
    least = values["least_min"] * 60
    found: list[_Told] = []
    spans: list[tuple[float, float, float]] = []  # every subject's silences, lying still or not
    judged = 0
    for i in range(len(tracks.subjects)):
        here = np.arange(*tracks.of(i).indices(len(tracks)))
        here = here[~noise[here]]
        if len(here) < values["least_reports"] or tracks.kind[here].max() == _AIRCRAFT:
            continue
        judged += 1
        steps = np.diff(tracks.t[here])
        for n in np.flatnonzero(steps >= least / 2):
            spans.append((i, tracks.t[here[n]], tracks.t[here[n + 1]]))
        if coverage.end - tracks.t[here[-1]] >= least / 2:
            spans.append((i, tracks.t[here[-1]], coverage.end))
        for n in np.flatnonzero(steps >= least):
            before, after = here[: n + 1], here[n + 1 :]
            usual = _usual(np.delete(steps, n), int(n))
            silence = _Silence(tracks, coverage, i, before, after, usual)
            if (heard := silence.judge(havens, values)) is not None:
                found.append(_Told(silence, heard))
        if coverage.end - tracks.t[here[-1]] >= least:
            usual = _usual(steps, len(steps))
            silence = _Silence(tracks, coverage, i, here, here[:0], usual)
            if (heard := silence.judge(havens, values)) is not None:
                found.append(_Told(silence, heard))
    together = np.array(spans).reshape(len(spans), 3)
    found = [told for told in found if not told.silence.shared(together, values)]
    ratios = np.array([told.silence.ratio for told in found])
    subjects = np.array([told.silence.subject for told in found])
    for told in found:
        # where many fall silent like this, under a receiver that works, it tells less of one
        alike = subjects[(ratios >= told.silence.ratio) & (subjects != told.silence.subject)]
        common = len(np.unique(alike)) / max(judged - 1, 1)
        yield told.silence.finding(told.heard, common, values)


def _usual(others: Floats, n: int) -> tuple[float, float]:
    """What is usual (s) of the other intervals: their median, and how long they may get.

    The second is their 95th percentile, or the third quarter of those next to the silence
    where these are longer: reception fades towards the edge of a receiver's reach.
    """
    around = others[max(0, n - 10) : n + 10]
    longest = max(float(np.quantile(others, 0.95)), float(np.quantile(around, 0.75)))
    return float(np.median(others)), longest


@dataclass(frozen=True, slots=True)
class _Told:
    silence: _Silence
    heard: Heard


class _Silence:
    """One silence of one subject, between its fixes `before` and `after` (none: still open)."""

    def __init__(
        self,
        tracks: Tracks,
        coverage: Coverage,
        subject: int,
        before: np.ndarray,
        after: np.ndarray,
        usual: tuple[float, float],
    ) -> None:
        self.tracks, self.coverage, self.subject = tracks, coverage, subject
        self.before, self.after = before, after
        self.median, self.longest = usual
        self.a = int(before[-1])
        self.b = int(after[0]) if len(after) else None
        self.t0 = float(tracks.t[self.a])
        self.t1 = float(tracks.t[self.b]) if self.b is not None else coverage.end
        ends = [self.a] if self.b is None else [self.a, self.b]
        self.lat, self.lon = tracks.lat[ends], tracks.lon[ends]

    def judge(self, havens: Sequence[Zone], values: Mapping[str, float]) -> Heard | None:
        """What makes it telling, or None where it has an innocent reason or proves nothing."""
        length = self.t1 - self.t0
        needed = max(values["least_min"] * 60, values["usual_times"] * self.longest)
        if length < needed:
            return None
        speed, course = _motion(self.tracks, self.before)
        if self._stayed(speed, havens, values) or self._left(speed, course, values):
            return None
        if self._at_termini(values):
            return None
        heard = self.coverage.heard(
            self.subject,
            self.lat,
            self.lon,
            self.t0,
            self.t1,
            near_nm=values["near_nm"],
            wide_nm=values["wide_nm"],
            least_others=int(values["least_others"]),
        )
        if heard is None or heard.share < values["least_share"]:
            return None
        enough = heard.share * length >= needed * values["wide_times"] ** heard.tier
        return heard if enough and self.received >= values["receiver_share"] else None

    @cached_property
    def received(self) -> float:
        """The part of the silence in which the receivers that heard it heard others.

        Those that heard it last, and those that heard it again, each for themselves; the less
        counts, because a vessel may have sailed into the reach of one that was out. An outage
        begins up to one of its intervals after its last report and ends as long before the
        next: others heard within these prove nothing, so that they are left out.
        """
        edge = min(self.longest, (self.t1 - self.t0) / 4)
        t0, t1 = self.t0 + edge, self.t1 - (edge if self.b is not None else 0.0)
        ends = [self.before[-_AT_AN_END:], self.after[:_AT_AN_END]]
        return min(
            self.coverage.received(
                self.subject, np.unique(self.tracks.source[end]).astype(np.int64), t0, t1
            )
            for end in ends
            if len(end)
        )

    def _stayed(self, speed: float, havens: Sequence[Zone], values: Mapping[str, float]) -> bool:
        """It lay still and is where it was, or went silent in a port or anchorage."""
        still = speed < values["still_kn"]
        if self.b is None:
            if still:
                return True
        elif still and self._moved_m() <= values["still_nm"] * METRES_PER_NAUTICAL_MILE:
            return True
        return any(bool(geometry.inside(z, self.lat, self.lon).all()) for z in havens)

    def _left(self, speed: float, course: float, values: Mapping[str, float]) -> bool:
        """Its way led out of the area where others are heard, and back in from there."""
        if speed < values["still_kn"] or not np.isfinite(course):
            return False
        horizon = min(self.t1 - self.t0, _HORIZON_S) * speed * MS_PER_KNOT
        ahead = destination(float(self.lat[0]), float(self.lon[0]), course, horizon)
        if self.coverage.covers(self.subject, *ahead):
            return False
        if self.b is None:
            return True
        speed, course = _motion(self.tracks, self.after[::-1])
        if speed < values["still_kn"] or not np.isfinite(course):
            return not self.coverage.covers(self.subject, float(self.lat[1]), float(self.lon[1]))
        horizon = min(self.t1 - self.t0, _HORIZON_S) * speed * MS_PER_KNOT
        came = destination(float(self.lat[1]), float(self.lon[1]), (course + 180) % 360, horizon)
        return not self.coverage.covers(self.subject, *came)

    def _at_termini(self, values: Mapping[str, float]) -> bool:
        """Both its ends lie where others, too, begin or cease to be heard."""
        reach = values["terminus_nm"] * METRES_PER_NAUTICAL_MILE
        return all(
            self.coverage.termini(self.subject, float(y), float(x), reach) >= values["least_others"]
            for y, x in zip(self.lat, self.lon, strict=True)
        )

    def _moved_m(self) -> float:
        return float(distance_m(self.lat[0], self.lon[0], self.lat[-1], self.lon[-1]))

    def shared(self, spans: Floats, values: Mapping[str, float]) -> bool:
        """Others fell silent and were heard again at the same times: a receiver's outage.

        Args:
            spans: a row for each silence of anybody: subject, begin and end (s).
        """
        leeway = min(max(300.0, self.longest), (self.t1 - self.t0) / 4)
        alike = (np.abs(spans[:, 1] - self.t0) <= leeway) & (
            np.abs(spans[:, 2] - self.t1) <= leeway
        )
        others = np.unique(spans[alike, 0])
        return int((others != self.subject).sum()) >= values["least_others"]

    @property
    def ratio(self) -> float:
        """How many times its usual longest interval it lasts."""
        return (self.t1 - self.t0) / max(self.longest, 1.0)

    def finding(self, heard: Heard, common: float, values: Mapping[str, float]) -> Finding:
        """The finding; `common` is the part of the others that fell silent so unusually too."""
        speed, _ = _motion(self.tracks, self.before)
        ratio = self.ratio
        minutes = (self.t1 - self.t0) / 60
        least = values["usual_times"] * self.longest / 60
        where = _WHERE[heard.tier]
        state = "has been silent" if self.b is None else "was silent"
        reasons = [
            Reason(
                "least_min",
                round(minutes, 1),
                "min",
                values["least_min"],
                f"It {state} for {_span(minutes)}; between its reports usually lie "
                f"{_span(self.median / 60)}, seldom more than {_span(self.longest / 60)}.",
            ),
            Reason(
                "usual_times",
                round(ratio, 1),
                "1",
                values["usual_times"],
                f"For it, a silence becomes unusual after {_span(least)}.",
            ),
            Reason(
                "least_share",
                round(heard.share, 2),
                "1",
                values["least_share"],
                f"In this part of the silence others {where} were heard.",
            ),
            Reason(
                "receiver_share",
                round(self.received, 2),
                "1",
                values["receiver_share"],
                "In this part of it the receivers that heard this vessel heard others, so they "
                "worked.",
            ),
            Reason(
                "least_others",
                heard.others,
                "1",
                values["least_others"],
                f"So many others {where} bear witness.",
            ),
            Reason(
                "still_kn",
                round(speed, 1),
                "kn",
                values["still_kn"],
                "It was under way when it was last heard."
                if speed >= values["still_kn"]
                else "It lay still when it was last heard, and was heard again elsewhere.",
            ),
        ]
        if common > 0:
            reasons.append(
                Reason(
                    "alike_share",
                    round(common, 3),
                    "1",
                    None,
                    "This part of the other vessels fell silent as unusually at some time.",
                )
            )
        if self.b is not None:
            moved = self._moved_m()
            made = knots(moved, self.t1 - self.t0)
            reasons.append(
                Reason(
                    "moved_nm",
                    round(moved / METRES_PER_NAUTICAL_MILE, 2),
                    "nm",
                    None,
                    f"It was heard again that far away, as if it had made {made:.1f} kn.",
                )
            )
        confidence = (0.8, 0.65, 0.5)[heard.tier] * (0.6 + 0.4 * heard.share)
        confidence += 0.15 * min(1.0, np.log2(max(ratio / values["usual_times"], 1.0)) / 3)
        confidence *= 1 - 0.6 * common
        if self.b is None:
            confidence *= 0.85  # it may yet be heard, or have moored out of sight
        rows = [*self.before[-_AT_AN_END:], *self.after[:_AT_AN_END]]
        return Finding.make(
            kind=CARD.kind,
            subjects=[self.tracks.subjects[self.subject]],
            start=moment(self.t0),
            end=moment(self.t1),
            place=point(float(self.lat[0]), float(self.lon[0])),
            radius_m=round(float(speed) * MS_PER_KNOT * self.longest) or None,
            confidence=min(0.95, float(confidence)),
            reasons=reasons,
            records=[self.tracks.record(int(k)) for k in rows],
            detector=CARD.name,
            version=CARD.version,
        )


def _motion(tracks: Tracks, fixes: np.ndarray) -> tuple[float, float]:
    """Speed (kn) and course (deg) at the last of some fixes: as reported, else derived."""
    k = int(fixes[-1])
    speed, course = float(tracks.speed[k]), float(tracks.course[k])
    if np.isfinite(speed) and (np.isfinite(course) or speed < 0.5):
        return speed, course
    # over at least five minutes, so that the position error does not make the speed
    dt = np.abs(tracks.t[fixes] - tracks.t[k])
    far = np.flatnonzero(dt >= 300)
    j = int(fixes[far[-1]]) if len(far) else int(fixes[0])
    if j == k:
        return (speed if np.isfinite(speed) else 0.0), course
    way = float(distance_m(tracks.lat[j], tracks.lon[j], tracks.lat[k], tracks.lon[k]))
    first, last = (j, k) if tracks.t[j] <= tracks.t[k] else (k, j)
    made = float(
        bearing_deg(tracks.lat[first], tracks.lon[first], tracks.lat[last], tracks.lon[last])
    )
    derived = knots(way, abs(float(tracks.t[k] - tracks.t[j])))
    return (speed if np.isfinite(speed) else derived), (course if np.isfinite(course) else made)


def _span(minutes: float) -> str:
    if minutes < 2:
        return f"{minutes * 60:.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
