"""Rings that a node keeps: they keep their id and name over searches, and their history is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from sqlalchemy import select

from cordon.calls.find import cards
from cordon.calls.following import Ring, followed, matched
from cordon.calls.ringbook import keep_found
from cordon.calls.tables import RingEventRow, RingRow
from cordon.kernel.access.model import Mark
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.kernel.leads import list_findings
from cordon.kernel.leads.tables import FindingRow, FindingSubjectRow

DAY = datetime(2026, 1, 1, tzinfo=UTC)
CARDS = cards()


def ring(id_, numbers, first=0.0, last=10.0, **more):
    return Ring(
        id_,
        more.pop("kind", "calls.call_centre"),
        frozenset(numbers),
        DAY + timedelta(days=first),
        DAY + timedelta(days=last),
        **{k: frozenset(v) if isinstance(v, set) else v for k, v in more.items()},
    )


A, B = {f"a{i}" for i in range(10)}, {f"b{i}" for i in range(6)}


def test_the_best_overlap_goes_first():
    kept = [ring("k1", A), ring("k2", B)]
    found = [ring("x", A | {"n"}), ring("y", B - {"b0"})]
    said = matched(kept, found)
    assert said.goes_on == {"x": "k1", "y": "k2"}
    assert matched(kept, found[::-1]).goes_on == said.goes_on
    assert not said.split
    assert not said.merged
    assert not said.gone


def test_less_than_half_of_the_smaller_ones_numbers_is_another_ring():
    said = matched([ring("k", A)], [ring("x", {"a0", "a1", "c1", "c2", "c3"})])
    assert said.goes_on == {}
    assert said.gone == {"k"}
    assert matched([ring("k", A)], [ring("x", {"a0", "c1"})]).goes_on == {"x": "k"}


def test_a_ring_of_another_kind_is_the_same_ring():
    said = matched([ring("k", A)], [ring("x", A, kind="calls.simbox")])
    assert said.goes_on == {"x": "k"}
    assert not said.gone


def test_of_two_that_have_as_much_in_common_the_one_of_the_same_kind_goes_on():
    kept, half = ring("k", A), {f"a{i}" for i in range(5)}
    found = [ring("box", half, kind="calls.simbox"), ring("centre", A - half)]
    for order in (found, found[::-1]):
        said = matched([kept], order)
        assert (said.goes_on, said.split) == ({"centre": "k"}, {"box": "k"})
    found = [ring("box", A - {"a0"}, kind="calls.simbox"), ring("centre", {"a0"})]
    assert matched([kept], found).goes_on == {"box": "k"}


def test_the_larger_part_keeps_the_id_and_the_other_is_split_from_it():
    parts = [ring("small", {"a8", "a9"}), ring("large", A - {"a8", "a9"})]
    said = matched([ring("k", A)], parts)
    assert said.goes_on == {"large": "k"}
    assert said.split == {"small": "k"}


def test_of_two_that_become_one_the_larger_keeps_its_id():
    said = matched([ring("k2", B), ring("k1", A)], [ring("x", A | B)])
    assert said.goes_on == {"x": "k1"}
    assert said.merged == {"k2": "x"}


def test_one_that_was_taken_in_has_its_id_back_when_they_part():
    said = matched([ring("k1", A | B), ring("k2", B)], [ring("x", A), ring("y", B)])
    assert said.goes_on == {"x": "k1", "y": "k2"}


def test_a_new_ring_follows_a_silent_one_whose_handsets_it_has():
    old = ring("old", A, 0, 10, handsets={"h1", "h2", "h3"}, lat=31.5, lon=74.3, radius_m=500.0)
    new = ring("new", B, 12, 20, handsets={"h1", "h2", "h9"}, lat=31.6, lon=74.3, radius_m=500.0)
    (told,) = followed([new], [old, new]).values()
    assert (told.earlier, told.handsets, told.moved) == ("old", 2, True)
    assert told.metres == pytest.approx(11_119, rel=0.01)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"handsets": {"h1"}}, {"handsets": {"h1"}}),  # one handset may have been sold
        ({"handsets": {"h1", "h2"}, "last": 15.0}, {"handsets": {"h1", "h2"}}),  # not silent
        ({}, {}),
    ],
)
def test_what_does_not_make_a_follower(old, new):
    one = ring("old", A, 0, old.pop("last", 10.0), **old)
    assert followed([ring("new", B, 12, 20, **new)], [one]) == {}


def test_what_complaints_name_makes_a_follower_and_an_unknown_place_no_move():
    old = ring("old", A, 0, 10, named={"account:1"})
    new = ring("new", B, 11, 20, named={"account:1"})
    (told,) = followed([new], [old]).values()
    assert (told.named, told.moved, told.metres) == (1, False, None)


# on a node


def number(index):
    return f"+92300{index:07d}"


def finding(
    first, last, start=0.0, end=10.0, handsets=(), place=(74.3, 31.5), calls=100.0,
    kind="calls.call_centre",
):  # fmt: skip
    made = Finding.make(
        kind=kind,
        subjects=[f"number:{number(i)}" for i in range(first, last)]
        + [f"imei:35{h:012d}" for h in handsets],
        start=DAY + timedelta(days=start),
        end=DAY + timedelta(days=end),
        confidence=0.97,
        reasons=[Reason("calls", calls, "1", None, "Calls.")],
        records=[RecordRef("ab" * 32, 1)],
        detector=kind,
        version="1",
        place={"type": "Point", "coordinates": list(place)},
        radius_m=400,
    )
    made.extra["seats"] = {"estimate": 5, "least": 4, "most": 7}
    return made


@pytest.fixture
def search(kernel):
    """`search(findings, until)` keeps what a search found; gives ids made and grown."""
    runs = iter(range(100))

    def run(found, until=10.0, complaints=None):
        with kernel.work(kernel.node) as work:
            kept = keep_found(
                work,
                found,
                CARDS,
                complaints,
                authority="authority-1",
                search=f"search-{next(runs)}",
                until=DAY + timedelta(days=until),
                mark=Mark.AMBER,
                details={},
            )
        return kept

    return run


def rings(kernel):
    with kernel.rows.read() as session:
        rows = list(session.scalars(select(RingRow).order_by(RingRow.number)))
    return rows


def history(kernel, row):
    with kernel.rows.read() as session:
        rows = session.scalars(
            select(RingEventRow).where(RingEventRow.ring == row.id).order_by(RingEventRow.id)
        )
        return [(r.what, r.counts) for r in rows]


def test_a_second_search_without_new_data_changes_nothing(kernel, search):
    first = search([finding(0, 10, handsets=(1, 2)), finding(50, 56)])
    assert len(first.made) == 2
    before = [(r.id, r.name, r.finding) for r in rings(kernel)]
    assert [name for _, name, _ in before] == ["R-2026-0001", "R-2026-0002"]
    told = [history(kernel, r) for r in rings(kernel)]
    again = search([finding(0, 10, handsets=(1, 2)), finding(50, 56)])
    assert (again.made, again.grown) == ([], [])
    assert [(r.id, r.name, r.finding) for r in rings(kernel)] == before
    assert [history(kernel, r) for r in rings(kernel)] == told
    assert told[0] == [("found", {"numbers": 10, "handsets": 2})]


def test_a_day_more_is_the_same_ring_finding_and_alert(kernel, search):
    opened = []
    kernel.dispatcher.subscribe(
        "test", {"findings.finding.made"}, lambda _work, event: opened.append(event.payload)
    )
    search([finding(0, 10)])
    (row,) = rings(kernel)
    # the id that a detector gives is another one, because it is made of numbers and start
    assert finding(0, 12, end=11).id != finding(0, 10).id
    kept = search([finding(0, 12, start=-0.5, end=11.0, calls=120.0)], until=11.0)
    assert (kept.made, kept.grown) == ([], [row.finding])
    (same,) = rings(kernel)
    assert (same.id, same.name, same.numbers) == (row.id, "R-2026-0001", 12)
    assert history(kernel, row)[1:] == [
        ("grew", {"before": 10, "after": 12, "joined": 2, "left": 0, "handsets": 0})
    ]
    kernel.dispatcher.run_pending()
    assert len(opened) == 1
    with kernel.rows.read() as session:
        kept_row = session.get_one(FindingRow, row.finding)
        assert kept_row.starts == DAY - timedelta(days=0.5)
        named = set(session.scalars(select(FindingSubjectRow.subject)))
    assert named == {f"number:{number(i)}" for i in range(12)}


def test_a_findings_subjects_are_those_it_names_now(kernel, search):
    search([finding(0, 10)])
    search([finding(0, 8)])
    with kernel.view(kernel.node) as view:
        assert len(list_findings(view, subject=f"number:{number(1)}")) == 1
        assert list_findings(view, subject=f"number:{number(9)}") == []
    assert history(kernel, rings(kernel)[0])[-1] == (
        "shrank",
        {"before": 10, "after": 8, "joined": 0, "left": 2, "handsets": 0},
    )


def test_the_id_of_a_rings_finding_cannot_be_made_from_its_numbers(kernel, search):
    plain = finding(0, 10)
    search([plain])
    (row,) = rings(kernel)
    assert row.finding not in (plain.id, kernel.masker.opaque_id(plain.id))
    assert row.id != row.finding


def test_split_and_merge_are_told_on_both_sides(kernel, search):
    search([finding(0, 20)])
    search([finding(0, 14), finding(14, 20)])
    whole, part = rings(kernel)
    assert part.part_of == whole.id
    assert [w for w, _ in history(kernel, whole)] == ["found", "shrank", "split_off"]
    assert [w for w, _ in history(kernel, part)] == ["found", "split"]
    search([finding(0, 20)])
    whole, part = rings(kernel)
    assert (part.state, part.into) == ("merged", whole.id)
    assert [w for w, _ in history(kernel, whole)][3:] == ["grew", "took_in"]
    search([finding(0, 20)])
    assert [w for w, _ in history(kernel, part)][2:] == ["merged"]
    search([finding(0, 14), finding(14, 20)])
    assert [r.state for r in rings(kernel)] == ["at_work", "at_work"]
    assert history(kernel, part)[-1][0] == "back"


def test_a_ring_that_moved_follows_the_silent_one(kernel, search):
    search([finding(0, 10, handsets=(1, 2, 3))])
    found = [
        finding(0, 10, handsets=(1, 2, 3)),
        finding(30, 40, start=12, end=20, handsets=(2, 3, 4), place=(74.5, 31.5)),
    ]
    search(found, until=20.0)
    old, new = rings(kernel)
    assert new.follows == old.id
    assert (old.state, new.state) == ("silent", "at_work")
    told = dict(history(kernel, new))
    assert told["moved"]["handsets"] == 2
    assert told["moved"]["metres"] > 18_000
    assert [w for w, _ in history(kernel, old)] == ["found", "silent", "followed"]
    assert new.found_day == 9


def test_complaints_name_what_two_rings_share(kernel, search):
    columns = ("suspect_number", "suspect_account", "suspect_handle", "suspect_wallet")
    rows = [(number(1), "ACC-1", None, None), (number(31), "ACC-1", None, None)]
    complaints = pa.table({n: [r[i] for r in rows] for i, n in enumerate(columns)})
    complaints = complaints.append_column("suspect_url", pa.nulls(2, pa.string()))
    found = [finding(0, 10), finding(30, 40, start=12, end=20, place=(74.5, 31.5))]
    search(found, until=20.0, complaints=complaints)
    assert rings(kernel)[1].follows == rings(kernel)[0].id


def test_what_is_not_found_any_more_is_told_once_and_comes_back(kernel, search):
    search([finding(0, 10)])
    search([])
    search([])
    (row,) = rings(kernel)
    assert row.state == "gone"
    assert [w for w, _ in history(kernel, row)] == ["found", "gone"]
    search([finding(0, 10)])
    assert rings(kernel)[0].state == "at_work"
    assert history(kernel, row)[-1][0] == "back"


def test_a_ring_whose_kind_changes_keeps_its_id_and_is_said_anew(kernel, search):
    box = {"kind": "calls.simbox"}
    search([finding(0, 10, **box)])
    (row,) = rings(kernel)
    before = row.finding
    kept = search([finding(0, 12, end=11.0)], until=11.0)
    (same,) = rings(kernel)
    assert (same.id, same.name, same.kind) == (row.id, row.name, "calls.call_centre")
    # another claim than the one that somebody may have answered already
    assert kept.made == [same.finding] != [before]
    assert history(kernel, row)[1:] == [
        ("grew", {"before": 10, "after": 12, "joined": 2, "left": 0, "handsets": 0}),
        ("kind", {"before": "calls.simbox", "after": "calls.call_centre", "finding": before}),
    ]
    with kernel.rows.read() as session:
        said = {f.id: (f.kind, f.title) for f in session.scalars(select(FindingRow))}
    assert said[before][0] == "calls.simbox"
    assert said[same.finding][0] == "calls.call_centre"
    assert said[before][1] != said[same.finding][1]
    # and back again: the finding of then goes on
    kept = search([finding(0, 12, end=12.0, **box)], until=12.0)
    assert (kept.made, kept.grown) == ([], [before])
    assert rings(kernel)[0].finding == before
    again = search([finding(0, 12, end=12.0, **box)], until=12.0)
    assert (again.made, again.grown) == ([], [])


def test_no_history_holds_a_number(kernel, search):
    search([finding(0, 20)])
    search([finding(0, 14), finding(14, 20)])
    with kernel.rows.read() as session:
        told = [str(r.counts) for r in session.scalars(select(RingEventRow))]
    assert told
    assert not any("92300" in t for t in told)
