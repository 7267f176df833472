"""How a node keeps what it knows: rows, files by content, and columns."""

from cordon.kernel.store.columns import Columns
from cordon.kernel.store.files import Files, Stored
from cordon.kernel.store.rows import Base, Json, Owned, Rows, UtcTime

__all__ = ["Base", "Columns", "Files", "Json", "Owned", "Rows", "Stored", "UtcTime"]
