"""Reports that are read one by one, on their way into batches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cordon.picture.feeds.source import EARLIEST, LATEST, Gathering
from cordon.picture.tracks import COLUMNS, Batch

_WHOLE = frozenset(("subject", "source", "kind", "row"))
NAN = float("nan")


class Rows(Gathering):
    """Gathers reports; each is looked at as every reader looks at them."""

    def __init__(self, *args: Any, **how: Any) -> None:
        super().__init__(*args, **how)
        self._rows: list[tuple[float, ...]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def put(
        self,
        row: int,
        subject: str,
        source: str,
        t: float,
        lat: float,
        lon: float,
        *,
        speed: float = NAN,
        course: float = NAN,
        heading: float = NAN,
        accuracy: float = NAN,
        kind: int = 0,
    ) -> bool:
        """Take a report, or refuse it and say why; units as in `tracks.Batch`."""
        if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
            self.refuse(row, "the position is not available or outside ±90 and ±180 degrees")
            return False
        if not EARLIEST <= t <= LATEST:
            self.refuse(row, "the time is not between 1980 and 2100")
            return False
        self._rows.append(
            (
                self.subject_code(subject),
                self.source_code(source),
                t,
                lat,
                lon,
                speed if speed >= 0 else NAN,
                course % 360.0 if 0 <= course <= 360 else NAN,
                heading % 360.0 if 0 <= heading <= 360 else NAN,
                accuracy if 0 <= accuracy < _NO_ACCURACY else NAN,
                kind,
                row,
            )
        )
        return True

    def columns(self) -> dict[str, NDArray[Any]]:
        """The rows held, as columns of a batch; they are held no more."""
        rows, self._rows = self._rows, []
        columns = np.array(rows, dtype=np.float64).reshape(len(rows), len(COLUMNS)).T
        return {
            name: columns[i].astype(np.int64) if name in _WHOLE else columns[i].copy()
            for i, name in enumerate(COLUMNS)
        }

    def take(self) -> Batch:
        """The positions since the last call, without repeats."""
        return self.kept(self.batch(self.columns()))


_NO_ACCURACY = 1_000_000.0  # m; Cursor on Target writes 9999999 where it is not known
