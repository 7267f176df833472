"""The picture: border and coast. What others may call of it, one line each.

Names are loaded when they are first asked for, so that `cordon --help` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cordon.picture.behaviours import behaviours as all_behaviours
    from cordon.picture.detect import DetectResult, FileResult, find
    from cordon.picture.detect import detect as detect_files
    from cordon.picture.feeds.nmea import AisDecoder
    from cordon.picture.feeds.readers import PositionReader, open_positions
    from cordon.picture.live import LivePicture
    from cordon.picture.model import Counts, Position, Refusal, Static, Zone
    from cordon.picture.stream import StreamDetector
    from cordon.picture.tracks import Batch, Tracks
    from cordon.picture.zones import read_zones, zones_of

_WHERE = {
    "AisDecoder": "feeds.nmea",  # lines of AIS in, batches out, for a live feed
    "Batch": "tracks",  # some positions of one file as columns
    "Counts": "model",  # read, kept, repeated, refused, passed over
    "DetectResult": "detect",  # what detect answers with
    "FileResult": "detect",  # what was read of one file
    "LivePicture": "live",  # the latest of each subject, as frames for the map
    "Position": "model",  # where a subject was at a moment
    "PositionReader": "feeds.readers",  # a file's positions, counts and refusals
    "Refusal": "model",  # a row not taken, and why
    "Static": "model",  # what a subject says of itself
    "StreamDetector": "stream",  # behaviours over positions as they come
    "Tracks": "tracks",  # all fixes of all subjects as columns
    "Zone": "model",  # an area or line that means something
    "all_behaviours": "behaviours",  # all behaviours, with their cards
    "detect_files": "detect",  # files in, findings out, without a node
    "find": "detect",  # tracks in, findings out
    "open_positions": "feeds.readers",  # open an AIS log, CSV or Parquet file
    "read_zones": "zones",  # zones of a GeoJSON file
    "zones_of": "zones",  # zones of GeoJSON already parsed
}

# Two functions have the name of their module: on the face they need one of their own
_CALLED = {"all_behaviours": "behaviours", "detect_files": "detect"}

__all__ = [
    "AisDecoder",
    "Batch",
    "Counts",
    "DetectResult",
    "FileResult",
    "LivePicture",
    "Position",
    "PositionReader",
    "Refusal",
    "Static",
    "StreamDetector",
    "Tracks",
    "Zone",
    "all_behaviours",
    "detect_files",
    "find",
    "open_positions",
    "read_zones",
    "zones_of",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_WHERE[name]}"), _CALLED.get(name, name))
    globals()[name] = value
    return value
