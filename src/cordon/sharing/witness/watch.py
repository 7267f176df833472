"""Gives the ledger's checkpoint to the witnesses, in a thread of its own."""

from __future__ import annotations

import logging
import threading

from cordon.sharing.witness.desk import Witnesses

log = logging.getLogger(__name__)


class Watch:
    """Goes round the witnesses at an interval, and at once where a checkpoint does not fit.

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
        while not self._stop.is_set():
            try:
                self.witnesses.round()
            except Exception:  # the thread must live on
                log.exception("a round of the witnesses failed")
            self.witnesses.wake.wait(self._every_s)
            self.witnesses.wake.clear()
