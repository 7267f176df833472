"""Reading the ledger: entries by what they speak of, and the hashes that proofs are made of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cordon.kernel.errors import DoesNotVerify, NotFound
from cordon.kernel.ledger import merkle
from cordon.kernel.ledger.model import Entry
from cordon.kernel.ledger.tables import TILE, LedgerEntry, LedgerHead, LedgerNode
from cordon.kernel.store.rows import Rows

MOST = 1000  # entries that one reading returns at most


class Head(NamedTuple):
    """Where the ledger ends: entries, `Frontier.to_bytes`, signed checkpoint, last time."""

    size: int
    frontier: bytes
    note: str
    at: datetime


# built once: building a statement costs more than running it
SELECT_HEAD = select(LedgerHead.size, LedgerHead.frontier, LedgerHead.note, LedgerHead.at).where(
    LedgerHead.id == 1
)


class Reading:
    """The reading half of `Ledger`. Entries are read from their leaves, which are what is proved.

    Each reading takes a reserved connection: it often stands inside a view, which has one already.

    Args:
        rows: the node's database.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def entries(
        self,
        *,
        act: str | None = None,
        outcome: str | None = None,
        actor: str | None = None,
        unit: str | None = None,
        thing: str | None = None,
        authority: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Entry]:
        """Entries, the newest first.

        Args:
            act: one act, or all below a word where it ends in a dot (`calls.`).
            since, until: from this time on, and before that one.
            before: only entries with a lower index: the last index of the page before.
            limit: at most 1,000.
        """
        query = select(LedgerEntry.leaf)
        for column, value in (
            (LedgerEntry.outcome, outcome),
            (LedgerEntry.actor, actor),
            (LedgerEntry.unit, unit),
            (LedgerEntry.thing, thing),
            (LedgerEntry.authority, authority),
        ):
            if value is not None:
                query = query.where(column == value)
        if act is not None and act.endswith("."):
            query = query.where(LedgerEntry.act.startswith(act, autoescape=True))
        elif act is not None:
            query = query.where(LedgerEntry.act == act)
        if since is not None:
            query = query.where(LedgerEntry.at >= since)
        if until is not None:
            query = query.where(LedgerEntry.at < until)
        if before is not None:
            query = query.where(LedgerEntry.index < before)
        query = query.order_by(LedgerEntry.index.desc()).limit(max(1, min(limit, MOST)))
        with self.rows.read(reserved=True) as session:
            return [Entry.from_leaf(leaf) for leaf in session.scalars(query)]

    def of_thing(self, thing: str, *, before: int | None = None, limit: int = 200) -> list[Entry]:
        """All that was done to one thing (`type:id`), the newest first."""
        return self.entries(thing=thing, before=before, limit=limit)

    def get(self, index: int) -> Entry:
        """One entry; raises NotFound."""
        return Entry.from_leaf(self.leaf(index))

    def leaf(self, index: int) -> bytes:
        """The exact bytes of one entry; raises NotFound."""
        with self.rows.read(reserved=True) as session:
            leaf = session.scalar(select(LedgerEntry.leaf).where(LedgerEntry.index == index))
        if leaf is None:
            raise NotFound(f"The ledger has no entry {index}.")
        return leaf

    def head(self) -> Head | None:
        """The head, or None before the first entry."""
        return self.head_and_last()[0]

    def size(self) -> int:
        """Number of entries."""
        head = self.head()
        return 0 if head is None else head.size

    def head_and_last(self) -> tuple[Head | None, int]:
        """The head and the index of the last row (-1: none), as they are at one moment."""
        last = select(func.max(LedgerEntry.index)).scalar_subquery()
        with self.rows.read(reserved=True) as session:
            row = session.execute(SELECT_HEAD.add_columns(last)).first()
            found = session.scalar(select(last)) if row is None else row[-1]
        head = None if row is None else Head(*row[:-1])
        return head, -1 if found is None else found


def kept_nodes(session: Session) -> merkle.Read:
    """Hashes of complete subtrees, from what is kept of them: at most 128 read for each.

    Within one call of a proof the same rows are read once.
    """
    read: dict[tuple[int, int], bytes] = {}
    rows = _rows_reader(session)

    def node(height: int, index: int) -> bytes:
        if (height, index) not in read:
            level, above = divmod(height, TILE)
            count, first = 1 << above, index << above
            hashes = rows(level, first, count)
            if len(hashes) != count:
                raise DoesNotVerify(
                    f"Hashes from {first} on at level {level} of the ledger's tree are missing.",
                    advice="Run `cordon ledger verify`, and restore the database from its backup.",
                )
            while len(hashes) > 1:
                hashes = [
                    merkle.node_hash(a, b) for a, b in zip(hashes[::2], hashes[1::2], strict=True)
                ]
            read[height, index] = hashes[0]
        return read[height, index]

    return node


def _rows_reader(session: Session) -> Callable[[int, int, int], list[bytes]]:
    def rows(level: int, first: int, count: int) -> list[bytes]:
        if level == 0:
            leaves = select(LedgerEntry.leaf_hash).where(
                LedgerEntry.index >= first, LedgerEntry.index < first + count
            )
            return list(session.scalars(leaves.order_by(LedgerEntry.index)))
        nodes = select(LedgerNode.hash).where(
            LedgerNode.level == level, LedgerNode.index >= first, LedgerNode.index < first + count
        )
        return list(session.scalars(nodes.order_by(LedgerNode.index)))

    return rows
