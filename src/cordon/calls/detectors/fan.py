"""Finds numbers that call out in a fan: see the card beside this file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.calls.detectors import fan_sql as sql
from cordon.calls.detectors.data import CallData
from cordon.calls.model import EXEMPT
from cordon.calls.survey.near import BOX, FAN, NAMED, SAMPLE
from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.kernel.store.columns import connect

CARD = load_card(__file__)
MOST_RECORDS = 1000
"""Pointers that a finding holds; how many there are stands in its reason `calls`."""

_BUSY_PARTNERS = 150  # more people than one person keeps up with (Dunbar 1992)
_MET = 300  # people called of whom acquaintance is looked for
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
        at: its position in `Near.numbers`.
        calls, people: outgoing voice calls, and different people called. first, last:
            microseconds since the epoch. The rest as on the card; `duration` in seconds.
    """

    number: str
    at: int
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


@dataclass(frozen=True, slots=True)
class Measured:
    """What can be told of numbers before it is known which of them a ring or box holds.

    Attributes:
        profiles: of numbers that have the shape of a fan. usual: of a sample of everybody, by
            name the median and the edge.
    """

    profiles: Sequence[Profile] = ()
    usual: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def ahead(data: CallData, card: Card = CARD) -> Measured:
    """Measure what no other detector has a part in; as `find`."""
    values = card.values(data.given)
    candidates = _candidates(data, values)
    if not len(candidates):
        return Measured()
    sample = np.flatnonzero((data.near.why & SAMPLE) > 0)
    with connect() as db:
        _measure(db, data, candidates, sample)
        profiles = _profiles(db, data.near.numbers)
        shaped = [p for p in profiles if all(s.agrees for s in signs(p, values) if s.must)]
        return Measured(_with_acquaintance(db, data, shaped), _usual(db, sample))


def find(
    data: CallData, card: Card = CARD, measured: Callable[[], Measured] | None = None
) -> Iterator[Finding]:
    """Findings over the calls, by number: lines of no ring.

    Args:
        data: the calls and what is known beside them. card: the parameters' defaults.
        measured: gives what `ahead` told of them; asked of it where None.
    """
    values = card.values(data.given)
    data.stage("lines that call out in a fan", 0.0)
    told = ahead(data, card) if measured is None else measured()
    taken = {at for some in data.told for at in some.tolist()}
    free = [p for p in told.profiles if p.at not in taken]
    agreed = [p for p in free if _agrees(signs(p, values), values["agreeing"])]
    named = _without_exempt(data, agreed)
    if named and all(p.cell_share is None for p in named):
        data.left_out.append(
            "The calls of the numbers named hold no cells: a number that moves, such as a "
            "delivery rider's, cannot be told from one that stands in a room. Confidence is lower "
            "for it."
        )
    for profile in named:
        yield _finding(profile, values, told.usual, _records(data, profile.at), card)


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


def _candidates(data: CallData, values: Mapping[str, float]) -> NDArray[np.int64]:
    """Positions of numbers that call many people."""
    p, near = data.profiles, data.near
    # a median day of n people over d days makes at least n on half of the days
    days = max(1.0, values["active_days"] / 2)
    looked = (near.why & (FAN | BOX | NAMED)) > 0
    enough = p.out >= values["people_a_day"] * days
    return np.flatnonzero(looked & enough & (p.people >= 0.8 * values["people_a_day"]))


def _measure(
    db: duckdb.DuckDBPyConnection,
    data: CallData,
    candidates: NDArray[np.int64],
    sample: NDArray[np.int64],
) -> None:
    near = data.near
    chosen = np.zeros(len(near.numbers), bool)
    chosen[candidates] = True
    chosen[sample] = True
    of = np.flatnonzero(near.voice & (chosen[near.caller] | chosen[near.callee]))
    duration = near.duration[of].astype(float)
    db.register(
        "calls",
        pa.table(
            {
                "us": near.us[of],
                "duration_s": pa.array(duration, mask=np.isnan(duration)),
                "caller": near.caller[of],
                "callee": near.callee[of],
                "caller_cell": pa.array(near.caller_cell[of], mask=near.caller_cell[of] < 0),
                "call": of,
            }
        ),
    )
    both = np.flatnonzero(chosen)
    db.register("picked", pa.table({"number": both, "candidate": np.isin(both, candidates)}))
    db.execute("CREATE TEMP TABLE selected AS SELECT * FROM picked")
    db.execute(sql.OUTGOING, {"offset": data.utc_offset_s * 1_000_000})
    for step in (sql.PEOPLE, sql.INCOMING, sql.PROFILES):
        db.execute(step)


