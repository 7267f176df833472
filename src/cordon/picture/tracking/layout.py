"""How tracks are held: one record each in one array, so that loops over reports stay compiled.

A record is copied as a whole before a moment changes it (`journal.py`), so that late reports can
take the moment back. Times are seconds since the epoch, places degrees.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = Any
Record = Any
MODELS = 2  # going straight, and manoeuvring
SIZE = 14  # numbers of a state: 4, and the upper triangle of their covariance row by row
EVIDENCE = 6  # labels under which one track was heard that are kept
CHOICES = 12  # tracks that one report may be weighed against: the likeliest
LEVELS = 3  # sizes of the grid's cells
DUE_CELLS = 4096  # seconds of the ring of due tracks
NONE = -1  # no row, no label, no cell

# Life of a track
FREE, TENTATIVE, CONFIRMED, COASTING, ENDED, MERGED = range(6)
# Sorts of label
ANONYMOUS, NUMBER, NAME = range(3)
# Events
BORN, GREW, COASTED, DIED, JOINED, NAMED = range(6)

TRACK = np.dtype(
    [
        ("lat", "f8"),  # where it was after its last report
        ("lon", "f8"),
        ("t", "f8"),
        ("ve", "f8"),  # m/s east and north
        ("vn", "f8"),
        ("mode", "f8", (MODELS,)),  # odds of each model
        # of each model: metres east and north of lat, lon; m/s; covariance
        ("state", "f8", (MODELS, SIZE)),
        ("seen", "f8"),  # its last report
        ("born", "f8"),  # its first
        ("due", "f8"),  # when it must be looked at although nothing is heard of it
        ("valid", "f8"),  # until when its cell of the grid holds
        ("usual", "f8"),  # seconds between its reports
        ("pair_at", "f8"),  # when it is next held against its neighbours
        ("heard_lat", "f8"),  # its last report's own place
        ("heard_lon", "f8"),
        ("first", "f8", (EVIDENCE,)),  # of each label: when first heard
        ("last", "f8", (EVIDENCE,)),  # when last
        ("every", "f8", (EVIDENCE,)),  # s between reports under it
        ("odds", "f8", (EVIDENCE,)),  # nats
        ("id", "i8"),
        ("born_frame", "i8"),
        ("saved", "i8"),  # serial of the moment for which it was copied
        ("partner", "i8"),  # id of the track that it was last alike to
        ("cell", "i8"),  # of the grid, or NONE
        ("sources", "i8", (2,)),  # bits: which sources made it
        ("label", "i4", (EVIDENCE,)),
        ("label_next", "i4", (EVIDENCE,)),  # chains: the next and the last place of each label
        ("label_prev", "i4", (EVIDENCE,)),
        ("life", "i4"),
        ("hits", "i4"),
        ("kind", "i4"),
        ("born_source", "i4"),
        ("sensor", "i4"),  # kind of the sensor that began it
        ("level", "i4"),  # of the grid
        ("partner_row", "i4"),  # where that one stands
        ("partner_times", "i4"),  # how often in a row
        ("best", "i4"),  # the likeliest name's label, or NONE
    ],
    align=True,
)

# Where a track stands in the chains of the grid and of the ring of due tracks. Apart from TRACK,
# because a change of one track writes into its neighbours of two chains: of a hundred thousand
# tracks these tables stand in near memory, and the tracks do not.
LINK = np.dtype(
    [
        ("cell", "i8"),  # the same as the track's own
        ("next", "i4"),  # in its chain of the grid
        ("prev", "i4"),
        ("due_cell", "i4"),  # of the ring, or NONE
        ("due_next", "i4"),
        ("due_prev", "i4"),
    ],
    align=True,
)

REPORT = np.dtype(
    [
        ("t", "f8"),
        ("lat", "f8"),
        ("lon", "f8"),
        ("ee", "f8"),  # covariance of the place, m²
        ("en", "f8"),
        ("nn", "f8"),
        ("ve", "f8"),  # m/s, and the variance of each; 0 where no velocity is told
        ("vn", "f8"),
        ("vv", "f8"),
        ("frame", "i8"),  # its moment
        ("order", "i8"),  # of its source, the same on every machine
        ("key", "i8"),  # of what it says; a track that it begins takes this as its id
        ("row", "i8"),
        ("track", "i8"),  # id of the track that it was given to, 0 for none
        ("file", "i4"),
        ("source", "i4"),
        ("label", "i4"),
        ("kind", "i4"),
        ("sensor", "i4"),
    ],
    align=True,
)

PARAMETERS = (
    "gate",
    "widest_gate_m",
    "frame_s",
    "resolution_s",
    "models",
    "straight_s",
    "turning_s",
    "velocity_error_ms",
    "named_odds",
    "renamed_odds",
    "early_odds",
    "misses_to_coast",
    "misses_to_end",
    "keep_named_s",
    "rest_s",
    "rest_speed_ms",
    "label_odds",
    "label_odds_most",
    "echo_s",
    "pair_every_s",
    "pair_times",
    "pair_gate",
    "pair_error_m",
    "pair_young_s",
    "least_span_s",
)
"""`tuning.yaml` says what each is; odds are kept as costs here, see `choosing.py`."""
TUNING = np.dtype([(name, "f8") for name in PARAMETERS])
CRAFT = np.dtype([(name, "f8") for name in ("straight", "turning", "reach", "birth_speed")])
SENSOR = np.dtype(
    [(name, "f8") for name in ("new_cost", "hit_cost", "revisit", "told", "hits", "of")]
)
LABEL = np.dtype([("head", "i8"), ("space", "i8"), ("sort", "i8")])
EVENT = np.dtype([("t", "f8"), ("what", "i8"), ("track", "i8"), ("other", "i8"), ("row", "i8")])
FRAME = np.dtype(
    [(name, "i8") for name in ("frame", "before", "old", "events", "due", "doubled", "crowded")]
)
COUNTS = np.dtype(
    [
        ("serial", "i8"),  # of the moment at work
        ("frame", "i8"),  # newest moment done
        ("due", "i8"),  # second up to which the ring of due tracks was looked at
        ("free", "i8"),
        ("live", "i8"),
        ("full", "i8"),  # 1 where no more rows may be had
        ("labels", "i8"),
        ("events", "i8"),
        ("journal", "i8"),  # 1 where moments may be taken back
        ("old", "i8"),
        ("frames", "i8"),
        ("doubled", "i8"),  # reports that said again what another had said
        ("crowded", "i8"),  # reports that began no track because there was no room
        ("settled_frames", "i8"),  # of frames and events: those that are never taken back
        ("settled_events", "i8"),
        ("level", "i8", (LEVELS,)),  # tracks in each level of the grid
    ],
    align=True,
)


class Book(NamedTuple):
    """All that the loops over reports work on; arrays of records, changed in place.

    Attributes:
        tracks: TRACK. links: LINK of each. free: rows of it that hold no track. grid, due: the
            first track of each cell and of each second. labels: LABEL.
        p, c: one record of TUNING and of COUNTS. craft: CRAFT by kind. sensors: SENSOR.
        events: EVENT. old, old_row: tracks as they were, and where they stand. frames: FRAME.
    """

    tracks: Array
    links: Array
    free: Array
    grid: Array
    due: Array
    labels: Array
    p: Array
    c: Array
    craft: Array
    sensors: Array
    events: Array
    old: Array
    old_row: Array
    frames: Array
