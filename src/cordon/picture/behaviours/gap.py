"""Silences of craft under way, where a working set would have been heard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import destination, distance_m, point
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE, MS_PER_KNOT, knots
from cordon.picture import zones as geometry
from cordon.picture.behaviours import identity_change
from cordon.picture.coverage import Coverage, Heard
from cordon.picture.model import Zone
from cordon.picture.reception import Reception
from cordon.picture.shared.numbering import different
from cordon.picture.shared.silences import Silences, carriers_of, motion, silences_of
from cordon.picture.shared.states import HAVENS
from cordon.picture.shared.succession import successions_of
from cordon.picture.tracks import Bools, Floats, Tracks, moment

CARD = load_card(__file__)
_AT_AN_END = 3  # so many reports before and after a silence tell which receivers heard it
_BACK = 64  # and so many its motion
_HORIZON_S = 3600.0  # how far ahead a vessel's way is followed to see whether it leaves the area
_FOLLOWED_S = 7200.0  # and that of one still silent, for the odds
_WHERE = ("near the place", "in the wider area", "elsewhere")


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each silence that others' reports make telling."""
    who = carriers_of(tracks)
    if int(who.sum()) < 2:
        return
    coverage = Coverage(tracks, who)
    silences = silences_of(tracks, coverage.end, values["least_min"] * 60)
    some = np.flatnonzero(_unusual(silences, values) & ~_in_haven(silences, zones))
    # towards the edge of a receiver's reach the intervals grow before one of them is a silence
    longest = np.array([max(silences.usual[n], silences.beside(int(n))) for n in some])
    long = silences.length[some] >= values["usual_times"] * longest
    some, longest = some[long], longest[long]
    if not len(some):
        return
    odds = _odds(tracks, Reception(tracks, who), silences, some)
    together = np.column_stack(
        (silences.every_subject.astype(np.float64), silences.every_begin, silences.every_end)
    )
    found: list[_Told] = []
    for n in np.flatnonzero(odds >= values["odds_least"]):
        silence = _Silence(
            tracks, coverage, silences, int(some[n]), float(odds[n]), float(longest[n])
        )
        heard = silence.judge(values)
        if heard is not None and not silence.shared(together, values):
            found.append(_Told(silence, heard))
    found = [told for told in found if not _goes_on(tracks, told.silence)]
    ratios = np.array([told.silence.ratio for told in found])
    subjects = np.array([told.silence.subject for told in found])
    for told in found:
        # where many fall silent like this, under a receiver that works, it tells less of one
        alike = subjects[(ratios >= told.silence.ratio) & (subjects != told.silence.subject)]
        common = len(different(alike)) / max(int(who.sum()) - 1, 1)
        yield told.silence.finding(told.heard, common, values)


def _unusual(s: Silences, values: Mapping[str, float]) -> Bools:
    """Silences that are long for the craft, begin abruptly, and in which much was due of it."""
    long = s.length >= np.maximum(values["least_min"] * 60, values["usual_times"] * s.usual)
    due = s.rate * s.length >= values["least_due"]
    # who came into hearing just before, as after another silence, is held against its own usual
    with np.errstate(divide="ignore"):
        measure = np.where(s.early_rate > 0, s.early_rate, 1.0 / s.median)
    abrupt = s.late_rate >= values["abrupt_share"] * measure
    return long & due & abrupt & (s.reports >= values["least_reports"])


def _in_haven(s: Silences, zones: Sequence[Zone]) -> Bools:
    """Silences that begin and end in one and the same port or anchorage."""
    found = np.zeros(len(s), dtype=np.bool_)
    for zone in zones:
        if zone.kind in HAVENS:
            within = geometry.inside(zone, s.lat, s.lon)
            k = np.flatnonzero(within)
            found[k] |= geometry.inside(zone, s.lat1[k], s.lon1[k])
    return found


