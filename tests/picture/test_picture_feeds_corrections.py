"""Late reports correct on a node: what is said no more is taken back, and told."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from cordon.kernel.errors import Unavailable
from cordon.kernel.events import EventRow
from cordon.kernel.jobs import Jobs
from cordon.kernel.leads import get_finding, list_findings
from cordon.picture.behaviours import impossible_move, zone_entry
from cordon.picture.service import Picture
from cordon.picture.telling import LATE
from cordon.picture.tracks import Batch

SQUARE = [[66.4, 24.4], [66.6, 24.4], [66.6, 24.6], [66.4, 24.6], [66.4, 24.4]]
ZONE = {
    "type": "Feature",
    "properties": {"id": "z", "name": "Z", "kind": "restricted"},
    "geometry": {"type": "Polygon", "coordinates": [SQUARE]},
}
WHO = "mmsi:463000001"


@pytest.fixture
def rows_url(sqlite_url):
    """Corrections are the same on both stores."""
    return sqlite_url


@pytest.fixture
def room(kernel, officers, monkeypatch, t0) -> Picture:
    # only what needs one craft's own way: a silence makes others speak too
    for where in ("cordon.picture.service", "cordon.picture.stream", "cordon.picture.intake"):
        monkeypatch.setattr(f"{where}.streamed", lambda: [impossible_move, zone_entry])
    kernel.clock.set(t0 + timedelta(hours=3))
    jobs = Jobs(kernel, lambda _asked: kernel.node)
    made = Picture(
        kernel,
        jobs,
        view=SimpleNamespace(lat=24, lon=66, zoom=6),
        window=timedelta(hours=24),
        frame_hz=1,
        largest=1 << 30,
    )
    for kind in made.job_kinds():
        jobs.register(kind)
    made.jobs = jobs
    import json

    zones = {"type": "FeatureCollection", "features": [ZONE]}
    made.put_zones(officers["supervisor"], json.dumps(zones).encode())
    return made


def table(positions) -> bytes:
    rows = [
        f"{p.at.isoformat().replace('+00:00', 'Z')},rx,{p.subject},{p.lat},{p.lon},vessel"
        for p in positions
    ]
    return "\n".join(["at,source,subject,lat,lon,kind", *rows]).encode()


def bring_in(room: Picture, officers, positions, name: str) -> None:
    job = room.ask_import(officers["supervisor"], io.BytesIO(table(positions)), name)
    assert room.jobs.run_here(job, lambda *_: None).state == "done"


@pytest.fixture
def way(sail):
    """Up to the zone, silent, and on from behind it; and what came late: it went round."""
    before = [p for p in sail(WHO, 24.5, 66.2, 90, 10, 55) if p.lon < 66.39]
    after = sail(WHO, 24.5, 66.70, 90, 10, 60, start_min=105)
    late = sail(WHO, 24.64, 66.40, 90, 40, 15, start_min=75)
    old = sail("mmsi:463000009", 20, 60, minutes=5, start_min=-900)
    return [*old, *before, *after], late


def kept(kernel) -> list:
    with kernel.view(kernel.node) as view:
        return list_findings(view, kind="picture.zone_entry")


def withdrawn(kernel) -> list[str]:
    with kernel.rows.read() as session:
        query = select(EventRow).where(EventRow.topic == "findings.finding.withdrawn")
        return [row.payload["finding"] for row in session.scalars(query)]


def away(*_args, **_more):
    """In place of a write: the database is away."""
    raise Unavailable("The node's database is away.", advice="Try again.")


def test_what_could_not_be_kept_is_said_and_taken_back_again(room, kernel, way, monkeypatch):
    """No lead and no withdrawal is lost where the database is away for a moment."""
    first, late = way
    for batch in Batch.of(first):
        room.intake._stream.take(batch)
    with monkeypatch.context() as patched:
        patched.setattr("cordon.picture.service.keep", away)
        with pytest.raises(Unavailable):
            room.detect_live()
    assert kept(kernel) == []
    room.detect_live()  # nothing new was heard, and it is said all the same
    (entry,) = kept(kernel)
    for batch in Batch.of(late):
        room.intake._stream.take(batch)
    room.detect_live()
    room.intake._stream._changed = True
    with monkeypatch.context() as patched:
        patched.setattr("cordon.picture.service.withdraw", away)
        with pytest.raises(Unavailable):
            room.detect_live()
    assert kept(kernel)[0].withdrawn is None
    room.detect_live()
    assert kept(kernel)[0].withdrawn.why == LATE
    assert withdrawn(kernel) == [entry.finding.id]
    room.detect_live()
    assert len(kept(kernel)) == 1


def test_a_file_that_comes_late_takes_back_what_was_said(room, kernel, officers, way) -> None:
    first, late = way
    bring_in(room, officers, first, "first.csv")
    (entry,) = kept(kernel)
    assert entry.withdrawn is None
    other = [replace(p, subject="mmsi:463000002", lat=p.lat + 3) for p in late]
    bring_in(room, officers, other, "other.csv")  # it brings nothing of whom the finding speaks
    assert kept(kernel)[0].withdrawn is None
    bring_in(room, officers, late, "late.csv")
    (entry,) = kept(kernel)
    assert entry.withdrawn.why == LATE
    assert entry.state == "open"
    assert withdrawn(kernel) == [entry.finding.id]
    with kernel.view(kernel.node) as view:
        assert get_finding(view, entry.finding.id).finding.records


def test_a_late_file_that_bears_it_out_takes_nothing_back(room, kernel, officers, way) -> None:
    first, late = way
    bring_in(room, officers, first, "first.csv")
    bring_in(room, officers, [replace(p, lat=24.5) for p in late], "late.csv")
    assert all(k.withdrawn is None for k in kept(kernel))
    assert withdrawn(kernel) == []


def live(room: Picture, positions) -> None:
    for batch in Batch.of(replace(p, record=None) for p in positions):
        room.intake._show(batch)


def test_reports_that_come_late_over_a_feed_take_back_what_was_said(
    room, kernel, way, sail
) -> None:
    first, late = way
    live(room, first)
    room._take_turn()
    (entry,) = kept(kernel)
    live(room, late)
    for n in range(3):
        live(room, sail("mmsi:463000009", 20, 60, minutes=0, start_min=170 + n))
        room._take_turn()
    (entry,) = kept(kernel)
    assert entry.withdrawn.why == LATE
    assert withdrawn(kernel) == [entry.finding.id]
    found = room.picture._columns["found"][room.picture._rows[WHO]]
    assert not found, "the map marks it no more"


def test_after_a_restart_what_was_told_is_known(room, kernel, officers, way) -> None:
    first, late = way
    bring_in(room, officers, first, "first.csv")
    (entry,) = kept(kernel)
    room.start()
    try:
        assert entry.finding.id in room.intake._stream._told._told
        live(room, late)
        for _ in range(3):
            room.intake._stream._changed = True
            room.detect_live()
        assert withdrawn(kernel) == [entry.finding.id]
    finally:
        room.stop()
