"""Every act of the room, as policies name it."""

from __future__ import annotations

from cordon.kernel.access.model import Act

ACTS: tuple[Act, ...] = (
    Act("operations.alert.view", "Read the queue of alerts, and an alert with its reasons."),
    Act("operations.alert.raise", "Raise an alert from a finding, or let it stand with others."),
    Act("operations.alert.acknowledge", "Say that an alert has been seen."),
    Act("operations.alert.assign", "Give an alert to an officer."),
    Act("operations.alert.close", "Close an alert with a reason, or ask for the second officer."),
    Act("operations.alert.countersign", "Countersign or decline another unit's wish to close."),
    Act("operations.alert.open_case", "Open a case from an alert."),
    Act("operations.alert.answer", "Count an alert as answered, or as answered no longer."),
    Act("operations.tasking.view", "Read taskings and their times."),
    Act("operations.tasking.send", "Send a ready unit to answer an alert."),
    Act("operations.tasking.report", "Say how far a unit has come with its tasking."),
    Act("operations.tasking.cancel", "Call a unit off."),
    Act("operations.unit.view", "Read the units, where they are and whether they are ready."),
    Act("operations.unit.add", "Add a unit that can be sent."),
    Act("operations.unit.set_state", "Say that a unit is ready, or unavailable."),
)
