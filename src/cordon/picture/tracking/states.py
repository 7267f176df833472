"""Living tracks at a moment, as columns and as typed values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cordon.kernel.compiled import compiled
from cordon.kernel.units import KNOTS_PER_MS
from cordon.picture.model import KINDS
from cordon.picture.tracking import filters
from cordon.picture.tracking.intake import Intake
from cordon.picture.tracking.layout import (
    ANONYMOUS,
    COASTING,
    CONFIRMED,
    NONE,
    TENTATIVE,
    Array,
    Book,
)
from cordon.picture.tracking.model import LIVES, Evidence, TrackState, id_of, subject_of
from cordon.picture.tracking.plane import moved
from cordon.picture.tracks import Bools, Floats, Ints, moment

_CARRIED = ("lat", "lon", "ve", "vn", "ee", "en", "nn", "turning")
_OWN = ("life", "kind", "seen", "born", "hits", "label", "odds", "first", "last", "best", "sources")


@compiled
def carry(book: Book, rows: Array, t: float, out: Array) -> None:
    """Where tracks are at t: lat, lon, ve, vn, covariance EE, EN, NN, and odds of a manoeuvre."""
    for k in range(len(rows)):
        track = book.tracks[rows[k]]
        dt = max(t - track.t, 0.0)
        e, n, ee, en, nn = filters.foresee(track, dt, book.p[0], book.craft[track.kind])
        lat, lon, turn = moved(track.lat, track.lon, e, n)
        cos, sin = math.cos(turn), math.sin(turn)
        out[k, 0], out[k, 1] = lat, lon
        out[k, 2] = track.ve * cos + track.vn * sin
        out[k, 3] = track.vn * cos - track.ve * sin
        out[k, 4], out[k, 5], out[k, 6] = ee, en, nn
        out[k, 7] = track.mode[1]


@dataclass(frozen=True, slots=True)
class States:
    """Living tracks at a moment, as columns of equal length, in order of their ids.

    They stay as they are, whatever the tracker does next, and may be read from any thread.

    Attributes:
        t: the moment, s since the epoch. id: as in `track:…`, see `subject_of`.
        lat, lon: degrees. ve, vn: m/s east and north. ee, en, nn: covariance of the place (m²).
        turning: odds of a manoeuvre. life: index into LIVES. kind: index into KINDS.
        seen, born: s. hits: reports that moved it.
        label: (n, 6) codes of what it was heard as, NONE for none; odds (nats), first, last (s):
            likewise. best: code of the likeliest name, or NONE. sources: (n, 2) bits.
    """

    t: float
    id: Ints
    lat: Floats
    lon: Floats
    ve: Floats
    vn: Floats
    ee: Floats
    en: Floats
    nn: Floats
    turning: Floats
    life: Ints
    kind: Ints
    seen: Floats
    born: Floats
    hits: Ints
    label: Ints
    odds: Floats
    first: Floats
    last: Floats
    best: Ints
    sources: Ints
    names: Intake

    def __len__(self) -> int:
        return len(self.id)

    def __iter__(self) -> Iterator[TrackState]:
        return (self.state(k) for k in range(len(self)))

    def of(self, subject: str) -> TrackState | None:
        """The track of a subject `track:…`, or None."""
        try:
            id_ = id_of(subject)
        except ValueError:
            return None
        k = int(np.searchsorted(self.id, id_))
        return self.state(k) if k < len(self) and self.id[k] == id_ else None

    def identity(self, k: int) -> tuple[str, float]:
        """The likeliest name of track k and its odds against any other heard, or ("", 0)."""
        if self.best[k] == NONE:
            return "", 0.0
        mine, others = 0.0, 1.0
        for label, nats in zip(self.label[k], self.odds[k], strict=True):
            if label == self.best[k]:
                mine = math.exp(nats)
            elif label != NONE and self.names.space[label] == self.names.space[self.best[k]]:
                others += math.exp(nats)
        return self.names.subject(int(self.best[k])), mine / others

    def heard_by(self, k: int) -> tuple[str, ...]:
        """The sources that made track k; the 128th and later ones are told as one."""
        bits = (
            int(self.sources[k, 0]) & (1 << 64) - 1
            | (int(self.sources[k, 1]) & (1 << 64) - 1) << 64
        )
        names = self.names.sources.names
        found = [names[n] for n in range(min(len(names), 127)) if bits >> n & 1]
        return (*sorted(found), *(("others",) if bits >> 127 & 1 else ()))

    def told(self, since: float) -> Bools:
        """(n, 6) which labels are names or numbers, heard since then (s)."""
        known = np.array([sort != ANONYMOUS for sort in self.names.sort] + [False])
        # the code NONE, -1, stands for the last: no label
        return known[self.label] & (self.last >= since)

    def state(self, k: int) -> TrackState:
        """Track k as a typed value."""
        major, minor, azimuth = ellipse(self.ee[k], self.en[k], self.nn[k])
        identity, odds = self.identity(k)
        evidence = [
            Evidence(
                self.names.subject(int(label)),
                math.exp(self.odds[k, j]),
                moment(self.first[k, j]),
                moment(self.last[k, j]),
            )
            for j, label in enumerate(self.label[k])
            if label != NONE and self.names.sort[label] != ANONYMOUS
        ]
        evidence.sort(key=lambda e: (-e.odds, e.subject))
        return TrackState(
            subject=subject_of(int(self.id[k])),
            kind=KINDS[self.kind[k]],
            life=LIVES[self.life[k]],
            at=moment(self.t),
            lat=float(self.lat[k]),
            lon=float(self.lon[k]),
            speed_kn=float(math.hypot(self.ve[k], self.vn[k]) * KNOTS_PER_MS),
            course_deg=math.degrees(math.atan2(self.ve[k], self.vn[k])) % 360.0,
            major_m=major,
            minor_m=minor,
            azimuth_deg=azimuth,
            identity=identity,
            odds=odds,
            evidence=tuple(evidence),
            sources=self.heard_by(k),
            born=moment(self.born[k]),
            seen=moment(self.seen[k]),
            hits=int(self.hits[k]),
            turning=float(self.turning[k]),
        )


def ellipse(ee: float, en: float, nn: float) -> tuple[float, float, float]:
    """Half axes (m) of a covariance's ellipse of one standard deviation; azimuth of the longer."""
    half, apart = 0.5 * (ee + nn), math.hypot(0.5 * (ee - nn), en)
    azimuth = 0.5 * math.degrees(math.atan2(2.0 * en, nn - ee)) % 180.0
    return math.sqrt(half + apart), math.sqrt(max(half - apart, 0.0)), azimuth


def states_of(book: Book, names: Intake, t: float, tentative: bool) -> States:
    """The living tracks of a book at t; the tentative ones where asked for."""
    all_ = book.tracks
    least = TENTATIVE if tentative else CONFIRMED
    rows = np.flatnonzero((all_["life"] >= least) & (all_["life"] <= COASTING))
    rows = rows[np.argsort(all_["id"][rows])]
    out = np.empty((len(rows), 8))
    carry(book, rows, t, out)
    own: dict[str, Any] = {name: all_[name][rows] for name in ("id", *_OWN)}
    own |= dict(zip(_CARRIED, out.T, strict=True))
    return States(t=t, names=names.still(), **own)