def _odds(tracks: Tracks, reception: Reception, s: Silences, some: np.ndarray) -> Floats:
    """The odds that each of the silences would have been broken by a working set."""
    lat1, lon1 = s.lat1[some].copy(), s.lon1[some].copy()
    end = s.end[some].copy()
    for k in np.flatnonzero(s.open[some]):
        # as long as its way can be followed it goes on as it went
        n = int(some[k])
        speed, course = s.motion(tracks, n)
        ahead = min(end[k] - s.begin[n], _FOLLOWED_S)
        end[k] = s.begin[n] + ahead
        if np.isfinite(course):
            place = destination(
                float(s.lat[n]), float(s.lon[n]), course, speed * MS_PER_KNOT * ahead
            )
            lat1[k], lon1[k] = place
    return reception.odds(s.subject[some], s.begin[some], end, s.lat[some], s.lon[some], lat1, lon1)


def _goes_on(tracks: Tracks, silence: _Silence) -> bool:
    """Whether it goes on under another identity, which is told as that."""
    ends = tracks.once(
        ("gap", "successions"),
        lambda: [
            (known.before, known.t0)
            for known in successions_of(tracks, identity_change.CARD.values())
        ],
    )
    return any(i == silence.subject and abs(t - silence.t0) <= 60 for i, t in ends)


@dataclass(frozen=True, slots=True)
class _Told:
    silence: _Silence
    heard: Heard


