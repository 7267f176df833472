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
    from cordon.picture.feeds.cot import Unfinished, WrongEvent, parse_whole, safe_parser
    from cordon.picture.feeds.cotreader import kept_line
    from cordon.picture.feeds.cotstream import EventStream, Piece
    from cordon.picture.feeds.nmea import AisDecoder
    from cordon.picture.feeds.readers import PositionReader, open_positions
    from cordon.picture.feeds.wire import Fields as WireFields
    from cordon.picture.feeds.wire import WrongWire
    from cordon.picture.feeds.wire import double as wire_double
    from cordon.picture.feeds.wire import fields as wire_fields
    from cordon.picture.feeds.wire import text as wire_text
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
    "EventStream": "feeds.cotstream",  # bytes of Cursor on Target in, events out, bounded
    "FileResult": "detect",  # what was read of one file
    "LivePicture": "live",  # the latest of each subject, as frames for the map
    "Piece": "feeds.cotstream",  # one event of such a stream, or why it is refused
    "Position": "model",  # where a subject was at a moment
    "PositionReader": "feeds.readers",  # a file's positions, counts and refusals
    "Refusal": "model",  # a row not taken, and why
    "Static": "model",  # what a subject says of itself
    "StreamDetector": "stream",  # behaviours over positions as they come
    "Tracks": "tracks",  # all fixes of all subjects as columns
    "Unfinished": "feeds.cot",  # an event that ends before its end
    "WireFields": "feeds.wire",  # values of a message by number
    "WrongEvent": "feeds.cot",  # an event that cannot be taken, and why
    "WrongWire": "feeds.wire",  # bytes that are no message
    "Zone": "model",  # an area or line that means something
    "all_behaviours": "behaviours",  # all behaviours, with their cards
    "detect_files": "detect",  # files in, findings out, without a node
    "find": "detect",  # tracks in, findings out
    "kept_line": "feeds.cotreader",  # an event as the line it is kept as
    "open_positions": "feeds.readers",  # open an AIS log, CSV or Parquet file
    "parse_whole": "feeds.cot",  # let a safe parser read one document
    "read_zones": "zones",  # zones of a GeoJSON file
    "safe_parser": "feeds.cot",  # a parser of XML without document types and entities
    "wire_double": "feeds.wire",  # a field of a message of Protocol Buffers, as a float
    "wire_fields": "feeds.wire",  # the fields of such a message by number
    "wire_text": "feeds.wire",  # one of its fields as text
    "zones_of": "zones",  # zones of GeoJSON already parsed
}

# Some have the name of their module, or one too short for the face: here they have their own
_CALLED = {
    "WireFields": "Fields",
    "all_behaviours": "behaviours",
    "detect_files": "detect",
    "wire_double": "double",
    "wire_fields": "fields",
    "wire_text": "text",
}

__all__ = [
    "AisDecoder",
    "Batch",
    "Counts",
    "DetectResult",
    "EventStream",
    "FileResult",
    "LivePicture",
    "Piece",
    "Position",
    "PositionReader",
    "Refusal",
    "Static",
    "StreamDetector",
    "Tracks",
    "Unfinished",
    "WireFields",
    "WrongEvent",
    "WrongWire",
    "Zone",
    "all_behaviours",
    "detect_files",
    "find",
    "kept_line",
    "open_positions",
    "parse_whole",
    "read_zones",
    "safe_parser",
    "wire_double",
    "wire_fields",
    "wire_text",
    "zones_of",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_WHERE[name]}"), _CALLED.get(name, name))
    globals()[name] = value
    return value
