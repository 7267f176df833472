"""Names of millions of accounts, sorted, of which few are ever looked at: texts where asked for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_AT_A_TIME = 1 << 16


class Names(Sequence[str]):
    """Texts in ascending order, as a list of them would be.

    Args:
        texts: without null. order: where they stand in ascending order, each once; None where they
            do as they are. They are put in order when all of them are asked for, and no sooner.
    """

    def __init__(self, texts: pa.LargeStringArray, order: NDArray[np.int64] | None = None) -> None:
        self._held = texts, order  # both at once: two threads may put them in order

    @property
    def _texts(self) -> pa.LargeStringArray:
        texts, order = self._held
        if order is not None:
            texts = texts.take(pa.array(order))
            self._held = texts, None
        return texts

    def __len__(self) -> int:
        return len(self._held[0])

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            found: list[str] = self._texts[at].to_pylist()
            return found
        texts, order = self._held
        return str(texts[at if order is None else int(order[at])])

    def __iter__(self) -> Iterator[str]:
        for begin in range(0, len(self), _AT_A_TIME):
            yield from self._texts.slice(begin, _AT_A_TIME).to_pylist()

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._place(name) >= 0

    def index(self, name: str, start: int = 0, stop: int | None = None) -> int:
        """Where a name stands; ValueError where it does not."""
        at = self._place(name)
        if at < start or (stop is not None and at >= stop):
            raise ValueError(f"{name!r} is not there")
        return at

    def _place(self, name: str) -> int:
        at = bisect_left(self, name)
        return at if at < len(self) and self[at] == name else -1

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Names | list):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __arrow_array__(self, type: pa.DataType | None = None) -> pa.Array:
        return self._texts if type is None else self._texts.cast(type)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        found = self._texts.to_numpy(zero_copy_only=False)
        return found if dtype is None else found.astype(dtype)
