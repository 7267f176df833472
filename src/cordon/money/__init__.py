"""The room of payments. What others may call:"""

from cordon.money.detectors import cards
from cordon.money.find import FindResult, find
from cordon.money.payments import Payments
from cordon.money.reading import Read, read_payments
from cordon.money.tracing.forward import Forward, forward

__all__ = [
    "FindResult",
    "Forward",
    "Payments",
    "Read",
    "cards",
    "find",
    "forward",
    "read_payments",
]
