"""Tracks taken apart into hulls, once for all behaviours; see `plausible.py`."""

from __future__ import annotations

from cordon.picture.plausible import Segments, segments
from cordon.picture.tracks import Tracks


def parted_of(tracks: Tracks) -> Segments:
    """Which hull each fix belongs to, by the default parameters of impossible_move's card."""
    # here, because the behaviours themselves stand on this module
    from cordon.picture.behaviours import impossible_move

    return tracks.once(("parted",), lambda: segments(tracks, impossible_move.CARD.values()))
