"""The picture of a node: zones it refuses and takes out, feeds, files, and faults beside them."""

from __future__ import annotations

import gzip
import io
import json
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from cordon.kernel.errors import BadInput, NotFound, Refused
from cordon.kernel.jobs import Jobs
from cordon.picture import columns
from cordon.picture.behaviours import zone_entry
from cordon.picture.feeding import FeedState
from cordon.picture.model import Static
from cordon.picture.service import Picture
from cordon.picture.tracks import Batch

SQUARE = [[66.4, 24.4], [66.6, 24.4], [66.6, 24.6], [66.4, 24.6], [66.4, 24.4]]


def zones(**properties) -> bytes:
    feature = {
        "type": "Feature",
        "properties": {"id": "z", "name": "Z", "kind": "restricted", **properties},
        "geometry": {"type": "Polygon", "coordinates": [SQUARE]},
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


@pytest.fixture
def room(kernel) -> Picture:
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
    return made


def table(at: datetime, rows: int = 1, subject: str = "mmsi:463000001") -> bytes:
    lines = ["at,source,subject,lat,lon,imo,call_sign,flag"]
    for i in range(rows):
        moment = (at + timedelta(minutes=i)).isoformat().replace("+00:00", "Z")
        lines.append(f"{moment},rx,{subject},24.5,{66.5 + i / 1000},9074729,AP1,PK")
    return "\n".join(lines).encode() + b"\n"


def bring_in(room: Picture, officers, data: bytes, name: str = "p.csv"):
    job = room.ask_import(officers["supervisor"], io.BytesIO(data), name)
    return room.jobs.run_here(job, lambda _done, _total: None)


def sentence(kernel, **ahead) -> bytes:
    """One class A report, said to be received by the node's clock, or so much later."""
    at = int((kernel.clock.now() + timedelta(**ahead)).timestamp())
    head = f"c:{at}"
    check = 0
    for byte in head.encode():
        check ^= byte
    return f"\\{head}*{check:02X}\\!AIVDM,1,1,,B,10bb7q@P0lPGHlVMhbl0Qgw>2>`<,0*7F\n".encode()


def test_a_zone_with_a_wrong_value_is_refused_by_its_feature(room, officers) -> None:
    with pytest.raises(BadInput, match=r"feature 1 \(“z”\).*least_depth_m"):
        room.put_zones(officers["supervisor"], zones(least_depth_m="deep"))
    assert room.zones(officers["supervisor"]) == []


def test_a_zone_is_taken_out(room, officers) -> None:
    room.put_zones(officers["supervisor"], zones())
    with pytest.raises(Refused):
        room.remove_zone(officers["watch"], "z")
    room.remove_zone(officers["supervisor"], "z")
    assert room.zones(officers["supervisor"]) == []
    assert room.intake._stream.zones == []
    with pytest.raises(NotFound):
        room.remove_zone(officers["supervisor"], "z")


def test_live_positions_are_stored_while_a_detector_fails(room, kernel, monkeypatch) -> None:
    def broken(*_):
        raise OverflowError

    monkeypatch.setattr(room, "detect_live", broken)
    monkeypatch.setattr("cordon.picture.intake.STORE_AFTER_S", -1.0)
    room.intake.take(FeedState("f", "f", "u"), sentence(kernel), kernel.clock.now().timestamp())
    room._take_turn()
    assert stored(room, kernel) == 1


def test_one_live_detector_does_not_stop_another(room, kernel, monkeypatch) -> None:
    def broken(*_):
        raise OverflowError

    monkeypatch.setattr(zone_entry, "find", broken)
    room.intake.take(FeedState("f", "f", "u"), sentence(kernel), kernel.clock.now().timestamp())
    assert room.intake.detect() == []


def stored(room, kernel) -> int:
    now = kernel.clock.now()
    with kernel.view(kernel.node) as view:
        span = (now - timedelta(days=400), now + timedelta(days=400))
        return sum(map(len, columns.read(view, kernel.columns, *span)))


def test_a_report_from_the_future_does_not_hold_a_vessel_on_the_map(room, kernel) -> None:
    feed = FeedState("f", "f", "u")
    now = kernel.clock.now().timestamp()
    room.intake.take(feed, sentence(kernel, days=3), now)
    assert (feed.kept, feed.refused) == (0, 1)
    assert "ahead" in feed.last_reason
    room.intake.take(feed, sentence(kernel), now)
    assert (feed.kept, feed.refused) == (1, 1)
    assert [p["at"] for p in room.latest()] == [kernel.clock.now()]


def test_what_is_brought_in_shows_without_a_restart(room, kernel, officers) -> None:
    room.start()
    try:
        now = kernel.clock.now()
        assert bring_in(room, officers, table(now - timedelta(hours=1), 5)).state == "done"
        room._take_turn()
        (shown,) = room.latest()
        assert shown["subject"] == "mmsi:463000001"
        assert len(room.intake.positions_of("mmsi:463000001")) == 5
        room._take_turn()  # each file once
        assert len(room.intake.positions_of("mmsi:463000001")) == 5
        bring_in(room, officers, table(now - timedelta(days=9), 2, "mmsi:463000002"))
        room._take_turn()
        assert len(room.latest()) == 1
    finally:
        room.stop()


def test_columns_keep_what_a_subject_says_of_itself(sail) -> None:
    (batch,) = Batch.of(sail("mmsi:1", 24.5, 66.3, minutes=5))
    batch.static["mmsi:1"] = said = Static("A", "9074729", "AP1", "70", "PK")
    again = columns.batch_of(batch.sha256, columns.table_of([batch]))
    assert again.static == {"mmsi:1": said}


def test_an_error_names_the_file_as_it_was_called(room, officers) -> None:
    ended = bring_in(room, officers, b"at,source\n", "patrol.csv")
    assert ended.state == "failed"
    assert "patrol.csv" in ended.error


def test_an_import_tells_that_its_file_breaks_off(room, kernel, officers) -> None:
    whole = gzip.compress(table(kernel.clock.now() - timedelta(days=1), 4000))
    ended = bring_in(room, officers, whole[: len(whole) // 2], "cut.csv.gz")
    assert ended.state == "done"
    (told,) = ended.report["files"]
    assert 0 < told["kept"] < 4000
    assert "breaks off" in told["broken"]
    assert "cut.csv.gz" in told["broken"]


def test_the_same_positions_in_another_file_are_kept_once(room, kernel, officers) -> None:
    data = table(kernel.clock.now() - timedelta(hours=1), 30)
    bring_in(room, officers, data)
    again = bring_in(room, officers, gzip.compress(data, mtime=0), "p.csv.gz")
    (told,) = again.report["files"]
    assert (told["read"], told["kept"], told["repeated"]) == (30, 0, 30)
    assert stored(room, kernel) == 30
