"""The ledger itself: appending, reading and proving, over the node's database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Table, event, insert, select, update
from sqlalchemy.orm import Session

from cordon.kernel.clock import Clock
from cordon.kernel.errors import DoesNotVerify
from cordon.kernel.ledger import merkle
from cordon.kernel.ledger.checkpoint import Checkpoint, open_checkpoint
from cordon.kernel.ledger.group import GroupCommit, Ticket
from cordon.kernel.ledger.keeper import Keeper
from cordon.kernel.ledger.model import NewEntry, leaf_time
from cordon.kernel.ledger.notes import Verifier
from cordon.kernel.ledger.reading import SELECT_HEAD, Head, Reading, kept_nodes
from cordon.kernel.ledger.tables import TILE, LedgerEntry, LedgerHead, LedgerNode
from cordon.kernel.store.rows import Rows

_ENTRIES = cast(Table, LedgerEntry.__table__)
_NODES = cast(Table, LedgerNode.__table__)
_HEAD = cast(Table, LedgerHead.__table__)
_LOCK_HEAD = SELECT_HEAD.with_for_update()
_MOVE_HEAD = update(_HEAD).where(_HEAD.c.id == 1)
_PENDING = "cordon.ledger.checkpoint"


class Ledger(Reading):
    """One node's ledger. Safe to use from many threads, and from several processes at once.

    Args:
        rows: the node's database, with the ledger's tables.
        agency: code of the agency whose node this is.
        origin: the ledger's global name (an address without https://), the same for life.
        key: the node's signing key (`keys.load_key`).
        folder: where the checkpoint file stands, outside the database; None keeps none.
        check: compare database and checkpoint file now.

    Raises:
        DoesNotVerify: the database is shorter than the checkpoint file, or not the same.
    """

    def __init__(
        self,
        rows: Rows,
        clock: Clock,
        *,
        agency: str,
        origin: str,
        key: Ed25519PrivateKey,
        folder: Path | None = None,
        check: bool = True,
    ) -> None:
        super().__init__(rows)
        self.agency = agency
        self.origin = origin
        self.verifier = Verifier.of(origin, key.public_key())
        self.keeper = Keeper(folder, self.verifier) if folder is not None else None
        self._clock = clock
        self._key = key
        # Plain SQL: the columns' types need no care, and it is the one statement that must be fast
        self._insert = _insert_sql("?" if rows.is_sqlite else "%s")
        self._group = GroupCommit(self._commit)
        self._trusted: tuple[str, Checkpoint] = ("", Checkpoint(origin, 0, merkle.EMPTY_ROOT))
        self._seen = 0
        if check:
            self.check_head()

    @property
    def key(self) -> Ed25519PrivateKey:
        """The node's signing key: one key signs checkpoints and bundles alike."""
        return self._key

    # appending

    def append_in(self, session: Session, entries: Sequence[NewEntry]) -> list[int]:
        """Enter acts in the caller's transaction: they are kept if it commits, else not.

        To be called last in the transaction, because nobody else can append until it ends.

        Args:
            session: of `Rows.write`.

        Returns:
            Their indexes, in order.

        Raises:
            DoesNotVerify: the head row was changed by somebody else than a node.
        """
        entries = list(entries)
        if not entries:
            return []
        head = self._locked_head(session)
        frontier = self._checked_frontier(head, self._seen)
        start = frontier.size
        # The clock may step back, or differ between processes; the ledger's times never do.
        at = max(self._clock.now(), head.at) if start else self._clock.now()
        written = leaf_time(at)
        leaves = [entry.leaf(start + i, written, self.agency) for i, entry in enumerate(entries)]
        hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
        nodes: list[dict[str, Any]] = []

        def keep(height: int, first: int, digests: Sequence[bytes]) -> None:
            if height and height % TILE == 0:
                nodes.extend(
                    {"level": height // TILE, "index": first + i, "hash": digest}
                    for i, digest in enumerate(digests)
                )

        frontier.extend(hashes, keep)
        session.connection().exec_driver_sql(
            self._insert,
            [
                (
                    start + i,
                    written,
                    self.agency,
                    entry.act,
                    entry.outcome,
                    entry.actor,
                    entry.unit,
                    entry.thing,
                    entry.mark,
                    entry.authority,
                    leaves[i],
                    hashes[i],
                )
                for i, entry in enumerate(entries)
            ],
        )
        if nodes:
            session.execute(insert(_NODES), nodes)
        now = Checkpoint(self.origin, frontier.size, frontier.root())
        note = now.sign(self._key)
        session.execute(
            _MOVE_HEAD,
            {"size": now.size, "frontier": frontier.to_bytes(), "note": note, "at": at},
        )
        self._remember_at_commit(session, now, note)
        return list(range(start, frontier.size))

    def submit(self, entries: Sequence[NewEntry]) -> Ticket:
        """Enter acts in a transaction of their own; `Ticket.result` waits until it is durable."""
        if self.rows_busy():
            raise RuntimeError("append_in must be used inside a write transaction")
        return self._group.submit(list(entries))

    def append(self, entry: NewEntry) -> int:
        """Enter one act; it is on the disk when this returns its index."""
        return self.submit([entry]).result()[0]

    def append_many(self, entries: Sequence[NewEntry]) -> list[int]:
        """Enter acts one after another in one transaction; on the disk when this returns."""
        return self.submit(entries).result() if entries else []

    def hold(self, session: Session) -> None:
        """Wait for everybody who is appending, and let nobody append until this commits.

        For a transaction that must commit in the ledger's order and enters nothing itself.
        """
        self._locked_head(session)

    def committed(self) -> None:
        """Called by a unit of work after its commit. The session has told the ledger already."""

    def close(self) -> None:
        """Commit what waits, write the last checkpoint to its file, and stop."""
        self._group.close()
        if self.keeper is not None:
            self.keeper.close()

    # proving

    def checkpoint(self) -> str:
        """The signed checkpoint of the whole ledger as it stands."""
        head = self.head()
        if head is None:
            return Checkpoint(self.origin, 0, merkle.EMPTY_ROOT).sign(self._key)
        return head.note

    def root(self, size: int) -> bytes:
        """The root that the ledger had at a size."""
        with self.rows.read(reserved=True) as session:
            return merkle.root_at(size, kept_nodes(session))

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Proof (hashes of 32 bytes, bottom up) that an entry is in the ledger of that size.

        Args:
            size: of the checkpoint to prove it against; the latest one where it is None.
        """
        size = self.size() if size is None else size
        with self.rows.read(reserved=True) as session:
            return merkle.inclusion_proof(index, size, kept_nodes(session))

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Proof that the ledger of `new` entries begins with that of `old`, unchanged."""
        with self.rows.read(reserved=True) as session:
            return merkle.consistency_proof(old, new, kept_nodes(session))

    def check_head(self) -> None:
        """Compare the database's end with its own checkpoint and with the checkpoint file.

        Raises:
            DoesNotVerify: they do not agree; the message says which is the shorter one.
        """
        on_file = self.keeper.read() if self.keeper is not None else None  # before the database
        seen = self._seen
        head, last = self.head_and_last()
        size = self._checked_frontier(head, seen).size if head is not None else 0
        if last + 1 != size:
            raise DoesNotVerify(
                f"The ledger's head says {size} entries, and its last entry is number {last}.",
                advice="Run `cordon ledger verify`, and restore the database from its backup.",
            )
        if on_file is None:
            return
        if size < on_file.size:
            raise DoesNotVerify(
                f"The database's ledger ends at {size} entries; its checkpoint file, written "
                f"later, says {on_file.size}: the end was cut off.",
                advice="Restore a database that holds them. After a restore that you mean, keep "
                "the file elsewhere as proof of what was lost, and start again.",
            )
        if self.root(on_file.size) != on_file.root:
            raise DoesNotVerify(
                f"The first {on_file.size} entries of the database are not those of the "
                "checkpoint file.",
                advice="Run `cordon ledger verify`, and restore the database from its backup.",
            )

    # inside

    def rows_busy(self) -> bool:
        """True where this thread holds the write transaction that the writer would wait for."""
        return self.rows.writing

    def _commit(self, entries: Sequence[NewEntry]) -> list[int]:
        # reserved: those who wait for this hold every shared connection when many read at once
        with self.rows.write(reserved=True) as session:
            return self.append_in(session, entries)

    def _locked_head(self, session: Session) -> Head:
        """The head row, locked until the transaction ends; made where there is none yet."""
        row = session.execute(_LOCK_HEAD).one_or_none()
        if row is None:
            if session.execute(select(_ENTRIES.c.index).limit(1)).first() is not None:
                raise DoesNotVerify(
                    "The ledger has entries and no head: somebody removed it.",
                    advice="Restore the database from its backup.",
                )
            self._make_head(session)
            row = session.execute(_LOCK_HEAD).one()
        return Head(*row)

    def _make_head(self, session: Session) -> None:
        empty = Checkpoint(self.origin, 0, merkle.EMPTY_ROOT)
        values = {
            "id": 1,
            "size": 0,
            "frontier": b"",
            "note": empty.sign(self._key),
            "at": self._clock.now(),
        }
        if self.rows.is_sqlite:
            from sqlalchemy.dialects import sqlite as dialect
        else:
            from sqlalchemy.dialects import postgresql as dialect  # type: ignore[no-redef]
        session.execute(dialect.insert(_HEAD).values(values).on_conflict_do_nothing())

    def _checked_frontier(self, head: Head, seen: int) -> merkle.Frontier:
        """The head's frontier, which must lead to the checkpoint this key signed.

        Appending to a head that somebody forged would sign what never was.
        """
        note, signed = self._trusted
        if note != head.note:
            signed = open_checkpoint(head.note, self.verifier)
            self._trusted = (head.note, signed)
        try:
            frontier = merkle.Frontier.from_bytes(head.size, head.frontier)
        except ValueError:
            frontier = merkle.Frontier()
        if (
            (signed.origin, signed.size) != (self.origin, head.size)
            or frontier.size != head.size
            or frontier.root() != signed.root
        ):
            raise DoesNotVerify(
                "The ledger's head is not the one that was signed.",
                advice="Nothing can be entered until the database is restored from its backup.",
            )
        if head.size < seen:
            raise DoesNotVerify(
                f"The ledger had {seen} entries and now has {head.size}: its end was cut off.",
                advice="Restore the database; the checkpoint file says up to where.",
            )
        return frontier

    def _remember_at_commit(self, session: Session, now: Checkpoint, note: str) -> None:
        """Publish the checkpoint once it is durable, and never one that was rolled back."""
        if _PENDING not in session.info:
            event.listen(session, "after_commit", self._after_commit)
            event.listen(session, "after_soft_rollback", _after_rollback)
        session.info[_PENDING] = (now, note)

    def _after_commit(self, session: Session) -> None:
        pending = session.info.get(_PENDING)
        if pending is None:
            return
        session.info[_PENDING] = None
        now, note = pending
        self._trusted = (note, now)
        self._seen = max(self._seen, now.size)
        if self.keeper is not None:
            self.keeper.offer(now.size, note)


def _insert_sql(place: str) -> str:
    names = ", ".join(f'"{column.name}"' for column in _ENTRIES.columns)
    places = ", ".join([place] * len(_ENTRIES.columns))
    return f"INSERT INTO {_ENTRIES.name} ({names}) VALUES ({places})"  # noqa: S608 - our own names


def _after_rollback(session: Session, _previous: object) -> None:
    session.info[_PENDING] = None
