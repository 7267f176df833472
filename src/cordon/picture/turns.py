"""What a node's picture does in turn, in threads of its own: a slow one holds up no other."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

STEP_S = 1.0  # seconds between two rounds of what is done beside the detectors
PAUSE_S = 5.0  # seconds between two whole passes of the detectors, at least
REST = 2.0  # and as long as the last pass took, times this: readers and pages need the machine too
AT_ONCE_S = 0.2  # seconds between the begins of two passes at once, at least
SOONEST_S = 0.02  # so long is waited for more, of what came together, before the first of them


class Turns:
    """Three threads: the whole pass, the pass at once, and the steps.

    Args:
        telling: set where the pass at once has something to look at.
        at_once, whole: the passes. steps: the rest, by name.

    Attributes:
        stopped: set once it should end.
    """

    def __init__(
        self,
        telling: threading.Event,
        *,
        at_once: Callable[[], object],
        whole: Callable[[], object],
        steps: Mapping[str, Callable[[], object]],
    ) -> None:
        self.stopped = threading.Event()
        self._telling = telling
        self._at_once, self._whole = at_once, whole
        self._steps = steps
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin."""
        for name, run in (
            ("steps", self._run_steps),
            ("whole", self._run_whole),
            ("at-once", self._run_at_once),
        ):
            thread = threading.Thread(target=run, name=f"picture-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End after what is at hand."""
        self.stopped.set()
        self._telling.set()

    def join(self) -> None:
        """Wait until all have ended."""
        for thread in self._threads:
            thread.join(timeout=30)

    def once(self) -> None:
        """Do each once, here: a fault in one holds up no other."""
        _try("at once", self._at_once)
        _try("whole", self._whole)
        for name, step in self._steps.items():
            _try(name, step)

    def _run_steps(self) -> None:
        while not self.stopped.wait(STEP_S):
            for name, step in self._steps.items():
                _try(name, step)

    def _run_whole(self) -> None:
        wait = PAUSE_S
        while not self.stopped.wait(wait):
            began = time.monotonic()
            _try("whole", self._whole)
            wait = max(PAUSE_S, REST * (time.monotonic() - began))

    def _run_at_once(self) -> None:
        before = time.monotonic() - AT_ONCE_S
        while True:
            self._telling.wait()
            wait = max(SOONEST_S, before + AT_ONCE_S - time.monotonic())
            if self.stopped.wait(wait):
                return
            before = time.monotonic()
            _try("at once", self._at_once)


def _try(name: str, step: Callable[[], object]) -> None:
    try:
        step()
    except Exception:  # whatever it was: without these threads nothing is stored or found
        log.exception("a step of the live picture failed", extra={"step": name})
