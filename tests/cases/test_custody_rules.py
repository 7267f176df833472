"""The chain of custody holds, or says where and why it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordon.cases.custody import Rule, check, custody_of, would_break
from cordon.cases.model import CustodyAct, CustodyEvent
from cordon.kernel.clock import parse_time

START = parse_time("2026-03-01T08:00:00Z")
ONE, TWO, STORE = "officer:one", "officer:two", "store:main"


def event(
    hours: float, act: str, by: str = "one", giver=None, taker=None, seal=None, exhibit="x", note=""
):
    return CustodyEvent(
        id=f"{exhibit}-{hours}-{act}",
        exhibit=exhibit,
        at=START + timedelta(hours=hours),
        act=CustodyAct(act),
        by=by,
        from_holder=giver,
        to_holder=taker,
        seal_number=seal,
        note=note,
    )


def good() -> list[CustodyEvent]:
    return [
        event(0, "received", giver="person:master", taker=ONE),
        event(1, "sealed", seal="S-1"),
        event(2, "moved", giver=ONE, taker=STORE, seal="S-1"),
        event(3, "moved", by="two", giver=STORE, taker=TWO, seal="S-1"),
        event(4, "examined", by="two", seal="S-1"),
        event(5, "copied", by="two"),
        event(6, "sealed", by="two", seal="S-2"),
        event(7, "released", by="two", giver=TWO, taker="court:Sindh", seal="S-2"),
        event(8, "returned", by="two", giver="court:Sindh", taker=TWO, seal="S-2"),
        event(9, "disposed", by="two", giver=TWO),
    ]


def rules(events, **more) -> list[Rule]:
    return [b.rule for b in check(events, **more)]


def test_a_good_chain_has_no_break_and_one_holder_at_each_step():
    events = good()
    assert check(events, exhibits=["x"]) == []
    holders = [custody_of(events[:n]).holder for n in range(len(events) + 1)]
    court = "court:Sindh"
    assert holders == [None, ONE, ONE, STORE, TWO, TWO, TWO, TWO, court, TWO, None]
    seals = [custody_of(events[:n]).seal for n in range(len(events) + 1)]
    assert seals == [None, None, "S-1", "S-1", "S-1", None, None, "S-2", "S-2", "S-2", None]
    assert custody_of(events).disposed
    assert custody_of(events[:4]).since == START + timedelta(hours=3)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda e: e[1:], Rule.NO_RECEIPT),
        (lambda e: [e[0], event(0.5, "received", taker=ONE), *e[1:]], Rule.RECEIVED_TWICE),
        (lambda e: [event(0, "received", giver="person:m"), e[1]], Rule.NO_RECEIVER),
        (lambda e: [*e[:2], *e[3:]], Rule.GAP),
        (lambda e: [*e[:2], event(2, "moved", taker=STORE)], Rule.GAP),
        (lambda e: [*e[:9], event(9, "disposed", by="two", giver=ONE)], Rule.GAP),
        (lambda e: [e[0], event(1, "examined", by="two")], Rule.NOT_HOLDER),
        (lambda e: [e[0], event(1, "copied", giver=STORE)], Rule.NOT_HOLDER),
        (lambda e: [*e[:2], event(2, "moved", by="two", giver=ONE, taker=STORE)], Rule.NOT_HOLDER),
        (lambda e: [*e[:2], event(2, "disposed", by="two", giver=ONE)], Rule.NOT_HOLDER),
        (lambda e: [*e[:2], event(2, "disposed", by="two", giver=ONE, taker=TWO)],
         Rule.NOT_HOLDER),
        (lambda e: [*e[:3], event(3, "moved", by="two", giver=STORE, taker="laboratory:City")],
         Rule.NO_REASON),
        (lambda e: [*e[:3], event(3, "disposed", by="two", giver=STORE, note=" ")],
         Rule.NO_REASON),
        (lambda e: [e[0], event(-1, "sealed", seal="S-1"), *e[2:]], Rule.TIME_BACK),
        (lambda e: [*e, event(10, "examined", by="two")], Rule.AFTER_DISPOSAL),
        (lambda e: [*e, event(10, "received", taker=ONE)], Rule.AFTER_DISPOSAL),
        (lambda e: [e[0], event(1, "sealed")], Rule.NO_SEAL_NUMBER),
        (lambda e: [*e[:2], event(2, "moved", giver=ONE, taker=STORE, seal="S-9")],
         Rule.SEAL_DIFFERS),
        (lambda e: [*e[:6], event(7, "moved", by="two", giver=TWO, taker=ONE, seal="S-1")],
         Rule.SEAL_DIFFERS),
    ],
)  # fmt: skip
def test_each_rule_names_its_break(change, rule):
    broken = change(good())
    assert rules(broken) == [rule]
    found = check(broken)[0]
    assert found.exhibit == "x"
    assert found.event in {e.id for e in broken}
    assert found.says.endswith(".")


def test_a_gap_says_who_had_it_and_who_gave_it():
    (gap,) = check([*good()[:2], *good()[3:]])
    assert ONE in gap.says
    assert STORE in gap.says
    assert "2026-03-01T08:00:00Z" in gap.says


def test_an_exhibit_without_a_chain_and_an_entry_after_the_end_are_breaks():
    assert rules([], exhibits=["x", "y"]) == [Rule.NO_RECEIPT, Rule.NO_RECEIPT]
    assert rules(good(), until=START + timedelta(hours=8)) == [Rule.AFTER_END]
    assert rules(good(), until=START + timedelta(hours=9)) == []


def test_entries_of_the_same_moment_are_in_order():
    assert rules([event(0, "received", taker=ONE), event(0, "moved", giver=ONE, taker=TWO)]) == []


def test_would_break_asks_before_writing():
    events = good()[:4]
    assert would_break(events, event(5, "examined", by="two")) == []
    assert [b.rule for b in would_break(events, event(5, "examined", by="one"))] == [
        Rule.NOT_HOLDER
    ]
    assert would_break([], event(0, "received", taker=ONE)) == []
    other = event(0, "received", taker=ONE, exhibit="y")
    assert would_break(events, other) == []


def test_who_gave_or_got_it_may_say_so_and_of_third_parties_whoever_says_why():
    had = good()[:2]
    assert rules([*had, event(2, "moved", giver=ONE, taker=TWO)]) == []
    assert rules([*had, event(2, "moved", by="two", giver=ONE, taker=TWO)]) == []
    stored = good()[:3]
    to_court = event(3, "released", by="two", giver=STORE, taker="court:Sindh", note="ordered")
    assert rules([*stored, to_court]) == []
    assert rules([*stored, event(3, "disposed", by="two", giver=STORE, note="ordered")]) == []


ACTS = st.sampled_from(list(CustodyAct))
HOLDERS = st.sampled_from([None, ONE, TWO, STORE, "court:Sindh"])
EVENTS = st.builds(
    event,
    hours=st.integers(0, 30),
    act=ACTS,
    by=st.sampled_from(["one", "two"]),
    giver=HOLDERS,
    taker=HOLDERS,
    seal=st.sampled_from([None, "S-1", "S-2"]),
    note=st.sampled_from(["", "by order of the court"]),
)


@given(st.lists(EVENTS, max_size=12))
def test_a_chain_without_breaks_is_what_the_rules_say(events):
    """Told again from the words of the rules, by hand, and not by the code under test."""
    if check(events):
        return
    holder, latest, gone = None, None, False
    for number, one in enumerate(events):
        assert not gone
        assert (one.act == "received") == (number == 0)
        assert latest is None or one.at >= latest
        latest = one.at
        if one.act in ("moved", "released", "returned", "disposed"):
            assert one.from_holder == holder
            hands = {holder} if one.act == "disposed" else {holder, one.to_holder}
            if holder is not None and f"officer:{one.by}" not in hands:
                assert not holder.startswith("officer:")
                assert one.note.strip()
        if one.act in ("received", "moved", "released", "returned"):
            assert one.to_holder is not None
            holder = one.to_holder
        gone = one.act == "disposed"


@given(st.data())
def test_dropping_a_transfer_is_always_noticed_when_another_follows(data):
    holders = data.draw(
        st.lists(st.sampled_from([ONE, TWO, STORE]), min_size=4, max_size=9).filter(
            lambda h: all(a != b for a, b in pairwise(h))
        )
    )
    events = [event(0, "received", taker=holders[0])]
    for hours, (giver, taker) in enumerate(pairwise(holders), 1):
        by = next(h for h in (giver, taker) if h != STORE).removeprefix("officer:")
        events.append(event(hours, "moved", by=by, giver=giver, taker=taker))
    assert check(events) == []
    at = data.draw(st.integers(0, len(events) - 2))
    broken = check(events[:at] + events[at + 1 :])
    assert [b.rule for b in broken] == ([Rule.NO_RECEIPT] if at == 0 else [Rule.GAP])


@given(st.lists(EVENTS, max_size=12), st.lists(EVENTS, max_size=12), st.data())
def test_chains_of_two_exhibits_do_not_touch(first, second, data):
    second = [replace(e, exhibit="y") for e in second]
    mixed, left, right = [], list(first), list(second)
    while left or right:
        take_left = bool(left) and (not right or data.draw(st.booleans()))
        mixed.append((left if take_left else right).pop(0))
    found = check(mixed)
    assert [b for b in found if b.exhibit == "x"] == check(first)
    assert [b for b in found if b.exhibit == "y"] == check(second)
