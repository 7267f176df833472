"""What the test process does not wait for: disks, and the cost of a password's hash.

No test here takes the power away, and a process that is killed loses nothing that it has written.
Processes that a test starts are as they always are.
"""

from __future__ import annotations

import os
import sqlite3
from typing import Any

from sqlalchemy import Engine, event

from cordon.kernel.access.passwords import PasswordRules, Passwords
from cordon.kernel.store import rows

REAL_DEFAULTS = Passwords.__init__.__defaults__
REAL_TUNING = rows._tune_sqlite


def hurried() -> None:
    """Let this process wait for neither."""
    os.fsync = lambda _handle: None  # type: ignore[assignment]
    rows._tune_sqlite = _tuned
    Passwords.__init__.__defaults__ = (PasswordRules(memory_kib=64, passes=1),)  # type: ignore[attr-defined]


def _tuned(engine: Engine) -> None:
    REAL_TUNING(engine)

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF")
