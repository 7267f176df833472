"""What the room does, a transaction at a time: one class, made of its parts."""

from __future__ import annotations

from cordon.kernel.events import Dispatcher
from cordon.operations.alerts import Alerts
from cordon.operations.closing import Closing
from cordon.operations.grouping import Grouping
from cordon.operations.ordered import Ordered
from cordon.operations.queue import Queue
from cordon.operations.raising import Raising
from cordon.operations.saying import Saying
from cordon.operations.taskings import Taskings
from cordon.operations.triage.watching import Watching
from cordon.operations.units import Units
from cordon.operations.withdrawing import Withdrawing


class Operations(
    Raising,
    Queue,
    Alerts,
    Closing,
    Grouping,
    Taskings,
    Units,
    Saying,
    Withdrawing,
    Ordered,
    Watching,
):
    """Alerts, taskings and units of one node.

    Args (of `RoomBase`):
        kernel: what every room stands on. rules: what may be closed alone.
        cases: where a case is opened (`CaseOpener`). cards: detectors' cards by kind.
        triage: rules of the queue. seen: what the picture knows of courses and zones.
        roads: where the node keeps the roads it was given.
    """

    def subscribe(self, dispatcher: Dispatcher) -> None:
        """Be told of findings, and of packages that were sent."""
        super().subscribe(dispatcher)
        self.subscribe_ordered(dispatcher)
