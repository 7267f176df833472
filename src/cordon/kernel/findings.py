"""The one shape that every detector returns.

A finding is a lead for a person to judge, never a verdict: it carries its reasons as
numbers beside their thresholds, and pointers to the records it came from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.errors import BadInput


@dataclass(frozen=True, slots=True)
class Reason:
    """One number that speaks for a finding.

    Attributes:
        name: the parameter's name on the detector's card.
        value: what was measured, in `unit`.
        unit: unit symbol (`kn`, `min`, `m`, `1`).
        threshold: what the detector asks for at least (or at most), in `unit`, or None.
        says: one plain sentence for the officer.
    """

    name: str
    value: float
    unit: str
    threshold: float | None
    says: str


@dataclass(frozen=True, slots=True)
class RecordRef:
    """Where a record stands: its file's SHA-256 (hex) and its row (from 1) or byte offset."""

    sha256: str
    row: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What a detector says of subjects, over a span and at a place.

    Attributes:
        id: UUID text, the same for the same kind, subjects and start, so that a second run
            finds the same finding and not another one.
        kind: `room.behaviour`, for example `picture.gap`.
        subjects: sorted tuple of `type:id`.
        start, end: aware UTC; `end` is the last moment that the evidence speaks of.
        place: GeoJSON geometry (WGS 84) or None; radius_m: its uncertainty (m) or None.
        confidence: 0 to 1.
        reasons: numbers beside thresholds, the weightiest first.
        records: the records it came from, in order.
        detector, version: which detector said so.
        agency: code of the agency whose node found it; mark: its handling mark.
    """

    id: str
    kind: str
    subjects: tuple[str, ...]
    start: datetime
    end: datetime
    place: dict[str, Any] | None
    radius_m: float | None
    confidence: float
    reasons: tuple[Reason, ...]
    records: tuple[RecordRef, ...]
    detector: str
    version: str
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def make(
        cls,
        *,
        kind: str,
        subjects: Iterable[str],
        start: datetime,
        end: datetime,
        confidence: float,
        reasons: Iterable[Reason],
        records: Iterable[RecordRef],
        detector: str,
        version: str,
        place: dict[str, Any] | None = None,
        radius_m: float | None = None,
    ) -> Finding:
        """Build a finding; sorts the subjects and derives the id from what it says."""
        names = tuple(sorted(set(subjects)))
        if not names:
            raise BadInput(f"A finding of {kind} names no subject.")
        if not 0.0 <= confidence <= 1.0:
            raise BadInput(f"Confidence {confidence} of a {kind} is not between 0 and 1.")
        seed = "\n".join((kind, detector, *names, format_time(start)))
        digest = hashlib.sha256(seed.encode()).digest()[:16]
        return cls(
            # UUIDv8 (RFC 9562 §5.8): vendor-specific, here the hash of what it says
            id=str(
                UUID(
                    bytes=bytes(
                        [
                            *digest[:6],
                            digest[6] & 15 | 0x80,
                            digest[7],
                            digest[8] & 63 | 0x80,
                            *digest[9:],
                        ]
                    )
                )
            ),
            kind=kind,
            subjects=names,
            start=start,
            end=end,
            place=place,
            radius_m=radius_m,
            confidence=round(float(confidence), 4),
            reasons=tuple(reasons),
            records=tuple(records),
            detector=detector,
            version=version,
        )

    def to_dict(self) -> dict[str, Any]:
        """The finding as formats.md lays it out, keys in that order."""
        return {
            "id": self.id,
            "kind": self.kind,
            "subjects": list(self.subjects),
            "start": format_time(self.start),
            "end": format_time(self.end),
            "place": self.place,
            "radius_m": self.radius_m,
            "confidence": self.confidence,
            "reasons": [
                {
                    "name": r.name,
                    "value": r.value,
                    "unit": r.unit,
                    "threshold": r.threshold,
                    "says": r.says,
                }
                for r in self.reasons
            ],
            "records": [{"sha256": r.sha256, "row": r.row} for r in self.records],
            "detector": self.detector,
            "version": self.version,
            **self.extra,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Finding:
        """Read one object of a findings file; raises BadInput naming the key that is wrong."""
        known = {
            "id",
            "kind",
            "subjects",
            "start",
            "end",
            "place",
            "radius_m",
            "confidence",
            "reasons",
            "records",
            "detector",
            "version",
        }
        try:
            return cls(
                id=str(data["id"]),
                kind=str(data["kind"]),
                subjects=tuple(sorted(str(s) for s in data["subjects"])),
                start=parse_time(data["start"]),
                end=parse_time(data["end"]),
                place=data.get("place"),
                radius_m=data.get("radius_m"),
                confidence=float(data["confidence"]),
                reasons=tuple(
                    Reason(r["name"], r["value"], r["unit"], r.get("threshold"), r["says"])
                    for r in data.get("reasons", ())
                ),
                records=tuple(
                    RecordRef(r["sha256"], int(r["row"])) for r in data.get("records", ())
                ),
                detector=str(data.get("detector", "")),
                version=str(data.get("version", "")),
                extra={k: v for k, v in data.items() if k not in known},
            )
        except KeyError as missing:
            raise BadInput(f"A finding has no {missing}.") from None
        except (TypeError, ValueError) as wrong:
            raise BadInput(f"A finding cannot be read: {wrong}.") from None

    def without_records(self) -> Finding:
        """The same finding without its pointers, for lists."""
        return replace(self, records=())


def write_findings(findings: Iterable[Finding]) -> Iterator[bytes]:
    """Findings as JSON Lines: one line of UTF-8 bytes each, newline included."""
    for finding in findings:
        yield orjson.dumps(finding.to_dict(), option=orjson.OPT_APPEND_NEWLINE)


def read_findings(path: Path) -> Iterator[Finding]:
    """Findings of a JSON Lines file; a broken line is an error that names its number."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield Finding.from_dict(orjson.loads(line))
            except (orjson.JSONDecodeError, BadInput) as wrong:
                raise BadInput(f"{path.name}, line {number}: {wrong}") from None
