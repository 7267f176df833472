"""Files that people bring in together: one page for them, a job for each, and what was refused.

A room that takes files in says how in a subclass of `Bringing`; the rest is the same for each.
"""

from cordon.kernel.bringing.desk import MOST_FILES, TOLD, Bringing, Brought, FileState
from cordon.kernel.bringing.report import KEPT_REFUSALS, report, row_moment, source_of
from cordon.kernel.bringing.tables import BroughtColumns, FileColumns

__all__ = [
    "KEPT_REFUSALS",
    "MOST_FILES",
    "TOLD",
    "Bringing",
    "Brought",
    "BroughtColumns",
    "FileColumns",
    "FileState",
    "report",
    "row_moment",
    "source_of",
]
