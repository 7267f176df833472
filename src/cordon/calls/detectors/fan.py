"""Finds numbers that call out in a fan: see the card beside this file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cordon.calls.detectors import fan_sql as sql
from cordon.calls.detectors.data import CallData
from cordon.calls.model import EXEMPT
from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding, Reason, RecordRef

CARD = load_card(__file__)
MOST_RECORDS = 1000
"""Pointers that a finding holds; how many there are stands in its reason `calls`."""

_SAMPLE = 20_000  # numbers that say what is usual
_BUSY_PARTNERS = 150  # more people than one person keeps up with (Dunbar 1992)
_FEW_LINKS = 10  # fewer acquaintances among the people called say nothing either way
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COMPARED = (
    "people_a_day",
    "new_share",
    "incoming_share",
    "called_back_share",
    "cell_share",
    "entropy",
    "duration",
    "hours_a_day",
)
_LOW = ("incoming_share", "called_back_share")  # of these, little is what stands out


@dataclass(frozen=True, slots=True)
class Profile:
    """One number's exact counts; what its records do not allow to measure is None.

    Attributes:
        calls, people: outgoing voice calls, and different people called. first, last:
            microseconds since the epoch. The rest as on the card; `duration` in seconds.
    """

    number: str
    candidate: bool
    calls: int
    first: int
    last: int
    duration: float | None
    active_days: int
    people_a_day: float
    calls_a_day: float
    hours_a_day: float
    people: int
    new_share: float
    entropy: float | None
    cell_share: float | None
    called_back_share: float
    incoming_share: float
    acquainted_lift: float | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """One number beside its threshold.

    Attributes:
        most: True where the value must not be above the threshold, False where not below.
        must: True where a finding needs this sign whatever the others say.
    """

    name: str
    value: float | None
    threshold: float
    unit: str
    most: bool
    must: bool
    says: str

    @property
    def agrees(self) -> bool:
        if self.value is None:
            return False
        return self.value <= self.threshold if self.most else self.value >= self.threshold

    @property
    def margin(self) -> float:
        """How clearly it agrees: 0 at the threshold, 1 at twice (or half of the way to) it."""
        if self.value is None or not self.agrees:
            return 0.0
        if self.most:
            return 1.0 - self.value / self.threshold if self.threshold else 1.0
        room = (1.0 - self.threshold) if self.threshold <= 1.0 else self.threshold
        return min(1.0, (self.value - self.threshold) / room) if room else 1.0


def find(calls: CallData, card: Card = CARD) -> Iterator[Finding]:
    """Findings over the calls, by number.

    Args:
        calls: the calls, and subscribers where known. card: the parameters' defaults.
    """
    values = card.values(calls.given)
    calls.stage("counting everybody", 0.0)
    one_in = _count(calls, values)
    calls.stage("measuring those who could matter", 0.3)
    profiles = _profiles(calls)
    shaped = [p for p in profiles if all(s.agrees for s in signs(p, values) if s.must)]
    calls.stage("looking at who knows whom", 0.6)
    shaped = _with_acquaintance(calls, shaped)
    agreed = [p for p in shaped if _agrees(signs(p, values), values["agreeing"])]
    named = _without_exempt(calls, agreed)
    calls.stage("gathering the records", 0.9)
    usual = _usual(calls, one_in)
    records = _records(calls, [p.number for p in named])
    if named and all(p.cell_share is None for p in named):
        calls.left_out.append(
            "The calls hold no cells: a number that moves, such as a delivery rider's, cannot "
            "be told from one that stands in a room. Confidence is lower for it."
        )
    for profile in named:
        yield _finding(profile, values, usual, records[profile.number], card)
    calls.stage("done", 1.0)


def signs(profile: Profile, values: Mapping[str, float]) -> list[Sign]:
    """Every sign of a number, the weightiest first."""
    p = profile
    return [
        Sign(
            "people_a_day",
            p.people_a_day,
            values["people_a_day"],
            "1",
            False,
            True,
            f"called {p.people_a_day:.0f} different people on a median day",
        ),
        Sign(
            "new_share",
            p.new_share,
            values["new_share"],
            "1",
            False,
            True,
            f"{p.new_share:.0%} of each day's people had not been called on a day before",
        ),
        Sign(
            "incoming_share",
            p.incoming_share,
            values["incoming_share"],
            "1",
            True,
            True,
            f"{p.incoming_share:.0%} of its calls were incoming",
        ),
        Sign(
            "called_back_share",
            p.called_back_share,
            values["called_back_share"],
            "1",
            True,
            False,
            f"{p.called_back_share:.0%} of the people called ever called it",
        ),
        Sign(
            "acquainted_lift",
            p.acquainted_lift,
            values["acquainted_lift"],
            "1",
            True,
            False,
            f"the people called know one another {p.acquainted_lift or 0:.1f} times as often as "
            "people at random",
        ),
        Sign(
            "cell_share",
            p.cell_share,
            values["cell_share"],
            "1",
            False,
            False,
            f"{p.cell_share or 0:.0%} of its calls came from two cells",
        ),
        Sign(
            "hours_a_day",
            p.hours_a_day,
            values["hours_a_day"],
            "h",
            False,
            False,
            f"called in {p.hours_a_day:.0f} hours of a median day",
        ),
        Sign(
            "duration_most",
            p.duration,
            values["duration_most"],
            "s",
            True,
            False,
            f"the median answered call lasted {p.duration or 0:.0f} s",
        ),
        Sign(
            "entropy",
            p.entropy,
            values["entropy"],
            "1",
            False,
            False,
            f"its calls are spread over people by {p.entropy or 0:.2f} of full evenness",
        ),
        Sign(
            "duration_least",
            p.duration,
            values["duration_least"],
            "s",
            False,
            False,
            f"the median answered call lasted {p.duration or 0:.0f} s",
        ),
        Sign(
            "active_days",
            p.active_days,
            values["active_days"],
            "d",
            False,
            True,
            f"called on {p.active_days} days",
        ),
        Sign(
            "calls_a_day",
            p.calls_a_day,
            values["calls_a_day"],
            "1",
            True,
            True,
            f"made {p.calls_a_day:.0f} calls on a median day, within what one person can dial",
        ),
    ]


def _agrees(all_signs: list[Sign], share: float) -> bool:
    measured = [s for s in all_signs if not s.must and s.value is not None]
    agreeing = sum(s.agrees for s in measured)
    return bool(measured) and agreeing >= share * len(measured)


def _count(calls: CallData, values: Mapping[str, float]) -> int:
    """Count everybody and choose whom to measure; returns one in how many is a sample."""
    db = calls.db
    db.execute(sql.EVERYBODY)
    row = db.execute("SELECT count(*) FROM everybody WHERE outgoing >= 3").fetchone()
    one_in = max(1, (row[0] if row else 0) // _SAMPLE)
    # a median day of n people over d days makes at least n on half of the days
    days = max(1.0, values["active_days"] / 2)
    db.execute(
        sql.SELECTED,
        {
            "calls": values["people_a_day"] * days,
            "people": 0.8 * values["people_a_day"],
            "one_in": one_in,
        },
    )
    db.execute(sql.OUTGOING, {"offset": calls.utc_offset_s * 1_000_000})
    db.execute(sql.PEOPLE)
    db.execute(sql.INCOMING)
    db.execute(sql.PROFILES)
    return one_in


def _profiles(calls: CallData) -> list[Profile]:
    names = [n for n in Profile.__slots__ if n != "acquainted_lift"]
    rows = calls.db.sql(f"SELECT {', '.join(names)} FROM profiles WHERE candidate ORDER BY number")  # noqa: S608 - names of our own class
    return [Profile(*row) for row in rows.fetchall()]


def _with_acquaintance(calls: CallData, profiles: list[Profile]) -> list[Profile]:
    """The profiles with how much more the people called know one another than by chance.

    By chance: the share of all pairs of numbers that ever called, times the pairs among the
    people called.
    """
    if not profiles:
        return []
    db = calls.db
    db.execute(sql.BUSY, {"partners": _BUSY_PARTNERS})
    db.execute(sql.PAIRS)
    pairs, numbers = db.execute(sql.CHANCE).fetchone() or (0, 0)
    if numbers < 2 or not pairs:
        return profiles
    density = pairs / (numbers * (numbers - 1) / 2)
    rows = db.execute(sql.ACQUAINTED, {"numbers": [p.number for p in profiles]}).fetchall()
    lifts: dict[str, float | None] = {}
    for number, people, links in rows:
        expected = density * people * (people - 1) / 2
        # too few links to speak of acquaintance, however unlikely by chance in a sparse network
        lifts[number] = 0.0 if links < _FEW_LINKS else links / expected
    return [replace(p, acquainted_lift=lifts.get(p.number)) for p in profiles]


def _without_exempt(calls: CallData, profiles: list[Profile]) -> list[Profile]:
    kinds = [kind.value for kind in EXEMPT]
    rows = calls.db.execute(
        "SELECT number, kind FROM subscribers WHERE kind IN (SELECT unnest($kinds))",
        {"kinds": kinds},
    ).fetchall()
    exempt = dict(rows)
    left: dict[str, int] = {}
    for profile in profiles:
        if profile.number in exempt:
            kind = exempt[profile.number]
            left[kind] = left.get(kind, 0) + 1
    calls.left_out.extend(
        f"{count} number{'s call' if count > 1 else ' calls'} out in a fan and "
        f"{'are' if count > 1 else 'is'} exempt: {kind.replace('_', ' ')} in the subscribers file."
        for kind, count in sorted(left.items())
    )
    return [p for p in profiles if p.number not in exempt]


def _usual(calls: CallData, one_in: int) -> dict[str, tuple[float, float]]:
    """Median and 99th percentile (for shares that must be low: the 1st) over all numbers."""
    columns = ", ".join(
        f"median({n}), quantile_cont({n}, {0.01 if n in _LOW else 0.99})" for n in _COMPARED
    )
    row = calls.db.execute(sql.USUAL.format(columns=columns), {"one_in": one_in}).fetchone() or ()
    found = {}
    for at, name in enumerate(_COMPARED):
        middle, edge = row[2 * at : 2 * at + 2] or (None, None)
        if middle is not None and edge is not None:
            found[name] = (float(middle), float(edge))
    return found


def _records(calls: CallData, numbers: list[str]) -> dict[str, list[RecordRef]]:
    found: dict[str, list[RecordRef]] = {n: [] for n in numbers}
    if numbers:
        rows = calls.db.execute(sql.RECORDS, {"numbers": numbers, "most": MOST_RECORDS})
        for number, sha256, row in rows.fetchall():
            found[number].append(RecordRef(sha256, row))
    return found


def _finding(
    profile: Profile,
    values: Mapping[str, float],
    usual: Mapping[str, tuple[float, float]],
    records: list[RecordRef],
    card: Card,
) -> Finding:
    all_signs = signs(profile, values)
    told = [s for s in all_signs if s.value is not None and s.agrees]
    reasons = [_reason(s, usual) for s in told]
    reasons.append(
        Reason(
            "calls",
            float(profile.calls),
            "1",
            None,
            f"{profile.calls} outgoing calls to {profile.people} people; this finding points at "
            f"{len(records)} of their records",
        )
    )
    return Finding.make(
        kind=card.kind,
        subjects=[f"number:{profile.number}"],
        start=_moment(profile.first),
        end=_moment(profile.last),
        confidence=_confidence(all_signs),
        reasons=reasons,
        records=records,
        detector=card.name,
        version=card.version,
    )


def _reason(sign: Sign, usual: Mapping[str, tuple[float, float]]) -> Reason:
    beside = usual.get("duration" if sign.name.startswith("duration") else sign.name)
    words = sign.says
    if beside is not None:
        middle, edge = (_shown(v, sign.unit, share=sign.threshold <= 1.0) for v in beside)
        rare = "1 in 100 is at most" if sign.most and sign.threshold <= 1.0 else "1 in 100 is over"
        words += f"; usual among all numbers is {middle}, {rare} {edge}"
    return Reason(
        sign.name,
        round(float(sign.value or 0.0), 4),
        sign.unit,
        sign.threshold,
        words[0].upper() + words[1:] + ".",
    )


def _shown(value: float, unit: str, *, share: bool) -> str:
    if share:
        return f"{value:.0%}"
    return f"{value:.0f}" + ("" if unit == "1" else f" {unit}")


def _confidence(all_signs: list[Sign]) -> float:
    """0.5 at the thresholds, up to 0.95; 0.7 at most where a sign could not be measured."""
    weighed = [
        s.margin
        for s in all_signs
        if s.value is not None and s.name not in ("duration_least", "active_days", "calls_a_day")
    ]
    confidence = 0.5 + 0.45 * min(1.0, 1.5 * sum(weighed) / len(weighed))
    complete = all(s.value is not None for s in all_signs)
    return confidence if complete else min(confidence, 0.7)


def _moment(microseconds: Any) -> datetime:
    return _EPOCH + timedelta(microseconds=int(microseconds))
