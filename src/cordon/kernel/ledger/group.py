"""Group commit: what waits while one transaction is being committed goes into the next one.

A durable commit costs the disk the same for one entry as for a hundred. Nothing is held back
on purpose: an entry that comes alone is committed at once.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from cordon.kernel.errors import Unavailable
from cordon.kernel.ledger.model import NewEntry

Commit = Callable[[Sequence[NewEntry]], list[int]]


class Ticket:
    """What a caller waits on. Lighter than a Future, of which thousands a second would be made."""

    __slots__ = ("_done", "_fault", "_indexes", "entries")

    def __init__(self, entries: Sequence[NewEntry]) -> None:
        self.entries = entries
        self._indexes: list[int] = []
        self._fault: BaseException | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def result(self) -> list[int]:
        """Wait until the entries are durable; their indexes, or the fault that kept them out."""
        with self._done:
            if self._fault is not None:
                raise self._fault
            return self._indexes

    def settle(self, indexes: list[int], fault: BaseException | None = None) -> None:
        """Let the callers go on; once."""
        self._indexes, self._fault = indexes, fault
        self._done.release()


class GroupCommit:
    """One thread that commits for all others.

    Args:
        commit: writes entries in one durable transaction and returns their indexes.
        most: entries in one transaction at most.
    """

    def __init__(self, commit: Commit, *, most: int = 1024) -> None:
        self._commit = commit
        self._most = most
        self._waiting: deque[Ticket] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, entries: Sequence[NewEntry]) -> Ticket:
        """Hand over entries that belong together."""
        ticket = Ticket(entries)
        with self._changed:
            if self._closed:
                raise Unavailable(
                    "The ledger is closed: the node is going down, and this was not entered.",
                    advice="Try again once the node is up.",
                )
            self._waiting.append(ticket)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
                self._thread.start()
            elif len(self._waiting) == 1:
                self._changed.notify()
        return ticket

    def close(self) -> None:
        """Commit what waits, then stop."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while batch := self._next():
            try:
                indexes = self._commit([entry for ticket in batch for entry in ticket.entries])
            except BaseException as fault:  # each caller must learn that its entry is not kept
                for ticket in batch:
                    ticket.settle([], fault)
                continue
            start = 0
            for ticket in batch:
                ticket.settle(indexes[start : start + len(ticket.entries)])
                start += len(ticket.entries)

    def _next(self) -> list[Ticket]:
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
        seen = 0
        while seen < len(self._waiting) < self._most:
            # Those just let go are about to ask again: yield as long as more come, for twice the
            # entries in a commit. One that comes alone waits for nobody.
            seen = len(self._waiting)
            time.sleep(0)
        batch: list[Ticket] = []
        count = 0
        with self._changed:
            while self._waiting and (
                not batch or count + len(self._waiting[0].entries) <= self._most
            ):
                batch.append(self._waiting.popleft())
                count += len(batch[-1].entries)
        return batch
