"""What the room does, a transaction at a time: one class, made of its parts."""

from __future__ import annotations

from cordon.operations.alerts import Alerts
from cordon.operations.closing import Closing
from cordon.operations.queue import Queue
from cordon.operations.raising import Raising
from cordon.operations.taskings import Taskings
from cordon.operations.units import Units
from cordon.operations.withdrawing import Withdrawing


class Operations(Raising, Queue, Alerts, Closing, Taskings, Units, Withdrawing):
    """Alerts, taskings and units of one node.

    Args (of `RoomBase`):
        kernel: what every room stands on. rules: what may be closed alone.
        cases: where a case is opened (`CaseOpener`). cards: detectors' cards by kind.
    """
