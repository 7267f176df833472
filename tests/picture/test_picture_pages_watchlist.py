"""The watch list and saved views: who may, what is refused, and what it does to findings."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cordon.kernel.errors import BadInput, Conflict, NotFound, Refused
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.leads import get_finding, keep
from cordon.picture.behaviours import zone_entry
from cordon.picture.desk.views import SavedViews
from cordon.picture.desk.watchlist import Graver, Watchlist, listed

VESSEL = "mmsi:463000001"
WHY = "Seen twice by night near the terminal"


def entry(at, subject: str = VESSEL) -> Finding:
    card = zone_entry.CARD
    return Finding.make(
        kind=card.kind,
        subjects=(subject, "zone:R-4"),
        start=at,
        end=at,
        confidence=0.9,
        reasons=(Reason("depth", 5.0, "m", None, "It came in."),),
        records=(),
        detector=card.name,
        version=card.version,
    )


def kept(kernel, finding: Finding) -> str:
    """The seriousness under which a finding is kept."""
    cards = {zone_entry.CARD.kind: zone_entry.CARD}
    with kernel.work(kernel.node) as work:
        keep(work, [finding], cards, graver=Graver(work.session, work.now))
        return get_finding(work, finding.id).seriousness


def test_a_listed_subject_makes_its_findings_one_step_graver(kernel, officers, clock) -> None:
    watchlist = Watchlist(kernel)
    now = kernel.clock.now()
    assert zone_entry.CARD.seriousness == "serious"
    assert kept(kernel, entry(now)) == "serious"
    id_ = watchlist.put(officers["watch"], VESSEL, WHY, now + timedelta(days=1))
    assert kept(kernel, entry(now + timedelta(hours=1))) == "grave"
    assert kept(kernel, entry(now + timedelta(hours=1), "mmsi:463000002")) == "serious"
    # what was kept before stays as it was
    with kernel.view(kernel.node) as view:
        assert get_finding(view, entry(now).id).seriousness == "serious"
    watchlist.end(officers["watch2"], id_, "It was the pilot's boat.")
    assert kept(kernel, entry(now + timedelta(hours=2))) == "serious"
    watchlist.put(officers["watch"], VESSEL, WHY, now + timedelta(days=1))
    clock.advance(timedelta(days=1))
    assert kept(kernel, entry(now + timedelta(hours=3))) == "serious", "its time is over"


def test_every_change_stands_in_the_ledger(kernel, officers) -> None:
    watchlist = Watchlist(kernel)
    now = kernel.clock.now()
    id_ = watchlist.put(officers["watch"], VESSEL, WHY, now + timedelta(days=7))
    with pytest.raises(Refused):
        watchlist.put(officers["field"], "mmsi:463000009", WHY, now + timedelta(days=7))
    watchlist.end(officers["investigator"], id_, "Explained by its owner.")
    told = [
        (e.act, e.actor, e.outcome)
        for e in reversed(kernel.ledger.entries(limit=50))
        if e.act.startswith("picture.watchlist")
    ]
    assert told == [
        ("picture.watchlist.change", "officer-watch", "done"),
        ("picture.watchlist.change", "officer-field", "refused"),
        ("picture.watchlist.change", "officer-investigator", "done"),
    ]
    (first, _, last) = [
        e for e in reversed(kernel.ledger.entries(limit=50)) if e.act.startswith("picture.watch")
    ]
    assert first.detail["listed"] == last.detail["taken_off"] == VESSEL


@pytest.mark.parametrize(
    ("subject", "reason", "days", "why"),
    [
        ("463000001", WHY, 1, "type:id"),
        ("zone:R-4", WHY, 1, "something that moves"),
        ("number:+923001234567", WHY, 1, "not people or numbers"),
        ("person:1", WHY, 1, "not people or numbers"),
        (VESSEL, "because", 1, "10 to 500"),
        (VESSEL, WHY * 20, 1, "10 to 500"),
        (VESSEL, WHY, 0, "after now"),
        (VESSEL, WHY, 181, "within 180 days"),
    ],
)
def test_what_is_no_entry_is_refused(kernel, officers, subject, reason, days, why) -> None:
    until = kernel.clock.now() + timedelta(days=days)
    with pytest.raises(BadInput, match=why):
        Watchlist(kernel).put(officers["watch"], subject, reason, until)


def test_an_entry_is_made_once_and_ended_once(kernel, officers, clock) -> None:
    watchlist = Watchlist(kernel)
    until = kernel.clock.now() + timedelta(days=1)
    id_ = watchlist.put(officers["watch"], VESSEL, WHY, until)
    with pytest.raises(Conflict):
        watchlist.put(officers["watch2"], VESSEL, WHY, until)
    with pytest.raises(BadInput, match="needs a reason"):
        watchlist.end(officers["watch"], id_, "no")
    with pytest.raises(NotFound):
        watchlist.end(officers["watch"], "nothing", "It is not there any more.")
    watchlist.end(officers["watch"], id_, "It was somebody else.")
    with pytest.raises(Conflict):
        watchlist.end(officers["watch"], id_, "It was somebody else.")
    assert watchlist.entries(officers["watch"]) == []
    (old,) = watchlist.entries(officers["watch"], ended=True)
    assert (old.subject, old.ended_why) == (VESSEL, "It was somebody else.")
    assert not old.lasts(kernel.clock.now())
    watchlist.put(officers["watch"], VESSEL, WHY, until)
    clock.advance(timedelta(days=2))
    assert watchlist.entries(officers["watch"]) == []
    with kernel.view(kernel.node) as view:
        assert listed(view.session, view.now) == frozenset()


def test_who_is_watched_is_not_everybodys(kernel, officers) -> None:
    watchlist = Watchlist(kernel)
    watchlist.put(officers["watch"], VESSEL, WHY, kernel.clock.now() + timedelta(days=1))
    assert watchlist.of(officers["overseer"], VESSEL)
    assert watchlist.of(officers["field"], VESSEL) == []
    with pytest.raises(Refused):
        watchlist.entries(officers["field"])


def test_views_are_ones_own_until_shared(kernel, officers) -> None:
    views = SavedViews(kernel)
    watch, other, chief = officers["watch"], officers["watch2"], officers["supervisor"]
    address = "/picture?moving=1&off=zones#map=9/24.5/66"
    views.keep(watch, " My  beach ", address, shared=False)
    views.keep(watch, "All of us", "/picture?on=cover", shared=True)
    assert [(v.name, v.address) for v in views.of(watch)] == [
        ("All of us", "/picture?on=cover"),
        ("My beach", address),
    ]
    assert [(v.name, v.mine) for v in views.of(other)] == [("All of us", False)]
    again = views.keep(watch, "My beach", "/picture", shared=False)
    assert {v.name: v.address for v in views.of(watch)}["My beach"] == "/picture"
    with pytest.raises(NotFound):
        views.remove(other, again)
    (shared,) = views.of(other)
    with pytest.raises(Refused):
        views.remove(other, shared.id)
    views.remove(chief, shared.id)
    views.remove(watch, again)
    assert views.of(watch) == []


@pytest.mark.parametrize(
    "address",
    [
        "/alerts",
        "https://elsewhere.example/picture",
        "//elsewhere.example/picture",
        "javascript:alert(1)",
        "/picture/../alerts",
        "picture",
        "/picture?" + "x" * 2000,
    ],
)
def test_a_view_is_an_address_of_the_picture(kernel, officers, address) -> None:
    with pytest.raises(BadInput, match="no address of the picture"):
        SavedViews(kernel).keep(officers["watch"], "x", address, shared=False)


def test_the_overseer_keeps_no_views(kernel, officers) -> None:
    with pytest.raises(Refused):
        SavedViews(kernel).keep(officers["overseer"], "x", "/picture", shared=False)
