"""Failures to prove who one is: counted in one place, so that no way of guessing is free."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cordon.kernel.access.tables import OfficerRow
from cordon.kernel.ledger import NewEntry
from cordon.kernel.work import Kernel


@dataclass(frozen=True, slots=True)
class SignInRules:
    """When failures lock an officer out.

    Attributes:
        failures: in a row that lock. lock: how long the first lock holds; each further one
            doubles. longest_lock: and never longer. challenge: time to type the second factor.
    """

    failures: int = 5
    lock: timedelta = timedelta(minutes=15)
    longest_lock: timedelta = timedelta(hours=24)
    challenge: timedelta = timedelta(minutes=5)


def shut(row: OfficerRow, now: datetime) -> str | None:
    """Why this officer may not prove anything now (one word), or None."""
    if row.disabled_at is not None:
        return "disabled"
    if row.locked_until is not None and now < row.locked_until:
        return "locked"
    return None


def count(kernel: Kernel, row: OfficerRow, rules: SignInRules) -> list[NewEntry]:
    """Count a failure in the caller's transaction; enough of them in a row lock the officer out.

    Returns:
        The entry of the lock for the caller to write, where this failure locked.
    """
    row.failures += 1
    if row.failures < rules.failures:
        return []
    lock = min(rules.lock * 2 ** min(row.locks, 20), rules.longest_lock)
    row.locked_until = kernel.clock.now() + lock
    row.failures, row.locks = 0, row.locks + 1
    detail = {"failures": rules.failures, "minutes": int(lock.total_seconds() // 60)}
    return [kernel.entry(kernel.node, "access.officer.lock", row.thing(), "done", detail)]
