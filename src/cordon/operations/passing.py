"""What a finding of a sensor's trip says of the other trips that one party made (`passing`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding

_MOST = 50


@dataclass(frozen=True, slots=True)
class Trip:
    """A sensor that somebody tripped, and from when to when (UTC)."""

    subject: str
    start: datetime
    end: datetime


def passing_of(finding: Finding) -> Iterator[Trip]:
    """The other trips of the passing that a finding belongs to; what cannot be read is none."""
    said = finding.extra.get("passing")
    for one in said[:_MOST] if isinstance(said, list) else ():
        if not isinstance(one, Mapping) or one.get("subject") in finding.subjects:
            continue
        try:
            start, end = (parse_time(str(one[name])) for name in ("start", "end"))
        except (BadInput, KeyError):
            continue
        yield Trip(str(one.get("subject")), start, end)
