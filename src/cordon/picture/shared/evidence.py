"""Pointers to the records that a finding comes from."""

from __future__ import annotations

import numpy as np

from cordon.kernel.findings import RecordRef
from cordon.picture.shared.samples import paths_of
from cordon.picture.tracks import Tracks


def spread_records(
    tracks: Tracks, subject: int, begin: float, end: float, most: int = 24
) -> list[RecordRef]:
    """Reports of a subject from begin to end (s), with one before and one after, spread over it."""
    paths = paths_of(tracks)
    a, b = paths.after(np.array([subject, subject]), np.array([begin, end]))
    low = max(int(a) - 1, int(paths.starts[subject]))
    high = max(low + 1, min(int(b) + 1, int(paths.starts[subject + 1])))
    some = np.unique(np.linspace(low, high - 1, min(most, high - low)).astype(np.int64))
    return [tracks.record(int(paths.fix[k])) for k in some]
