"""Columns that grow together, in room that is doubled when it is full."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from cordon.exercise.worlds.calling.drawing import Ints


class Columns:
    """Rows as NumPy columns, each an attribute; writing into one writes into the rows.

    Attributes:
        FIELDS: dtype and usual value by name.
    """

    FIELDS: ClassVar[dict[str, tuple[Any, Any]]]

    def __init__(self) -> None:
        self._count = 0
        self._buffers = {name: np.empty(0, kind) for name, (kind, _) in self.FIELDS.items()}
        self._show()

    def __len__(self) -> int:
        return self._count

    def add(self, n: int, **columns: Any) -> Ints:
        """`n` more rows, with these columns (values or arrays) and the usual for the others.

        Returns:
            Their indices. Views that were taken of a column before may lead to old room.
        """
        unknown = columns.keys() - self.FIELDS.keys()
        if unknown:
            raise TypeError(f"No such columns: {', '.join(sorted(unknown))}")
        first, self._count = self._count, self._count + n
        for name, (_, usual) in self.FIELDS.items():
            buffer = self._buffers[name]
            if self._count > len(buffer):
                grown = np.empty(max(1024, self._count + self._count // 2), buffer.dtype)
                grown[:first] = buffer[:first]
                buffer = self._buffers[name] = grown
            buffer[first : self._count] = columns.get(name, usual)
        self._show()
        return np.arange(first, self._count, dtype=np.int32)

    def _show(self) -> None:
        for name, buffer in self._buffers.items():
            setattr(self, name, buffer[: self._count])
