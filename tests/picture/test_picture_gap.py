"""Silences beside those of test_behaviours_of_tracks: fading, chance hearing, radars, odds."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

from cordon.picture import StreamDetector, Tracks
from cordon.picture.behaviours import gap

WAY = (24.5, 66.2, 90, 8, 340)


def run(positions, zones=(), **values):
    tracks = Tracks.build(positions)
    found = gap.find(tracks, list(zones), gap.CARD.values(values))
    return sorted(found, key=lambda f: f.start)


def without(track, begin_min, end_min, t0):
    a, b = t0 + timedelta(minutes=begin_min), t0 + timedelta(minutes=end_min)
    return [p for p in track if not a < p.at < b]


def test_the_odds_stand_in_the_reasons_as_one_says_them(sail, crowd, t0) -> None:
    dark = without(sail("mmsi:463000001", *WAY), 120, 230, t0)
    (found,) = run(crowd() + dark)
    told = next(r for r in found.reasons if r.name == "odds_least")
    assert told.value >= told.threshold
    assert "to 1" in told.says
    due = next(r for r in found.reasons if r.name == "least_due")
    assert 90 < due.value < 130  # a report a minute for 110 minutes
    assert run(crowd() + dark, least_due=500) == []


def test_who_fades_out_has_not_switched_off(sail, crowd, t0) -> None:
    track = without(sail("mmsi:463000001", *WAY), 120, 230, t0)
    chance = random.Random(3)
    fading = [
        p
        for p in track
        if not 95 < (p.at - t0).total_seconds() / 60 <= 120 or chance.random() < 0.12
    ]
    assert len(run(crowd() + track)) == 1
    assert run(crowd() + fading) == []
    assert len(run(crowd() + fading, abrupt_share=0)) == 1


def test_a_short_drop_out_before_does_not_hide_it(sail, crowd, t0) -> None:
    track = without(sail("mmsi:463000001", *WAY), 120, 230, t0)
    (found,) = run(crowd() + without(track, 106, 114, t0))
    assert abs((found.start - t0).total_seconds() / 60 - 120) < 3


def test_a_silence_soon_after_another_is_told(sail, crowd, t0) -> None:
    track = without(sail("mmsi:463000001", *WAY), 120, 230, t0)
    again = without(track, 15, 101, t0)  # heard again for twenty minutes, as often as ever
    assert any(abs((f.start - t0).total_seconds() / 60 - 120) < 3 for f in run(crowd() + again))
    # who is heard now and then for a while shows no end of it
    rare = [p for p in again if not 102 < (p.at - t0).total_seconds() / 60 < 119.5]
    assert not any(f.start > t0 + timedelta(minutes=100) for f in run(crowd() + rare))


def test_who_is_heard_by_chance_falls_silent_by_chance(sail, crowd) -> None:
    now_and_then = sail("mmsi:463000001", *WAY, every_s=60)[::40]
    assert run(crowd() + now_and_then, usual_times=1, least_reports=2) == []


def test_a_radars_lost_track_and_our_own_unit_are_no_silence(sail, crowd, t0) -> None:
    for subject in ("radar:KHI/7", "track:7", "unit:7"):
        dark = without(sail(subject, *WAY), 120, 230, t0)
        assert run(crowd() + dark) == []
    # nor do radars bear witness that a receiver of transponders worked
    seen = [replace(p, subject=p.subject.replace("mmsi", "radar")) for p in crowd()]
    assert run(seen + without(sail("mmsi:463000001", *WAY), 120, 230, t0)) == []


def test_a_satellite_proves_no_receivers_outage(sail, crowd, t0) -> None:
    dark = without(sail("mmsi:463000001", *WAY), 120, 230, t0)
    # the first to hear it again is a satellite that hears little else
    again = next(i for i, p in enumerate(dark) if p.at > t0 + timedelta(minutes=200))
    for i in range(again, again + 3):
        dark[i] = replace(dark[i], source="sat")
    assert len(run(crowd() + dark)) == 1


def test_who_goes_on_under_another_identity_is_not_silent(sail, crowd, t0) -> None:
    whole = sail("mmsi:463000001", *WAY, every_s=30)
    before = [p for p in whole if p.at < t0 + timedelta(minutes=120)]
    after = [
        replace(p, subject="mmsi:538777123") for p in whole if p.at > t0 + timedelta(minutes=124)
    ]
    assert {f.subjects for f in run(crowd() + before)} == {("mmsi:463000001",)}
    assert run(crowd() + before + after) == []


def test_a_silence_is_told_while_it_lasts_and_keeps_its_id(sail, crowd, t0) -> None:
    dark = without(sail("mmsi:463000001", *WAY), 120, 250, t0)
    stream = StreamDetector(chosen=[gap])
    told = []
    for minute in range(60, 281, 20):
        a, b = t0 + timedelta(minutes=minute - 20), t0 + timedelta(minutes=minute)
        stream.take(p for p in crowd() + dark if a < p.at <= b or (minute == 60 and p.at <= b))
        told += stream.tick()
    assert told
    assert len({f.id for f in told}) == 1
    first = told[0]
    # an hour must have passed, and then it is told within the next ticks
    assert 60 <= (first.end - first.start).total_seconds() / 60 <= 105
    assert "has been silent" in first.reasons[0].says
    assert "was silent" in told[-1].reasons[0].says
