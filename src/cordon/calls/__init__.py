"""The room of call records. What others may call:"""

from cordon.calls.find import FindResult, find, find_in_segments
from cordon.calls.importing import Segment, span, without_repeats, write_segment
from cordon.calls.model import EXEMPT, Call, CallKind, Counts, Refusal, SubscriberKind
from cordon.calls.reading import Batch, Reading, read_calls
from cordon.calls.registers import read_register

__all__ = [
    "EXEMPT",
    "Batch",
    "Call",
    "CallKind",
    "Counts",
    "FindResult",
    "Reading",
    "Refusal",
    "Segment",
    "SubscriberKind",
    "find",
    "find_in_segments",
    "read_calls",
    "read_register",
    "span",
    "without_repeats",
    "write_segment",
]
