"""What an officer read under an agreement that has ended since: told to that officer alone.

To everybody else, and by its address to this officer too, it is as if it were not there. Who relied
on it has to know that it may not be used any more, and since when; that is no more than they knew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from cordon.kernel.ledger.tables import LedgerEntry
from cordon.sharing.releases.model import ReleaseState, Way
from cordon.sharing.releases.tables import ReleaseRow


@dataclass(frozen=True, slots=True)
class Lapsed:
    """A release that is blocked because its agreement is over.

    Attributes:
        title: of the agreement. since: when that ended. ended_by: agency, or empty where its time
            was past. at: when the release came. read_at: when this officer read it last.
    """

    peer: str
    agreement: str
    title: str
    since: datetime
    ended_by: str
    at: datetime
    read_at: datetime


def read_before(
    session: Session, act: str, officer: str, at_most: int
) -> list[tuple[ReleaseRow, datetime]]:
    """Received releases whose content is here and which an officer read, by the ledger.

    Args:
        act: the reading. officer: id.
    """
    read = (
        select(LedgerEntry.thing, func.max(LedgerEntry.at).label("at"))
        .where(LedgerEntry.actor == officer, LedgerEntry.act == act, LedgerEntry.outcome == "done")
        .group_by(LedgerEntry.thing)
        .subquery()
    )
    query = (
        select(ReleaseRow, read.c.at)
        .join(read, read.c.thing == literal("release:") + ReleaseRow.id)
        .where(ReleaseRow.way == Way.RECEIVED, ReleaseRow.state == ReleaseState.HELD)
        .order_by(ReleaseRow.created_at.desc(), ReleaseRow.id.desc())
        .limit(at_most)
    )
    return [(row, at) for row, at in session.execute(query)]
