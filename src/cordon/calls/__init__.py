"""The room of call records. What others may call:"""

from cordon.calls.find import FindResult, find, find_in_segments
from cordon.calls.forms import ACCOUNTS, COMPLAINTS, PAYMENTS
from cordon.calls.importing import Segment, span, without_repeats, write_segment
from cordon.calls.model import EXEMPT, Call, CallKind, Counts, Refusal, SubscriberKind
from cordon.calls.plain import Parts, Plain, read_plain
from cordon.calls.reading import Batch, Reading, read_calls
from cordon.calls.registers import read_register

__all__ = [
    "ACCOUNTS",
    "COMPLAINTS",
    "EXEMPT",
    "PAYMENTS",
    "Batch",
    "Call",
    "CallKind",
    "Counts",
    "FindResult",
    "Parts",
    "Plain",
    "Reading",
    "Refusal",
    "Segment",
    "SubscriberKind",
    "find",
    "find_in_segments",
    "read_calls",
    "read_plain",
    "read_register",
    "span",
    "without_repeats",
    "write_segment",
]
