"""The settled fixes: the newest are kept, and a track has those of the tracks that went into it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from cordon.kernel.geo import destination
from cordon.picture.model import Position
from cordon.picture.tracking import Tracker
from cordon.picture.tracking.fixes import FixLog
from cordon.picture.tracking.layout import REPORT, Array


def reports(*of: tuple[int, float]) -> Array:
    """Settled reports: the track that each went to (0 for none), and its time (s)."""
    out = np.zeros(len(of), REPORT)
    out["track"], out["t"] = [track for track, _ in of], [t for _, t in of]
    out["row"] = out["t"] * 10
    return out


def times(log: FixLog, track: int) -> list[float]:
    rows = log.all[log.rows_of(track)]
    assert (rows["row"] == rows["t"] * 10).all()
    return [float(t) for t in rows["t"]]


def test_the_newest_fixes_are_kept_oldest_first_and_those_of_no_track_left_out() -> None:
    log = FixLog(5)
    log.put(reports((1, 1.0), (0, 2.0), (2, 3.0)))
    assert (times(log, 1), times(log, 2), len(log.kept)) == ([1.0], [3.0], 2)
    log.put(reports((1, 4.0), (2, 5.0), (1, 6.0), (1, 7.0)))
    assert (times(log, 1), times(log, 2)) == ([4.0, 6.0, 7.0], [3.0, 5.0])
    log.put(reports(*((3, float(t)) for t in range(8, 20))))
    assert (times(log, 1), times(log, 3)) == ([], [15.0, 16.0, 17.0, 18.0, 19.0])


def test_a_track_has_the_fixes_of_all_that_went_into_it_and_those_have_none() -> None:
    log = FixLog(8)
    log.put(reports((1, 1.0), (2, 2.0), (3, 3.0), (1, 4.0)))
    log.join(1, 2)
    log.join(2, 3)
    assert times(log, 3) == [1.0, 2.0, 3.0, 4.0]
    assert times(log, 1) == times(log, 2) == []


def test_what_went_into_a_track_is_forgotten_with_its_last_fix() -> None:
    log = FixLog(4)
    for n in range(1, 50):
        log.put(reports((n, float(n)), (1000, n + 0.5)))
        log.join(n, 1000)
    assert times(log, 1000) == [48.0, 48.5, 49.0, 49.5]
    assert len(log._gone) <= 4
    assert sum(len(parts) for parts in log._parts.values()) <= 4


def test_a_vessel_that_speaks_seldom_is_touched_by_its_own_reports_alone() -> None:
    """Its cell of the grid holds until it speaks again; it was put anew each minute or so."""
    t0 = datetime(2026, 3, 6, 6, 0, tzinfo=UTC)
    tracker = Tracker(lag_s=7200.0)
    for k in range(20):
        lat, lon = destination(24.5, 66.5, 90.0, 5.0 * 100.0 * k)
        tracker.take([Position(t0 + timedelta(seconds=100 * k), "rx", "mmsi:1", lat, lon)])
        tracker.tick()
    assert len(tracker) == 1
    copies = int(tracker._c["old"])
    # the first two show how often it speaks
    assert 20 <= copies <= 24
