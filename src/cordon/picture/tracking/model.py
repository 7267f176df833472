"""The words of tracking as typed values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from cordon.kernel.findings import RecordRef
from cordon.picture.model import Refusal

LIVES = ("free", "tentative", "confirmed", "coasting", "ended", "merged")
HAPPENINGS = ("born", "confirmed", "coasting", "ended", "merged", "named")
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u


def subject_of(id_: int) -> str:
    """A track's id as a subject: `track:` and twelve digits of base 32."""
    return "track:" + "".join(_DIGITS[id_ >> shift & 31] for shift in range(55, -1, -5))


def id_of(subject: str) -> int:
    """The id in a subject that `subject_of` wrote; ValueError where it did not."""
    type_, _, digits = subject.partition(":")
    if type_ != "track" or len(digits) != 12:
        raise ValueError("not the subject of a track")
    found = 0
    for digit in digits:
        found = found << 5 | _DIGITS.index(digit)
    return found


@dataclass(frozen=True, slots=True)
class Evidence:
    """One name or number under which a track was heard.

    Attributes:
        subject: as positions told it; for a number, with the source that gave it.
        odds: how many times likelier it is this one's than not heard at all; at most 160,000.
        first, last: when it was first and last heard, aware UTC.
    """

    subject: str
    odds: float
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class TrackState:
    """One track at a moment.

    Attributes:
        subject: `track:…`, the same as long as the track lives. kind: one of KINDS.
        life: tentative, confirmed or coasting. at: the moment that this holds for.
        lat, lon: degrees. speed_kn, course_deg: as estimated.
        major_m, minor_m, azimuth_deg: the ellipse that holds the place with odds 0.39 (one
            standard deviation each way); azimuth of its longer axis, 0 ≤ a < 180.
        identity: the likeliest name, or empty. odds: that it is that one against any other heard.
        evidence: names and numbers heard, the likeliest first.
        sources: the sensors and receivers that made it. born, seen: its first and last report.
        hits: reports that moved it. turning: odds that it manoeuvres, 0 to 1.
    """

    subject: str
    kind: str
    life: str
    at: datetime
    lat: float
    lon: float
    speed_kn: float
    course_deg: float
    major_m: float
    minor_m: float
    azimuth_deg: float
    identity: str
    odds: float
    evidence: tuple[Evidence, ...]
    sources: tuple[str, ...]
    born: datetime
    seen: datetime
    hits: int
    turning: float


@dataclass(frozen=True, slots=True)
class Fix:
    """One report of a track, and where it came from.

    Attributes:
        subject: as the report told it. record: its file and row, None where it came over no file.
        settled: nothing that comes later can give it to another track.
    """

    at: datetime
    lat: float
    lon: float
    source: str
    subject: str
    record: RecordRef | None
    settled: bool


@dataclass(frozen=True, slots=True)
class Happening:
    """Something in the life of a track, settled.

    Attributes:
        what: one of HAPPENINGS. subject: the track. other: the track that it went into, or the
            name that it bore before, or empty.
    """

    what: str
    at: datetime
    subject: str
    other: str = ""


@dataclass(slots=True)
class Taken:
    """What became of reports given to a tracker.

    Attributes:
        kept, repeated, refused: reports. late: those of `refused` that came later than the lag.
        refusals: the first thousand refused, with their rows and reasons.
    """

    kept: int = 0
    repeated: int = 0
    refused: int = 0
    late: int = 0
    refusals: list[Refusal] = field(default_factory=list)
