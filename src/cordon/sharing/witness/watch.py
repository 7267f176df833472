"""Gives the ledger's checkpoint to the witnesses, in a thread of its own."""

from __future__ import annotations

import logging
import threading
import time

from cordon.sharing.witness.desk import Witnesses

log = logging.getLogger(__name__)


class Watch:
    """Goes round the witnesses at an interval; what does not fit is settled at once.

    Args:
        every_s: seconds between two rounds; a round in which nothing was entered asks nobody.
    """

    def __init__(self, witnesses: Witnesses, every_s: float = 30.0) -> None:
        self.witnesses = witnesses
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="witnesses", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Go round no more."""
        self._stop.set()
        self.witnesses.wake.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        due = 0.0
        while not self._stop.is_set():
            try:
                if time.monotonic() >= due:
                    due = time.monotonic() + self._every_s
                    self.witnesses.round()
                else:
                    self.witnesses.settle(newer=False)
            except Exception:  # the thread must live on
                log.exception("a round of the witnesses failed")
            self.witnesses.wake.wait(max(0.0, due - time.monotonic()))
            self.witnesses.wake.clear()
