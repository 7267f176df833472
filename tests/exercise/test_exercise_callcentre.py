"""The world “callcentre”: what it writes can be read, holds what it promises, and is the same."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from cordon.calls import read_calls, read_register
from cordon.exercise import Inputs, Truth, read_truths, world
from cordon.exercise.worlds import callcentre
from cordon.exercise.worlds.calling import nation as parts
from cordon.exercise.worlds.calling.accounts import Accounts
from cordon.exercise.worlds.calling.cards import Cards, Hourly, Slots
from cordon.exercise.worlds.calling.centres import Centre
from cordon.exercise.worlds.calling.complaints import Known, complaints
from cordon.exercise.worlds.calling.drawing import DAY, chance, drawn, ranks
from cordon.exercise.worlds.calling.lines import Handsets, Lines, Serials
from cordon.exercise.worlds.calling.money import Flows
from cordon.exercise.worlds.calling.nation import Nation
from cordon.exercise.worlds.calling.rows import SCHEMA
from cordon.exercise.worlds.calling.victims import Victims
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput
from cordon.kernel.geo import bearing_deg, distance_m

DATA: dict[str, Any] = yaml.safe_load(
    Path(callcentre.__file__).with_suffix(".yaml").read_text("utf-8")
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return world("callcentre").generate(5, 5.0, 0.02, tmp_path_factory.mktemp("callcentre"))


@pytest.fixture(scope="module")
def truths(made: Inputs) -> list[Truth]:
    return list(read_truths(made.files["truth"]))


@pytest.fixture(scope="module")
def calls(made: Inputs) -> dict[str, np.ndarray]:
    table = pq.read_table(made.files["calls"])
    return {n: table[n].to_numpy(zero_copy_only=False) for n in table.column_names}


@pytest.fixture(scope="module")
def lived() -> Nation:
    """The same world as `made` before it lives, to look behind the files."""
    span = 5.0 * DAY
    return Nation(DATA, 5, 0.02, datetime(2026, 1, 17, tzinfo=UTC).date(), 0.0, span)


def numbers(truth: Truth) -> set[str]:
    return {s[7:] for s in truth.subjects if s.startswith("number:")}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


# the files


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    one, two, three = (
        world("callcentre").generate(seed, 1.3, 0.01, tmp_path / name)
        for seed, name in ((1, "a"), (1, "b"), (2, "c"))
    )
    for name in one.files:
        assert one.files[name].read_bytes() == two.files[name].read_bytes(), name
    for name in ("calls", "cells", "subscribers", "accounts", "payments", "truth"):
        assert one.files[name].read_bytes() != three.files[name].read_bytes(), name


def test_files_have_the_columns_of_the_formats(made: Inputs) -> None:
    assert pq.read_schema(made.files["calls"]).equals(SCHEMA)
    headers = {
        "cells": "cell,lat,lon,azimuth_deg,beamwidth_deg,range_m",
        "subscribers": "number,holder_name,holder_id,activated,kind",
        "complaints": "complaint_id,received,occurred,victim_number,suspect_number,suspect_account,"
        "suspect_handle,suspect_wallet,suspect_url,loss_amount,currency,narrative",
        "accounts": "account,bank,holder_name,holder_id,phone,opened,kind",
        "payments": "payment_id,at,from_account,to_account,amount,currency,channel,from_bank,"
        "to_bank,note",
    }
    for name, header in headers.items():
        with made.files[name].open(encoding="utf-8") as lines:
            assert next(lines).strip() == header
        assert len(rows(made.files[name])) == made.rows[name]
    assert json.loads(made.files["world"].read_bytes())["name"] == "callcentre"


def test_rows_are_in_order_and_within_the_span(made: Inputs, calls: dict[str, np.ndarray]) -> None:
    start = calls["start"]
    assert (np.diff(start) >= np.timedelta64(0)).all()
    assert start[0] >= np.datetime64(made.start.replace(tzinfo=None))
    assert start[-1] < np.datetime64(made.end.replace(tzinfo=None))
    assert made.rows["calls"] == len(start)


def test_cordon_reads_every_row(made: Inputs) -> None:
    reading = read_calls(made.files["calls"])
    for batch in reading:
        assert not batch.refusals
    assert reading.counts.kept == made.rows["calls"]
    register = read_register(made.files["subscribers"])
    assert register.counts.kept == made.rows["subscribers"]
    kinds = set(register.holders.values())
    assert {"person", "business", "registered_call_centre", "government"} <= kinds


@pytest.mark.parametrize(("days", "scale"), [(0, 1), (1, 0), (1e9, 1), (float("nan"), 1)])
def test_sizes_out_of_bounds_are_refused(days: float, scale: float, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        world("callcentre").generate(1, days, scale, tmp_path)


@pytest.mark.parametrize("step", ["write_subscribers", "write_complaints"])
def test_an_interruption_leaves_the_folder_as_it_was(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> int:
        raise KeyboardInterrupt

    (tmp_path / "notes.txt").write_text("mine")
    monkeypatch.setattr(parts, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        world("callcentre").generate(1, 0.2, 0.005, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_a_start_at_noon_gives_the_rest_of_the_day(tmp_path: Path) -> None:
    noon = datetime(2026, 6, 1, 7, 30, 5, tzinfo=UTC)
    half = world("callcentre").generate(1, 0.4, 0.005, tmp_path, start=noon)
    start = pq.read_table(half.files["calls"], columns=["start"])["start"].to_pylist()
    assert noon <= min(start) < noon + timedelta(minutes=5)
    assert max(start) < noon + timedelta(days=0.4)


# what was planted


def test_truths_are_well_formed(made: Inputs, truths: list[Truth]) -> None:
    kinds = Counter(t.kind for t in truths)
    money = {"money.call_then_pay", "money.mule", "money.pattern"}
    assert set(kinds) == {"calls.call_centre", "calls.simbox", "calls.number_succession", *money}
    assert kinds["calls.call_centre"] >= 2
    for truth in truths:
        assert made.start <= truth.start < truth.end <= made.end
        types = {s.partition(":")[0] for s in truth.subjects}
        if truth.kind in money:
            assert types == {"account"}
            assert len(truth.subjects) == 1 or truth.kind == "money.pattern"
            assert truth.place is None
            continue
        if truth.kind == "calls.simbox":
            assert types == {"number", "imsi", "imei"}
        else:
            assert types == {"number"}
        if truth.kind == "calls.number_succession":
            assert len(truth.subjects) == 2
            assert truth.place is None
        else:
            assert truth.place is not None
            assert truth.place["type"] == "Point"


def test_truth_has_just_the_numbers_that_were_used_enough(
    lived: Nation, truths: list[Truth], calls: dict[str, np.ndarray]
) -> None:
    voice = calls["kind"] == "voice"
    made = Counter(calls["caller"][voice])
    taken = Counter(calls["callee"][voice & (calls["duration_s"] > 0)])
    text = lived.lines.number_strings().to_pylist()
    told = [numbers(t) for t in truths if t.kind == "calls.call_centre"]
    for centre in lived.centres:
        own = {text[i] for i in centre.cards}
        enough = {n for n in own if made[n] >= 3 or (centre.own["inbound"] and taken[n] >= 3)}
        assert not enough or enough in told


def test_planted_numbers_call_from_the_place(
    made: Inputs, truths: list[Truth], calls: dict[str, np.ndarray]
) -> None:
    cells = {r["cell"]: r for r in rows(made.files["cells"])}
    for truth in truths:
        if truth.kind != "calls.call_centre":
            continue
        assert truth.place is not None
        lon, lat = truth.place["coordinates"]
        own = np.isin(calls["caller"], list(numbers(truth)))
        heard = [cells[c] for c in calls["caller_cell"][own]]
        column = {
            k: np.array([float(c[k]) for c in heard])
            for k in ("lat", "lon", "azimuth_deg", "range_m", "beamwidth_deg")
        }
        far = distance_m(column["lat"], column["lon"], lat, lon)
        assert np.mean(far < 2.0 * column["range_m"]) > 0.8
        off = bearing_deg(column["lat"], column["lon"], lat, lon) - column["azimuth_deg"]
        off = np.abs((off + 180.0) % 360.0 - 180.0)
        assert np.mean((off < 75.0) | (far < 150.0)) > 0.7


def test_workers_own_phones_call_from_the_place_and_are_in_no_truth(
    lived: Nation, truths: list[Truth], calls: dict[str, np.ndarray]
) -> None:
    planted = set().union(*(numbers(t) for t in truths if t.kind == "calls.call_centre"))
    text = lived.lines.number_strings().to_pylist()
    for centre in lived.centres:
        own = {text[i] for i in lived.people.line[centre.team]}
        assert not own & planted
        there = set(calls["caller_cell"][np.isin(calls["caller"], list(planted))])
        theirs = calls["caller_cell"][np.isin(calls["caller"], list(own))]
        assert np.isin(theirs, list(there)).sum() >= 3


def test_successions_pass_from_one_number_to_the_other(
    truths: list[Truth], calls: dict[str, np.ndarray]
) -> None:
    pairs = [numbers(t) for t in truths if t.kind == "calls.number_succession"]
    assert len(pairs) >= 20
    clean = kept = 0
    for pair in pairs:
        one, two = ((calls["caller"] == n) for n in sorted(pair))
        if calls["start"][one].min() > calls["start"][two].min():
            one, two = two, one
        clean += calls["start"][one].max() < calls["start"][two].min()
        kept += bool(set(calls["callee"][one]) & set(calls["callee"][two]))
    assert clean == len(pairs)
    assert kept > 0.6 * len(pairs)


def test_boxes_call_people_and_take_nearly_nothing(
    truths: list[Truth], calls: dict[str, np.ndarray]
) -> None:
    for truth in truths:
        if truth.kind == "calls.simbox":
            own = list(numbers(truth))
            made = np.isin(calls["caller"], own).sum()
            assert np.isin(calls["callee"], own).sum() < 0.15 * made
            imeis = {s[5:] for s in truth.subjects if s.startswith("imei:")}
            seen = set(calls["caller_imei"][np.isin(calls["caller"], own)])
            assert seen <= imeis


def test_the_hard_innocents_are_there(
    lived: Nation, truths: list[Truth], calls: dict[str, np.ndarray]
) -> None:
    planted = set().union(*(numbers(t) for t in truths if t.kind != "calls.number_succession"))
    text = lived.lines.number_strings().to_pylist()
    made = Counter(calls["caller"])
    for trade in lived.trades.trades:
        own = {text[i] for i in lived.people.line[trade.phone]}
        assert not own & planted, trade.name
        if (trade.values["first"] < 5).any() and (trade.values["last"] > 1).any():
            assert sum(made[n] for n in own) > 0, trade.name
    # one handset with very many cards that is a shop's, and a card in very many handsets
    by_imei: dict[str, set[str]] = {}
    for imei, number in zip(calls["caller_imei"], calls["caller"], strict=True):
        if imei is not None and number not in planted:
            by_imei.setdefault(imei, set()).add(number)
    assert max(map(len, by_imei.values())) > 20


def test_identities_check(calls: dict[str, np.ndarray]) -> None:
    imeis = {i for i in calls["caller_imei"][:3000] if i is not None}
    for imei in imeis:
        digits = [int(d) for d in reversed(imei)]
        doubled = [d * 2 - 9 if d > 4 else d * 2 for d in digits[1::2]]
        assert len(digits) == 15
        assert (sum(digits[0::2]) + sum(doubled)) % 10 == 0
    away = calls["caller_imsi"][:3000]
    assert all(i is None or len(i) == 15 for i in away)


def test_people_rest_at_night_and_call_whom_they_know(calls: dict[str, np.ndarray]) -> None:
    hour = (calls["start"].astype("datetime64[h]").astype(int) + 5) % 24
    assert np.isin(hour, [1, 2, 3, 4]).mean() < 0.05
    pairs = Counter(zip(calls["caller"], calls["callee"], strict=True))
    assert sum(n > 1 for n in pairs.values()) > 0.2 * len(pairs)


# complaints and money


def test_complaints_have_the_promised_errors() -> None:
    rng = np.random.default_rng(3)
    data = drawn(DATA["complaints"], rng) | {
        "victims": 1.0, "missing": 0.3, "wrong_digit": 0.05, "innocent": 0.03, "unrelated": 0.5,
    }  # fmt: skip
    centre = Centre(0, {"tells": ["They rang."]}, "plain", 0, 0.0, 9e9, 9, 7, np.arange(3))
    centre.handles, centre.urls, centre.wallets = ["@a1"], ["https://a.example/x"], ["T1"]
    n = 4000
    victims = (
        np.zeros(n, np.int32),
        np.arange(n, dtype=np.int32),
        np.zeros(n, np.int32),
        np.linspace(0, 1e6, n),
        np.full(n, 9000.0),
    )
    numbers = [f"+9238100{i:05d}" for i in range(n + 10)]
    known = Known(
        numbers, ["PK1", "PK2"], np.array([1]), np.array([2, 3]), np.arange(n), np.array([1])
    )
    told = complaints(data, [centre], victims, np.zeros(n, int), known, (0.0, 9e6), rng)
    related = [c for c in told if c["narrative"] == "They rang."]
    assert len(related) == n
    assert 0.35 * n < len(told) - n < 0.65 * n
    suspect = Counter(
        "missing" if not c["suspect_number"]
        else "right" if c["suspect_number"] == numbers[0]
        else "innocent" if c["suspect_number"] in numbers[1:4]
        else "wrong"
        for c in related
    )  # fmt: skip
    assert suspect["missing"] / n == pytest.approx(0.3, abs=0.03)
    # a wrong digit may hit one of the innocents
    assert suspect["wrong"] / n == pytest.approx(0.05, abs=0.015)
    assert suspect["innocent"] / n == pytest.approx(0.03, abs=0.015)
    for c in related:
        assert any(c[k] for k in c if str(k).startswith("suspect_"))
        assert 0 < c["received_s"] - victims[3][int(c["victim"])] <= 10 * DAY + 1e-3


def test_payments_are_between_accounts_that_there_are(made: Inputs) -> None:
    accounts = {r["account"] for r in rows(made.files["accounts"])}
    paid = rows(made.files["payments"])
    ends = {r[e] for r in paid for e in ("from_account", "to_account")}
    assert all(a.startswith("AE00") for a in ends - accounts)  # abroad, which no file here tells
    assert not any(a.startswith("AE00") for a in accounts)
    assert {r["channel"] for r in paid if r["to_account"] not in accounts} == {"foreign"}
    assert all(float(r["amount"]) > 0 for r in paid)
    assert [r["at"] for r in paid] == sorted(r["at"] for r in paid)
    assert 0.05 < len(paid) / (6000 * 5) < 0.4


def test_victims_pay_mules_after_the_call(lived: Nation, tmp_path: Path) -> None:
    money, n = lived.values["money"], 300
    accounts = Accounts(money, lived.people, lived.lines, lived.centres, np.random.default_rng(1))
    victims = Victims()
    victims.centre.append(np.full(n, lived.centres[0].index))
    victims.who.append(np.arange(n))
    victims.line.append(np.full(n, lived.centres[0].cards[0]))
    victims.t.append(np.linspace(0, DAY, n))
    victims.lost.append(np.full(n, 7_700.0))
    flows = Flows(money, accounts, lived.people, lived.circles, np.random.default_rng(2))
    paid = flows.fraud(victims, lived.centres)
    assert np.isin(paid, lived.centres[0].mules).all()
    path = tmp_path / "payments.csv"
    flows.write(path, datetime(2026, 1, 17, tzinfo=UTC), 0.0, 90 * DAY)
    names = accounts.names().to_pylist()
    mules = {names[m] for m in lived.centres[0].mules}
    told = rows(path)
    into = sum(float(r["amount"]) for r in told if r["to_account"] in mules
               and r["from_account"] not in mules)  # fmt: skip
    assert into == pytest.approx(n * 7_700, rel=0.02)
    out = [r for r in told if r["from_account"] in mules and r["to_account"] not in mules]
    assert {r["channel"] for r in out} == {"cash_out", "crypto", "hawala"}
    for i in range(0, n, 30):
        own = names[accounts.of_person[i]] if accounts.of_person[i] >= 0 else None
        if own is not None:
            first = min(r["at"] for r in told if r["from_account"] == own)
            after = datetime(2026, 1, 17, tzinfo=UTC) + timedelta(seconds=i * DAY / n)
            assert parse_time(first) > after


# the parts


def test_a_raided_centre_opens_again_elsewhere() -> None:
    found = 0
    for seed in range(3):
        made = Nation(DATA, seed, 0.01, datetime(2026, 1, 17, tzinfo=UTC).date(), 0.0, 20 * DAY)
        for centre in made.centres:
            if centre.earlier is not None:
                found += 1
                old = made.centres[centre.earlier]
                assert DAY < centre.begin - old.end < 8 * DAY
                assert centre.spot != old.spot
                assert not set(centre.cards) & set(old.cards)
                assert set(centre.sets) & set(old.sets)
                assert set(centre.team) == set(old.team)
    assert found >= 3


def test_types_differ_by_seed_and_two_share_a_floor() -> None:
    kinds: Counter[str] = Counter()
    shared = 0
    for seed in range(12):
        made = Nation(DATA, seed, 0.005, datetime(2026, 1, 17, tzinfo=UTC).date(), 0.0, 2 * DAY)
        kinds.update(c.kind for c in made.centres)
        spots = Counter(c.spot for c in made.centres)
        if any(c.kind == "floor" for c in made.centres):
            shared += 1
            assert max(spots.values()) >= 2
    assert len(kinds) >= 6
    assert shared >= 1


def _cards(own: dict[str, Any], rng: np.random.Generator) -> tuple[Cards, Lines]:
    lines = Lines(DATA["networks"], DATA["foreign"], 5000, rng)
    base = {"networks": 2, "packs": 0.5, "foreign": 0.1, "unlisted": 0.2, "one_model": 0.5}
    sets = Handsets(99000200, 40, rng)
    return Cards(base | {"old_sets": 0.0} | own, lines, sets, 1, np.empty(0, int), rng), lines


def test_slots_keep_a_card_for_its_life_in_one_handset() -> None:
    rng = np.random.default_rng(1)
    cards, _ = _cards({}, rng)
    own = {"handsets": 2, "cards": 3, "life_days": 3.0, "run": 5}
    slots = Slots(own, 4, 0.0, 20 * DAY, cards, rng)
    t = np.sort(rng.uniform(0, 20 * DAY, 4000))
    seat = rng.integers(0, 4, 4000)
    line, handset = slots.assign(seat, rng.integers(0, 60, 4000), t)
    assert (line >= 0).all()
    assert len(np.unique(handset)) == 8
    for one in np.unique(line):
        own_t = t[line == one]
        assert own_t.max() - own_t.min() < 3.0 * 1.6 * DAY
        assert len(np.unique(handset[line == one])) == 1


def test_hourly_cards_go_through_many_handsets() -> None:
    rng = np.random.default_rng(2)
    cards, lines = _cards({}, rng)
    own = {"pool": 3.0, "handsets": 2.0, "life_days": 5.0, "every_h": 1.0}
    turns = Hourly(own, 5, 0.0, 5 * DAY, cards, rng)
    t = np.sort(rng.uniform(0, 5 * DAY, 3000))
    seat = rng.integers(0, 5, 3000)
    line, handset = turns.assign(seat, np.zeros(3000, int), t)
    many = [len(np.unique(handset[line == one])) for one in np.unique(line)]
    assert np.median(many) > 3
    hour = np.floor(t / 3600.0)
    for h in np.unique(hour)[:20]:
        used = {(s, n) for s, n in zip(seat[hour == h], line[hour == h], strict=True)}
        # one card a seat, and none at two seats at once
        assert len(used) == len({s for s, _ in used}) == len({n for _, n in used})
    assert (lines.owner[line] == 1).all()


def test_serials_are_given_once() -> None:
    serials = Serials(np.random.default_rng(4), 1000)
    given = np.concatenate([serials.scattered(137), serials.runs(55), serials.scattered(900)])
    assert len(np.unique(given)) == len(given)
    run = Serials(np.random.default_rng(4), 1000).runs(30)
    assert (np.diff(run) == 1).sum() >= 27


def test_draws_and_hashes() -> None:
    rng = np.random.default_rng(0)
    tree = {"a": [1, 3], "b": [0.5, 0.6], "c": [1, 2, 3], "d": [{"e": [2, 2]}], "f": "x"}
    got = drawn(tree, rng)
    assert got["a"] in (1, 2, 3)
    assert 0.5 <= got["b"] <= 0.6
    assert got["c"] == [1, 2, 3]
    assert got["d"] == [{"e": 2}]
    u = chance(np.arange(20_000), 7)
    assert (u == chance(np.arange(20_000), 7)).all()
    assert abs(u.mean() - 0.5) < 0.01
    assert ranks(np.array([2, 0, 3])).tolist() == [0, 1, 0, 1, 2]
