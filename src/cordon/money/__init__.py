"""The room of payments. What others may call:"""

from cordon.money.detectors import cards
from cordon.money.find import FindResult, find
from cordon.money.payments import Payments
from cordon.money.reading import Read, read_payments
from cordon.money.tracing.backward import Backward, backward
from cordon.money.tracing.forward import Forward, forward

__all__ = [
    "Backward",
    "FindResult",
    "Forward",
    "Payments",
    "Read",
    "backward",
    "cards",
    "find",
    "forward",
    "read_payments",
]
