"""Which unit can be at a place first, over sea, land and air, and what it leaves behind."""

from cordon.operations.ranking.intercept import Intercept, intercept
from cordon.operations.ranking.rank import ranked

__all__ = ["Intercept", "intercept", "ranked"]
