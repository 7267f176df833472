"""The room of call records. What others may call:"""

from cordon.calls import tabular
from cordon.calls.contacts import ring_of
from cordon.calls.find import FindResult, find, find_in_segments
from cordon.calls.forms import ACCOUNTS, COMPLAINTS, PAYMENTS, Form
from cordon.calls.hashing import hashes
from cordon.calls.importing import Segment, span, without_repeats, write_segment
from cordon.calls.merging import read_merged
from cordon.calls.model import EXEMPT, Call, CallKind, Counts, Refusal, SubscriberKind
from cordon.calls.plain import Parts, Plain, PlainReading, read_plain
from cordon.calls.reading import Batch, Reading, read_calls
from cordon.calls.registers import read_register
from cordon.calls.sniffing import kind_of
from cordon.calls.told import (
    MEASURES,
    RingTold,
    Series,
    counted,
    kept_files,
    ring_told,
    rings_told,
)

__all__ = [
    "ACCOUNTS",
    "COMPLAINTS",
    "EXEMPT",
    "MEASURES",
    "PAYMENTS",
    "Batch",
    "Call",
    "CallKind",
    "Counts",
    "FindResult",
    "Form",
    "Parts",
    "Plain",
    "PlainReading",
    "Reading",
    "Refusal",
    "RingTold",
    "Segment",
    "Series",
    "SubscriberKind",
    "counted",
    "find",
    "find_in_segments",
    "hashes",
    "kept_files",
    "kind_of",
    "read_calls",
    "read_merged",
    "read_plain",
    "read_register",
    "ring_of",
    "ring_told",
    "rings_told",
    "span",
    "tabular",
    "without_repeats",
    "write_segment",
]
