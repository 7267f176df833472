"""Scores findings against truth, as formats.md says under “score”.

A finding answers a truth when their kinds are equal, their spans overlap, and the Jaccard
overlap of their subjects, of the types that the truth names, is at least one half. Each is used
once, best overlap first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from statistics import median
from typing import Any

from cordon.exercise.model import Truth
from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding

LEAST_OVERLAP = 0.5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KindScore:
    """The score of one kind.

    Attributes:
        truths, found, false: planted; answered; findings that answer none.
        precision, recall, f1: 0 to 1, None where there is nothing to divide by.
        false_a_day: false findings for each day of the exercise.
        median_delay_s: seconds from a truth's start to the moment at which its finding was
            told, as `score` was given it; None where no such moment is known.
    """

    kind: str
    truths: int
    found: int
    false: int
    precision: float | None
    recall: float | None
    f1: float | None
    false_a_day: float
    median_delay_s: float | None

    def to_dict(self) -> dict[str, Any]:
        """The score as a plain dict, keys in the order of formats.md."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Score:
    """What came of an exercise.

    Attributes:
        kinds: by name. days: over which false findings are counted.
        answers: pairs of index of truth and index of finding, as they were given.
    """

    kinds: tuple[KindScore, ...]
    days: float
    answers: tuple[tuple[int, int], ...]

    def to_dict(self) -> dict[str, Any]:
        """The score as a plain dict."""
        return {"days": self.days, "kinds": [k.to_dict() for k in self.kinds]}


Told = Callable[[Truth, Finding], datetime | None]
"""The moment (aware UTC) at which a finding told a truth, or None where that says nothing."""


def evidence_ends(truth: Truth, finding: Finding) -> datetime:
    """The last moment that the finding's evidence speaks of, all that a file of findings holds.

    That is not when it was or could be told: a behaviour that can be told at its first report
    (an entry into a zone) has its own length in such a delay.
    """
    return finding.end


def score(
    truths: Sequence[Truth],
    findings: Iterable[Finding],
    *,
    days: float | None = None,
    told: Told = evidence_ends,
) -> Score:
    """Score findings against truth; the order of either changes nothing but the indices.

    Args:
        days: length of the exercise. Where absent: from the first start to the last end of
            truths and findings, one day at least.
        told: when a finding told the truth that it answers, for the delay: on a node, when it
            was kept; of files, `evidence_ends`.
    """
    found = list(findings)
    if days is not None and not 0 < days < inf:
        raise BadInput(f"An exercise of {days} days has no score.")
    length = days if days is not None else _days(truths, found)
    answers = _answers(truths, found)
    kinds = sorted({t.kind for t in truths} | {f.kind for f in found})
    scored = tuple(_of_kind(k, truths, found, answers, length, told) for k in kinds)
    return Score(scored, length, answers)


def overlap(truth: Truth, finding: Finding) -> float:
    """Jaccard overlap of the subjects, of the types that the truth names (0 to 1)."""
    types = {s.partition(":")[0] for s in truth.subjects}
    named = set(truth.subjects)
    told = {s for s in finding.subjects if s.partition(":")[0] in types}
    return len(named & told) / len(named | told)


def _answers(truths: Sequence[Truth], findings: Sequence[Finding]) -> tuple[tuple[int, int], ...]:
    by_subject: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, finding in enumerate(findings):
        for subject in finding.subjects:
            by_subject[finding.kind, subject].append(at)
    pairs = []
    for t, truth in enumerate(truths):
        near = {f for s in truth.subjects for f in by_subject.get((truth.kind, s), ())}
        for f in near:
            finding = findings[f]
            together = min(truth.end, finding.end) - max(truth.start, finding.start)
            how_far = overlap(truth, finding)
            # a span of one moment overlaps where it touches
            if together >= timedelta(0) and how_far >= LEAST_OVERLAP:
                # what the two say decides between equals, never the order they came in
                says = (
                    truth.start,
                    truth.end,
                    truth.subjects,
                    finding.end,
                    finding.start,
                    finding.subjects,
                    finding.id,
                )
                pairs.append((-how_far, -together, says, t, f))
    pairs.sort()
    used_truths: set[int] = set()
    used_findings: set[int] = set()
    answers = []
    for *_, t, f in pairs:
        if t not in used_truths and f not in used_findings:
            used_truths.add(t)
            used_findings.add(f)
            answers.append((t, f))
    return tuple(sorted(answers))


def _of_kind(
    kind: str,
    truths: Sequence[Truth],
    findings: Sequence[Finding],
    answers: Sequence[tuple[int, int]],
    days: float,
    told: Told,
) -> KindScore:
    planted = sum(t.kind == kind for t in truths)
    said = sum(f.kind == kind for f in findings)
    own = [(truths[t], findings[f]) for t, f in answers if truths[t].kind == kind]
    found, false = len(own), said - len(own)
    precision = found / said if said else None
    recall = found / planted if planted else None
    # 2PR/(P+R) written so that it needs neither: Van Rijsbergen 1979
    f1 = 2 * found / (said + planted)
    moments = [(t.start, told(t, f)) for t, f in own]
    # a clock a second off must not make a finding that came before what it tells
    delays = [max(0.0, (at - start).total_seconds()) for start, at in moments if at is not None]
    return KindScore(
        kind,
        planted,
        found,
        false,
        precision,
        recall,
        f1,
        false / days,
        median(delays) if delays else None,
    )


def _days(truths: Sequence[Truth], findings: Sequence[Finding]) -> float:
    spans: list[tuple[datetime, datetime]] = [(x.start, x.end) for x in truths]
    spans += [(x.start, x.end) for x in findings]
    if not spans:
        return 1.0
    return max(1.0, (max(e for _, e in spans) - min(s for s, _ in spans)) / _DAY)
