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
from cordon.operations.ranking.ways import Passage, passages
from cordon.operations.service import Operations
from cordon.operations.units import Ranking

__all__ = [
    "ACTS",
    "Alert",
    "AlertState",
    "CaseOpener",
    "Choice",
    "Filters",
    "Operations",
    "Passage",
    "Position",
    "QueuePage",
    "Ranking",
    "Step",
    "Tasking",
    "TaskingState",
    "Unit",
    "UnitKind",
    "UnitState",
    "passages",
]
