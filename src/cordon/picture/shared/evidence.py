"""Pointers to the records that a finding comes from, and the names that stand in them."""

from __future__ import annotations

import numpy as np

from cordon.kernel.findings import RecordRef
from cordon.picture.shared.numbering import different
from cordon.picture.shared.samples import followed_of
from cordon.picture.tracks import Ints, Tracks

_SHARE = 0.2


def spread_records(
    tracks: Tracks, subject: int, begin: float, end: float, most: int = 24
) -> list[RecordRef]:
    """Reports of a subject from begin to end (s), with one before and one after, spread over it.

    Args:
        subject: index; of a hull that a radar saw under several numbers, its first.
    """
    fixes = _within(tracks, subject, begin, end)
    some = different(np.linspace(0, len(fixes) - 1, min(most, len(fixes))).astype(np.int64))
    return tracks.records(fixes[some])


def names_within(tracks: Tracks, subject: int, begin: float, end: float) -> list[str]:
    """The subjects under which a hull was reported from begin to end (s).

    Of several those that bring a fifth of its reports at least: a radar's short-lived numbers
    would hide the one that counts.
    """
    fixes = _within(tracks, subject, begin, end)
    inside = fixes[(tracks.t[fixes] >= begin) & (tracks.t[fixes] <= end)]
    some, many = np.unique(tracks.subject[inside if len(inside) else fixes], return_counts=True)
    return [tracks.subjects[i] for i in some[many >= min(_SHARE * many.sum(), many.max())]]


def _within(tracks: Tracks, subject: int, begin: float, end: float) -> Ints:
    """Indices in the tracks of the fixes from begin to end, with one before and one after."""
    paths = followed_of(tracks)
    if paths.starts[subject] == paths.starts[subject + 1]:  # another one's path
        own = np.arange(int(tracks.starts[subject]), int(tracks.starts[subject + 1]))
        low, high = np.searchsorted(tracks.t[own], (begin, end), side="left")
        return own[max(0, int(low) - 1) : int(high) + 1]
    a, b = paths.after(np.array([subject, subject]), np.array([begin, end]))
    low = max(int(a) - 1, int(paths.starts[subject]))
    high = max(low + 1, min(int(b) + 1, int(paths.starts[subject + 1])))
    return paths.fix[low:high]