class _Silence:
    """One silence of one subject."""

    def __init__(
        self,
        tracks: Tracks,
        coverage: Coverage,
        silences: Silences,
        n: int,
        odds: float,
        longest: float,
    ) -> None:
        self.tracks, self.coverage, self.odds = tracks, coverage, odds
        self._all, self._n = silences, n
        self.subject = int(silences.subject[n])
        self.before, self.after = silences.fixes(n, _AT_AN_END)
        self.open = bool(silences.open[n])
        self.t0, self.t1 = float(silences.begin[n]), float(silences.end[n])
        self.median = float(silences.median[n])
        self.longest = longest
        ends = [self.before[-1]] if self.open else [self.before[-1], self.after[0]]
        self.lat, self.lon = tracks.lat[ends], tracks.lon[ends]

    @property
    def length(self) -> float:
        """How long it lasts (s)."""
        return self.t1 - self.t0

    @cached_property
    def motion(self) -> tuple[float, float]:
        """Speed (kn) and course (deg) as it fell silent."""
        return self._all.motion(self.tracks, self._n)

    def judge(self, values: Mapping[str, float]) -> Heard | None:
        """What makes it telling, or None where it has an innocent reason or proves nothing."""
        if self._stayed(values) or self._left(values) or self._at_termini(values):
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
        needed = max(values["least_min"] * 60, values["usual_times"] * self.longest)
        enough = heard.share * self.length >= needed * values["wide_times"] ** heard.tier
        return heard if enough and self.received >= values["receiver_share"] else None

    @cached_property
    def received(self) -> float:
        """The part of the silence in which the receivers that heard it heard others.

        Those that heard it last, and those that heard it again, each for themselves; the less
        counts, because a vessel may have sailed into the reach of one that was out. An outage
        begins up to one of its intervals after its last report and ends as long before the
        next: others heard within these prove nothing, so that they are left out. A receiver that
        listens now and then, as a satellite does, proves nothing either way.
        """
        edge = min(self.longest, self.length / 4)
        t0, t1 = self.t0 + edge, self.t1 - (0.0 if self.open else edge)
        shares = []
        for end in (self.before, self.after):
            sources = different(self.tracks.source[end]).astype(np.int64)
            steady = sources[self.coverage.steady[sources]]
            if len(steady):
                shares.append(self.coverage.received(self.subject, steady, t0, t1))
        return min(shares, default=0.0)

    def _stayed(self, values: Mapping[str, float]) -> bool:
        """It lay still and is where it was."""
        if self.motion[0] >= values["still_kn"]:
            return False
        return self.open or self._moved_m() <= values["still_nm"] * METRES_PER_NAUTICAL_MILE

    def _left(self, values: Mapping[str, float]) -> bool:
        """Its way led out of the area where others are heard, and back in from there."""
        speed, course = self.motion
        if speed < values["still_kn"] or not np.isfinite(course):
            return False
        horizon = min(self.length, _HORIZON_S)
        ahead = destination(
            float(self.lat[0]), float(self.lon[0]), course, horizon * speed * MS_PER_KNOT
        )
        if self.coverage.covers(self.subject, *ahead):
            return False
        if self.open:
            return True
        speed, course = motion(self.tracks, self.after[::-1])
        if speed < values["still_kn"] or not np.isfinite(course):
            return not self.coverage.covers(self.subject, float(self.lat[1]), float(self.lon[1]))
        came = destination(
            float(self.lat[1]), float(self.lon[1]), (course + 180) % 360,
            horizon * speed * MS_PER_KNOT,
        )  # fmt: skip
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
        leeway = min(max(300.0, self.longest), self.length / 4)
        alike = (np.abs(spans[:, 1] - self.t0) <= leeway) & (
            np.abs(spans[:, 2] - self.t1) <= leeway
        )
        others = different(spans[alike, 0])
        return int((others != self.subject).sum()) >= values["least_others"]

    @property
    def ratio(self) -> float:
        """How many times its usual longest interval it lasts."""
        return self.length / max(self.longest, 1.0)

    def finding(self, heard: Heard, common: float, values: Mapping[str, float]) -> Finding:
        """The finding; `common` is the part of the others that fell silent so unusually too."""
        speed, ratio, minutes = self.motion[0], self.ratio, self.length / 60
        confidence = (0.8, 0.65, 0.5)[heard.tier] * (0.6 + 0.4 * heard.share)
        confidence += 0.15 * min(1.0, np.log2(max(ratio / values["usual_times"], 1.0)) / 3)
        confidence *= 1 - 0.6 * common
        if self.open:
            confidence *= 0.85  # it may yet be heard, or have moored out of sight
        rows = [*self.before, *self.after]
        return Finding.make(
            kind=CARD.kind,
            subjects=[self.tracks.subjects[self.subject]],
            start=moment(self.t0),
            end=moment(self.t1),
            place=point(float(self.lat[0]), float(self.lon[0])),
            radius_m=round(float(speed) * MS_PER_KNOT * self.longest) or None,
            confidence=min(0.95, float(confidence)),
            reasons=self._reasons(heard, common, minutes, values),
            records=self.tracks.records(rows),
            detector=CARD.name,
            version=CARD.version,
        )

    def _reasons(
        self, heard: Heard, common: float, minutes: float, values: Mapping[str, float]
    ) -> list[Reason]:
        speed = self.motion[0]
        where = _WHERE[heard.tier]
        state = "has been silent" if self.open else "was silent"
        least = values["usual_times"] * self.longest / 60
        due = float(self._all.rate[self._n]) * self.length
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
                "odds_least",
                round(self.odds, 4),
                "1",
                values["odds_least"],
                f"A working set would have been heard meanwhile with these odds, "
                f"{_odds_words(self.odds)}, by what was received of others there and then.",
            ),
            Reason(
                "usual_times",
                round(self.ratio, 1),
                "1",
                values["usual_times"],
                f"For it, a silence becomes unusual after {_span(least)}.",
            ),
            Reason(
                "least_due",
                round(due),
                "1",
                values["least_due"],
                "So many reports were due of it, by the rate at which it was heard before.",
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
        if not self.open:
            moved = self._moved_m()
            made = knots(moved, self.length)
            reasons.append(
                Reason(
                    "moved_nm",
                    round(moved / METRES_PER_NAUTICAL_MILE, 2),
                    "nm",
                    None,
                    f"It was heard again that far away, as if it had made {made:.1f} kn.",
                )
            )
        return reasons


def _odds_words(odds: float) -> str:
    """Odds as one says them."""
    against = 1 / max(1 - odds, 1e-4)
    return f"{against:,.0f} to 1" if against < 9_999 else "more than 9,999 to 1"


def _span(minutes: float) -> str:
    if minutes < 2:
        return f"{minutes * 60:.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
