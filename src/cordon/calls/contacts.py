"""Who was in touch with suspected numbers, and when: what the money room joins payments to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa

from cordon.calls.detectors.ringcards import RINGS
from cordon.calls.survey.near import Near
from cordon.kernel.findings import Finding

CONTACTS = pa.schema(
    [
        ("us", pa.int64()),
        ("number", pa.string()),
        ("suspect", pa.string()),
        ("made", pa.bool_()),
        ("sha256", pa.string()),
        ("row", pa.int64()),
    ]
)
"""One row a call or message between a number and a suspected one: start (µs since the epoch),
whether the suspected one made it, and where the record stands."""


def contacts(near: Near, suspects: Iterable[str]) -> pa.Table:
    """Calls and messages of these numbers with others than themselves, by time.

    Args:
        near: has all calls of numbers that a ring or a complaint names.
        suspects: E.164.
    """
    wanted = set(suspects)
    is_suspect = np.fromiter((n in wanted for n in near.numbers), bool, len(near.numbers))
    numbers = pa.array(near.numbers, pa.string())
    origins = pa.array(near.origins, pa.string())
    parts = []
    for made, own, other in ((True, near.caller, near.callee), (False, near.callee, near.caller)):
        call = np.flatnonzero(is_suspect[own] & ~is_suspect[other])
        columns = [
            pa.array(near.us[call]),
            numbers.take(pa.array(other[call])),
            numbers.take(pa.array(own[call])),
            pa.array(np.full(len(call), made)),
            origins.take(pa.array(near.origin[call])),
            pa.array(near.row[call]),
        ]
        parts.append(pa.table(columns, schema=CONTACTS))
    return pa.concat_tables(parts).sort_by([("us", "ascending"), ("row", "ascending")])


def ring_of(findings: Iterable[Finding]) -> Mapping[str, str]:
    """Numbers of the rings among findings (E.164), and the finding's id of each."""
    return {
        subject.removeprefix("number:"): found.id
        for found in findings
        if found.kind == RINGS.kind
        for subject in found.subjects
        if subject.startswith("number:")
    }
