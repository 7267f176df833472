"""Oversight: the use of authorities, leads left unanswered, and the ledger.

The face of the room: what others may call.
"""

from cordon.oversight.acts import ACTS
from cordon.oversight.model import Report, Span
from cordon.oversight.service import Oversight

__all__ = ["ACTS", "Oversight", "Report", "Span"]
