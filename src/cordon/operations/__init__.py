"""Operations: alerts that must be answered, units that can go, taskings that send them.

The face of the room: what others may call.
"""

from cordon.operations.acts import ACTS
from cordon.operations.base import CaseOpener
from cordon.operations.model import (
    Alert,
    AlertState,
    Choice,
    Position,
    Step,
    Tasking,
    TaskingState,
    Unit,
    UnitKind,
    UnitState,
)
from cordon.operations.queue import Filters, QueuePage
from cordon.operations.service import Operations

__all__ = [
    "ACTS",
    "Alert",
    "AlertState",
    "CaseOpener",
    "Choice",
    "Filters",
    "Operations",
    "Position",
    "QueuePage",
    "Step",
    "Tasking",
    "TaskingState",
    "Unit",
    "UnitKind",
    "UnitState",
]
