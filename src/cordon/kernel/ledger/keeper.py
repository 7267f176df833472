"""The latest checkpoint in a file beside the database.

Whoever cuts the end off the database alone is caught by it: the database must never be
shorter than this file says, and must lead to the same root.
"""

from __future__ import annotations

import fcntl
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cordon.kernel.errors import CordonError, DoesNotVerify
from cordon.kernel.ledger.checkpoint import Checkpoint, open_checkpoint
from cordon.kernel.ledger.notes import Verifier
from cordon.kernel.store.files import written_whole

FILE = "checkpoint"
PAUSE = 0.05  # seconds between two writings: they share the disk with the commits themselves

_log = logging.getLogger(__name__)


class Keeper:
    """Writes the newest checkpoint, in a thread of its own, within about a tenth of a second.

    Args:
        folder: where the file stands; made where it is absent.
        verifier: of the ledger's key.
    """

    def __init__(self, folder: Path, verifier: Verifier) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE
        self._verifier = verifier
        self._changed = threading.Condition()
        self._newest: tuple[int, str] = (-1, "")
        self._written = -1
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    def read(self) -> Checkpoint | None:
        """The checkpoint in the file, or None where none was ever written.

        Raises:
            DoesNotVerify: the file is no checkpoint of this ledger.
        """
        try:
            note = self.path.read_bytes().decode()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            note = ""
        try:
            return open_checkpoint(note, self._verifier)
        except DoesNotVerify as fault:
            raise DoesNotVerify(
                f"The checkpoint file beside the database does not verify: {fault.message}",
                advice="Somebody changed the file or the node's key; keep both and call the "
                "overseer.",
            ) from fault

    def offer(self, size: int, note: str) -> None:
        """Have this checkpoint written, unless a newer one has been offered meanwhile."""
        with self._changed:
            if size <= self._newest[0]:
                return
            self._newest = (size, note)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="checkpoint", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Write what was offered last, then stop."""
        with self._changed:
            thread = self._thread
            self._closing.set()
            self._changed.notify()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while self._newest[0] <= self._written and not self._closing.is_set():
                    self._changed.wait()
                size, note = self._newest
                if size <= self._written:
                    return
            try:
                self._write(size, note)
            except (OSError, CordonError) as fault:
                # the ledger goes on: the next start compares with the older file
                _log.error("the ledger's checkpoint file could not be written: %s", fault)
            self._written = size
            self._closing.wait(PAUSE)

    def _write(self, size: int, note: str) -> None:
        with self._locked():
            there = self.read()
            if there is None or there.size < size:
                with written_whole(self.path) as partial:
                    partial.write_text(note, encoding="utf-8")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep another process of this node from putting an older checkpoint over a newer."""
        with self.path.with_name(".checkpoint.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
