"""Signs and cards: each parameter does what its card says, and bad input takes its way."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cordon.calls import find
from cordon.calls.detectors.ringcards import BOXES, RINGS
from cordon.calls.detectors.simbox import box_signs
from cordon.calls.forms import COMPLAINTS
from cordon.calls.rings.addresses import Tie
from cordon.calls.rings.ages import Age
from cordon.calls.rings.identifiers import complained_together
from cordon.calls.rings.judging import is_box, is_ring
from cordon.calls.rings.weighing import Facts, signs
from cordon.calls.survey.near import Near
from support.ringfacts import BOX, CENTRE, FLOOR, OFFICE, group
from support.town import PEOPLE, Town, rings


@pytest.mark.parametrize(
    "name", sorted(set(RINGS.parameters) - {"strangers", "still_least", "evidence"})
)
def test_each_parameter_of_a_ring_changes_what_is_said(name: str) -> None:
    plain = RINGS.values({})
    other = {**plain, name: plain[name] * 8}
    both = [
        [(s.name, s.nats) for f in (CENTRE, OFFICE) for s in signs(f, v)] for v in (plain, other)
    ]
    assert both[0] != both[1]


def test_a_ring_needs_the_evidence_and_one_sign_of_using_up() -> None:
    values = RINGS.values({})
    assert is_ring(group(CENTRE), values)
    assert not is_ring(group(CENTRE), {**values, "evidence": 49})
    assert not is_ring(group(CENTRE), {**values, "lines": 21})
    assert not is_ring(group(OFFICE), values)
    # an office that nothing speaks against is none either: nothing is used up
    clean = replace(OFFICE, registered=0.0, business=0.0, talk_s=60, back_share=0.0, lines=400)
    assert not is_ring(group(clean), {**values, "evidence": 0})


def test_an_address_of_its_own_speaks_for_used_up_lines_and_makes_no_ring() -> None:
    def nats(facts: Facts) -> float:
        return {s.name: s.nats for s in group(facts).signs}.get("address", 0.0)

    tie = Tie(seen=18, reached=15, others=1, everybody=5000)
    assert nats(replace(CENTRE, tie=None)) == nats(replace(CENTRE, tie=Tie(18, 0))) == 0
    assert nats(CENTRE) == pytest.approx(4 / 3)
    assert nats(replace(CENTRE, tie=replace(tie, lines=45))) == pytest.approx(1 / 3)
    assert nats(replace(CENTRE, tie=replace(tie, registered=5))) == pytest.approx(-1)
    assert nats(OFFICE) == 0.5  # a steady firm has one too
    clean = replace(OFFICE, registered=0.0, business=0.0, talk_s=60, back_share=0.0, lines=400)
    assert not is_ring(group(clean), {**RINGS.values({}), "evidence": 0})


DESK = replace(OFFICE, victims=60, victims_by_chance=2.0, registered=0.0, business=0.0)


def test_people_who_complained_of_nobody_make_no_ring_of_lines_that_stay() -> None:
    values = RINGS.values({})
    easy = {**values, "evidence": 0}
    assert {s.name: s.nats for s in group(DESK).signs}["victims"] == 3
    assert not is_ring(group(DESK), easy)
    assert is_ring(group(replace(DESK, named=3)), values)
    # nor where handsets are not recorded, unless lines come and go
    blind = replace(DESK, sims_a_handset=None, handsets_a_sim=None)
    assert not is_ring(group(blind), easy)
    assert is_ring(group(replace(blind, turnover=3.0)), values)


def test_handsets_that_are_shared_say_little_where_nothing_is_used_up() -> None:
    def said(facts: Facts) -> float:
        return {s.name: s.nats for s in group(facts).signs}["sims_a_handset"]

    assert said(CENTRE) == said(replace(FLOOR, span_days=6)) > 6
    assert said(FLOOR) == 1.5
    assert said(replace(FLOOR, named=1)) == said(replace(FLOOR, turnover=2.0)) == said(CENTRE)
    # telephones with two slots, all of them, from their first days on
    young = replace(FLOOR, span_days=6)
    assert said(replace(young, slots=young.shared)) == 1.5 < said(replace(young, slots=1))
    assert said(replace(young, slots=young.shared, named=1)) == said(CENTRE)
    assert said(replace(CENTRE, turns=6)) < 0  # as if nobody shared the other two
    assert not is_ring(group(FLOOR), RINGS.values({}))


def test_lines_that_stay_say_less_against_than_how_many_centres_change_them() -> None:
    steady = {s.name: s.nats for s in group(OFFICE).signs}
    assert steady["sims_a_handset"] == pytest.approx(np.log(0.5 + 0.5 * np.exp(-2.05)), abs=0.01)
    assert -0.7 < steady["turnover"] < -0.4


def test_strangers_abroad_make_a_ring_and_a_business_speaks_against() -> None:
    values = RINGS.values({})
    plain = replace(OFFICE, talk_s=60, back_share=0.0, registered=0.0, business=0.0, age=None)
    assert not is_ring(group(replace(plain, abroad=0.5)), values)
    away = replace(plain, abroad=0.95)
    assert {s.name: s.nats for s in group(away).signs}["abroad"] == pytest.approx(2.7)
    assert is_ring(group(away), values)
    assert not is_ring(group(replace(away, business=1.0)), values)


def test_new_sims_speak_for_and_old_ones_against_but_make_no_ring() -> None:
    def said(told: int, young: int, usual: float = 0.05) -> float:
        signs_ = group(replace(CENTRE, age=Age(told, young, usual))).signs
        return {s.name: s.nats for s in signs_}.get("new_sims", 0.0)

    assert said(0, 0) == 0
    assert said(20, 18) == 1.5
    assert said(20, 0) == -1.5
    assert -1.5 < said(2, 0) < -0.5 < 0 < said(2, 1) < 1.5
    assert said(20, 9, usual=0.45) == pytest.approx(0, abs=0.01)  # everybody's are new
    clean = replace(OFFICE, registered=0.0, business=0.0, talk_s=60, back_share=0.0, lines=400)
    bought = replace(clean, age=Age(400, 400, 0.05))
    assert not is_ring(group(bought), {**RINGS.values({}), "evidence": 0})


def test_riders_who_share_handsets_must_stay_to_be_a_ring() -> None:
    young = replace(FLOOR, span_days=6, talk_s=60, back_share=0.0)
    assert is_ring(group(young), RINGS.values({}))
    assert not is_ring(group(replace(young, still=0.7)), RINGS.values({}))


def test_a_business_speaks_half_where_sims_do_not_keep_their_handsets() -> None:
    def against(facts: Facts) -> float:
        return {s.name: s.nats for s in group(replace(facts, business=0.6)).signs}["business"]

    assert against(CENTRE) == pytest.approx(-1.0)
    assert against(OFFICE) == against(replace(CENTRE, turns=6)) == pytest.approx(-2.0)


@pytest.mark.parametrize(("name", "factor"), [("hours", 2), ("again", 3), ("incoming_share", 0.5)])
def test_each_parameter_of_a_box_changes_what_is_said(name: str, factor: float) -> None:
    plain = BOXES.values({})
    other = {**plain, name: plain[name] * factor}
    assert is_box(group(BOX), plain)
    said = [[(s.name, s.nats) for s in box_signs(group(BOX), v)] for v in (plain, other)]
    assert said[0] != said[1]
    assert not is_box(group(replace(BOX, hours=9)), plain)
    assert not is_box(group(replace(BOX, incoming=0.4)), plain)


def test_a_box_of_few_calls_is_told_by_every_hour_and_by_conversations() -> None:
    values = BOXES.values({})
    seldom = replace(BOX, again=1.1, talk_s=85, named=0, victims=0)
    assert is_box(group(seldom), values)
    assert not is_box(group(replace(seldom, hours=16)), values)
    # cold calls around the clock, or calls that people complain of, are a centre's
    assert not is_box(group(replace(seldom, talk_s=30)), values)
    assert not is_box(group(replace(seldom, talk_s=None)), values)
    assert not is_box(group(replace(seldom, named=4)), values)
    assert not is_box(group(replace(seldom, victims=9)), values)


def test_lines_complained_of_with_one_account_are_paired_and_hubs_are_not() -> None:
    none = np.zeros(0, np.int32)
    numbers = [f"+92300{n:07d}" for n in range(400)]
    near = Near(
        numbers, none.astype(np.int64), none.astype(np.int8), none.astype(np.int64),
        none.astype(np.float32), none.astype(bool), none, none, none, none, none, none, none,
        none, none, none.astype(np.int64), [], [], [], [],
    )  # fmt: skip
    rows = [(numbers[3], "MULE"), (numbers[7], "MULE"), (numbers[9], "ALONE"), (None, "MULE")]
    rows += [(number, "BANK") for number in numbers[100:390]]
    table = pa.table(
        {
            "complaint_id": pa.array([f"C{n}" for n in range(len(rows))]),
            "suspect_number": pa.array([r[0] for r in rows], pa.string()),
            "suspect_account": pa.array([r[1] for r in rows], pa.string()),
            **{
                c: pa.nulls(len(rows), pa.string())
                for c in ("suspect_wallet", "suspect_handle", "suspect_url")
            },
        }
    )
    assert {c.name for c in COMPLAINTS.columns} >= set(table.column_names)
    assert complained_together(near, np.arange(400), table) == [(3, 7)]
    assert complained_together(near, np.array([7, 9]), table) == []
    assert complained_together(near, np.arange(400), None) == []


START = datetime(2026, 3, 2, tzinfo=UTC)


def parquet(path: Path, rows: int = 40, unit: str = "us", **columns: pa.Array) -> Path:
    at = pa.array([START + timedelta(minutes=n) for n in range(rows)], pa.timestamp("us", "UTC"))
    table = {
        "start": at.cast(pa.timestamp(unit, "UTC")),
        "kind": pa.array(["voice"] * rows),
        "caller": pa.array([f"+9230000000{n % 10:02d}" for n in range(rows)]),
        "callee": pa.array([f"+9230100000{n % 7:02d}" for n in range(rows)]),
        "duration_s": pa.array([30.0] * rows),
        **columns,
    }
    pq.write_table(pa.table(table), path)
    return path


def test_a_parquet_file_of_the_right_types_is_searched_where_it_is(tmp_path: Path) -> None:
    result = find([parquet(tmp_path / "calls.parquet")])
    assert (result.counts.read, result.counts.kept, result.counts.refused) == (40, 40, 0)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("kind", "fax", "kind is neither voice nor sms"),
        ("caller", None, "caller is missing"),
        ("callee", "3.0e11", "callee is in scientific notation: its digits are gone"),
        ("start", datetime(1971, 1, 1, tzinfo=UTC), "start lies before 1990 or after 2099"),
    ],
)
def test_one_that_holds_what_is_none_is_read_row_by_row(
    column: str, value: object, reason: str, tmp_path: Path
) -> None:
    path = parquet(tmp_path / "calls.parquet")
    table = pq.read_table(path)
    odd = table[column].to_pylist()
    odd[4] = value
    at = table.schema.get_field_index(column)
    pq.write_table(
        table.set_column(at, column, pa.array(odd, table.schema.field(column).type)), path
    )
    result = find([path])
    assert [(name, r.row, r.reason) for name, r in result.refusals] == [
        ("calls.parquet", 5, reason)
    ]
    assert (result.counts.read, result.counts.kept, result.counts.refused) == (40, 39, 1)


def test_national_numbers_and_nanoseconds_are_read_first(tmp_path: Path) -> None:
    national = pa.array([f"030000000{n % 10:02d}" for n in range(40)])
    for path in (
        parquet(tmp_path / "national.parquet", caller=national),
        parquet(tmp_path / "ns.parquet", unit="ns"),
    ):
        result = find([path])
        assert (result.counts.kept, result.counts.refused) == (40, 0)


def test_the_same_file_given_twice_counts_once(tmp_path: Path) -> None:
    path = parquet(tmp_path / "calls.parquet")
    counts = find([path, path]).counts
    assert (counts.read, counts.kept, counts.repeated) == (80, 40, 40)


def test_a_span_leaves_the_rest_out(tmp_path: Path) -> None:
    path = parquet(tmp_path / "calls.parquet")
    result = find([path], since=START + timedelta(minutes=10), until=START + timedelta(minutes=20))
    assert result.findings == ()


def test_a_ring_says_how_new_its_sims_were_beside_what_is_usual(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    centre = town.centre("1", cell="410-01-9-1")
    register = tmp_path / "subscribers.csv"
    days = dict.fromkeys(PEOPLE, "2020-05-01") | dict.fromkeys(centre, "2026-02-20")
    days |= dict.fromkeys(PEOPLE[::20], "2026-02-25")
    register.write_text("number,activated\n" + "".join(f"{n},{d}\n" for n, d in days.items()))
    calls = town.write(tmp_path / "calls.csv")
    told = [
        r for f in rings(calls, subscribers=register) for r in f.reasons if r.name == "new_sims"
    ]
    assert [r.value for r in told] == [1.0]
    assert "100% of its SIMs were new" in told[0].says
    usual = re.search(r"usual is (\d+)%", told[0].says)
    assert usual is not None
    assert 2 <= int(usual[1]) <= 9
    assert not any(r.name == "new_sims" for f in rings(calls) for r in f.reasons)
