"""Tracking: reports of many sensors become one track each. What others may call of it.

Names are loaded when they are first asked for: compiled loops take some tenths of a second.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cordon.picture.tracking.fusing import Fused, fuse
    from cordon.picture.tracking.model import Evidence, Fix, Happening, Taken, TrackState
    from cordon.picture.tracking.states import States
    from cordon.picture.tracking.tracker import Tracker, Turn
    from cordon.picture.tracking.tuning import Sensor, parameters

_WHERE = {
    "Evidence": "model",  # a name under which a track was heard, with its odds
    "Fix": "model",  # one report of a track, and where it came from
    "Fused": "fusing",  # what fuse answers with
    "Happening": "model",  # born, confirmed, coasting, ended, merged, named
    "Sensor": "tuning",  # what is known of a sensor
    "States": "states",  # living tracks at a moment, as columns
    "Taken": "model",  # what became of reports given to a tracker
    "TrackState": "model",  # one track at a moment
    "Tracker": "tracker",  # live: reports in, in any order within a lag; tracks out
    "Turn": "tracker",  # what a tick brought
    "fuse": "fusing",  # over files: tracks of subjects in, tracks of craft out
    "parameters": "tuning",  # what tracking goes by, with units, bounds and sources
}

__all__ = [
    "Evidence",
    "Fix",
    "Fused",
    "Happening",
    "Sensor",
    "States",
    "Taken",
    "TrackState",
    "Tracker",
    "Turn",
    "fuse",
    "parameters",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value
