"""What a detector over calls is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

Stage = Callable[[str, float], None]
"""Told what is being done, and the share of it that is done (0 to 1)."""


@dataclass(frozen=True, slots=True)
class CallData:
    """Calls, each once, as relations of one DuckDB connection with bounded memory.

    Attributes:
        db: the connection. It has
            `calls`: the columns of `checking.SCHEMA`, but `us` (microseconds since the epoch,
            BIGINT) in place of `start`;
            `subscribers(number, kind)`: numbers in E.164; empty where no file was given.
        utc_offset_s: seconds that local time is ahead of UTC, for days and hours of day.
        given: parameters set by the reader, over the cards' defaults.
        left_out: the detector adds a sentence for each thing that it could not use.
        stage: told how far it is.
    """

    db: duckdb.DuckDBPyConnection
    utc_offset_s: int = 0
    given: Mapping[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    stage: Stage = lambda _what, _share: None
