"""The room of payments. What others may call:"""

from cordon.money.payments import Payments
from cordon.money.reading import Read, read_payments
from cordon.money.tracing.forward import Forward, forward

__all__ = ["Forward", "Payments", "Read", "forward", "read_payments"]