def _profiles(db: duckdb.DuckDBPyConnection, numbers: Sequence[str]) -> list[Profile]:
    names = [n for n in Profile.__slots__ if n not in ("number", "at", "acquainted_lift")]
    rows = db.sql(f"SELECT number, {', '.join(names)} FROM profiles WHERE candidate ORDER BY 1")  # noqa: S608 - names of our own class
    return [Profile(numbers[at], at, *row) for at, *row in rows.fetchall()]


def _with_acquaintance(
    db: duckdb.DuckDBPyConnection, data: CallData, profiles: list[Profile]
) -> list[Profile]:
    """The profiles with how much more the people called know one another than by chance.

    By chance: the share of all pairs of numbers that ever called, times the pairs among the
    people called. How many pairs there are is told from how many people each deals with.
    """
    if not profiles:
        return []
    census, names = data.census, pa.array(data.near.numbers, pa.string())
    db.register("names", pa.table({"at": np.arange(len(names)), "name": names}))
    db.execute(sql.MET, {"numbers": [p.at for p in profiles], "most": _MET})
    degree = np.minimum(np.maximum(census.met, census.heard), 2 * _BUSY_PARTNERS)
    known = degree >= 1
    if known.sum() < 2:
        return profiles
    density = float(degree[known].mean()) / float(known.sum() - 1)
    met = np.array([m for (m,) in db.execute("SELECT DISTINCT callee FROM met").fetchall()])
    busy = met[degree[data.near.in_census[met]] > _BUSY_PARTNERS].tolist()
    db.register("pairs", _pairs(data, met))
    rows = db.execute(sql.ACQUAINTED, {"busy": busy}).fetchall()
    lifts: dict[int, float | None] = {}
    for number, people, links in rows:
        expected = density * people * (people - 1) / 2
        # too few links to speak of acquaintance, however unlikely by chance in a sparse network
        lifts[number] = 0.0 if links < _FEW_LINKS else links / expected
    return [replace(p, acquainted_lift=lifts.get(p.at)) for p in profiles]


def _pairs(data: CallData, met: NDArray[np.int64]) -> pa.Table:
    """Which of these people called one another, in any of the calls: `a` below `b`."""
    census, at = data.census, data.near.in_census[met]
    if census.ends is None or census.seen is None:
        key = pa.array(census.key[at].view(census.key_type))
        data.engine.put("met", pa.table({"k": key, "at": met}))
        return data.engine.table(sql.PAIRS)
    mark = np.full(census.ends.numbers, -1, np.int32)
    mark[census.seen[at]] = met
    a, b = census.ends.among(mark)
    return pa.table({"a": a, "b": b})


def _without_exempt(data: CallData, profiles: list[Profile]) -> list[Profile]:
    kinds = {kind.value for kind in EXEMPT}
    exempt = {p.number for p in profiles if data.holders.get(p.number) in kinds}
    left: dict[str, int] = {}
    for number in sorted(exempt):
        kind = data.holders[number]
        left[kind] = left.get(kind, 0) + 1
    data.left_out.extend(
        f"{count} number{'s call' if count > 1 else ' calls'} out in a fan and "
        f"{'are' if count > 1 else 'is'} exempt: {kind.replace('_', ' ')} in the subscribers file."
        for kind, count in sorted(left.items())
    )
    return [p for p in profiles if p.number not in exempt]


def _usual(
    db: duckdb.DuckDBPyConnection, sample: NDArray[np.int64]
) -> dict[str, tuple[float, float]]:
    """Median and 99th percentile (for shares that must be low: the 1st) over all numbers."""
    columns = ", ".join(
        f"median({n}), quantile_cont({n}, {0.01 if n in _LOW else 0.99})" for n in _COMPARED
    )
    row = (
        db.execute(sql.USUAL.format(columns=columns), {"sample": sample.tolist()}).fetchone() or ()
    )
    found = {}
    for at, name in enumerate(_COMPARED):
        middle, edge = row[2 * at : 2 * at + 2] or (None, None)
        if middle is not None and edge is not None:
            found[name] = (float(middle), float(edge))
    return found


def _records(data: CallData, at: int) -> list[RecordRef]:
    """Where the first of a number's outgoing voice calls stand."""
    near = data.near
    calls, starts = near.made
    own = calls[starts[at] : starts[at + 1]]
    own = np.sort(own[near.voice[own] & (near.callee[own] != at)])
    return near.records(own[:MOST_RECORDS])


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
