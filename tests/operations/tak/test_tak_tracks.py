"""Tracks of what alerts speak of: who is told of them, when they move, and when they end."""

from __future__ import annotations

from datetime import timedelta
from xml.etree import ElementTree

import pytest

from cordon.kernel.access.model import Mark
from cordon.operations.tak import tracks as module
from cordon.operations.tak.base import TakClient
from cordon.operations.tak.tracks import HEARD_S, Tracks, event
from cordon.picture import Position

BOAT = "mmsi:463012345"
UID = f"cordon.track.{BOAT}"


def at(kernel, seconds=0.0, **more):
    given = {
        "source": "pasni-ais", "subject": BOAT, "lat": 25.05, "lon": 63.45, "speed_kn": 10.0,
        "course_deg": 214.0, "kind": "vessel", "name": "AL SAEED",
    }  # fmt: skip
    return Position(at=kernel.clock.now() + timedelta(seconds=seconds), **{**given, **more})


def client(*groups, unit=None, cleared=Mark.AMBER):
    now = None
    return TakClient("c", "C", unit, frozenset(groups), cleared, None, now, now)


@pytest.fixture
def tracks(desk, heard):
    return Tracks(desk, heard.get)


def test_what_an_alert_speaks_of_is_told_with_its_way_and_no_verdict(tracks, kernel, heard, raised):
    heard[BOAT] = at(kernel)
    heard["mmsi:463999999"] = at(kernel, subject="mmsi:463999999")  # no alert speaks of it
    alert = raised(BOAT)
    [marker], ended = tracks.look()
    assert ended == []
    told = ElementTree.fromstring(marker.message.xml)
    assert (told.get("uid"), told.get("type")) == (UID, "a-u-S")
    assert told.find("point").get("lat") == "25.050000"
    way = told.find("detail/track")
    assert float(way.get("speed")) == pytest.approx(5.144, abs=0.01)  # 10 kn
    assert way.get("course") == "214.0"
    assert told.find("detail/contact").get("callsign") == "AL SAEED"
    assert "not a verdict" in told.find("detail/remarks").text
    entered = [e for e in kernel.ledger.entries(limit=50) if e.detail.get("track")]
    assert [(e.act, e.thing, e.detail["track"]) for e in entered] == [
        ("operations.tak.tell", f"alert:{alert}", BOAT)
    ]


def test_it_moves_with_what_is_heard_and_not_oftener_than_it_must(
    tracks, kernel, heard, raised, monkeypatch
):
    heard[BOAT] = at(kernel, -60)
    raised(BOAT)
    assert len(tracks.look()[0]) == 1
    assert tracks.look() == ([], [])  # nothing new was heard
    heard[BOAT] = at(kernel, -30, lat=25.06)
    assert tracks.look() == ([], [])  # too soon
    monkeypatch.setattr(module, "LEAST_S", 0.0)
    [marker], _ = tracks.look()
    assert marker.message.point["lat"] == "25.060000"
    heard[BOAT] = at(kernel, -50, lat=25.01)  # an older one that came late
    assert tracks.look() == ([], [])
    assert len([e for e in kernel.ledger.entries(limit=50) if e.detail.get("track")]) == 1


@pytest.mark.parametrize("seconds", [-HEARD_S - 5, HEARD_S + 60])
def test_what_was_heard_long_ago_or_is_ahead_of_time_is_not_where_it_is(
    tracks, kernel, heard, raised, seconds
):
    heard[BOAT] = at(kernel, seconds)
    raised(BOAT)
    assert tracks.look() == ([], [])


def test_it_ends_with_its_alert(tracks, kernel, heard, raised, room, officers):
    heard[BOAT] = at(kernel)
    alert = raised(BOAT, seriousness="notice")
    assert len(tracks.look()[0]) == 1
    room.close(officers["watch"], alert, "explained", "Seen in port by the harbour master.")
    assert tracks.look() == ([], [UID])
    assert tracks.look() == ([], [])


def test_personal_data_red_ones_and_places_are_told_to_no_phone(tracks, kernel, heard, raised):
    for subject in ("number:+923001234567", "zone:R-4", "mmsi:463000009"):
        heard[subject] = at(kernel, subject=subject)
    raised("number:+923001234567", "zone:R-4", "mmsi:463012399")
    raised("mmsi:463000009", mark=Mark.RED)
    assert tracks.look() == ([], [])


def test_who_is_told(tracks, kernel, heard, raised, room, officers, boat):
    heard[BOAT] = at(kernel)
    alert = raised(BOAT)
    [marker], _ = tracks.look()
    assert marker.may(client("watch"))
    assert not marker.may(client("watch", cleared=Mark.GREEN))
    assert not marker.may(client("pasni", unit="pb-07"))  # it was not sent yet
    room.send(officers["watch"], alert, boat.id, "Go and look at it.")
    [marker], ended = tracks.look()
    assert ended == [UID]  # for those who had it, before it begins anew
    assert marker.may(client("pasni", unit="pb-07"))
    assert marker.may(client("watch"))
    assert not marker.may(client("pasni", unit="pb-08"))
    assert not marker.may(client("pasni", unit="pb-07", cleared=Mark.CLEAR))


def test_a_phone_sees_it_move(monkeypatch, phone, kernel, heard, raised):
    monkeypatch.setattr(module, "LEAST_S", 0.0)
    heard[BOAT] = at(kernel, -20)
    watch, other = phone("W", "watch", cleared="TLP:AMBER"), phone("P", "pasni")
    raised(BOAT)
    assert watch.has(UID, 10.0)
    heard[BOAT] = at(kernel, lat=25.5)
    moved = "25.500000"
    assert watch.waits_for(lambda p: any(m.point["lat"] == moved for m, _ in list(p.got)), 10.0)
    assert UID not in other.uids()


def test_a_name_cannot_break_out(kernel):
    said = event(UID, at(kernel, name='<"/></event>\x00', source="<x>&"))
    told = ElementTree.fromstring(said)
    assert told.find("detail/contact").get("callsign") == '<"/></event> '
    assert "<x>&" in told.find("detail/remarks").text
