"""Cases: what gathers all that must stand in court, and seals it.

The face of the room: what others may call.
"""

from cordon.cases.acts import ACTS
from cordon.cases.handing import CustodyBroken
from cordon.cases.model import Case, CaseState, CustodyAct, Exhibit, ExhibitKind
from cordon.cases.service import Cases

__all__ = [
    "ACTS",
    "Case",
    "CaseState",
    "Cases",
    "CustodyAct",
    "CustodyBroken",
    "Exhibit",
    "ExhibitKind",
]
