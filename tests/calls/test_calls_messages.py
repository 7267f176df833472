"""SIMs that send messages and do little else: of a ring where they work from its handsets."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from support.town import DAY0, DAYS, PEOPLE, Town, numbers, rings

ROOM = "410-01-9-1"


LURE = "+923338880001"


def texts(town: Town, sender: str, imei: str, cell: str, a_day: int = 30) -> str:
    """Messages to strangers through the working day, none of which is answered."""
    for day in range(DAYS):
        for _ in range(a_day):
            start = DAY0 + timedelta(days=day, hours=town.rng.uniform(11, 20) - 5)
            whom, imsi = town.rng.choice(PEOPLE), "41001" + sender[-10:].rjust(10, "0")
            town.rows.append((start, 0, "sms", sender, whom, imsi, imei, cell, "", ""))
    return sender


@pytest.mark.parametrize("every", ["each of its SIMs called", "some of its SIMs wrote alone"])
def test_sims_that_only_write_from_a_rings_handsets_are_of_it(every: str, tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    used = town.centre("1", cell=ROOM)
    if every != "each of its SIMs called":
        used |= {texts(town, f"+9234777{n:05d}", f"861{n:011d}5", ROOM) for n in range(4)}
    # a clinic that sends reminders from next door, a bank by its name, a lost parcel's courier
    texts(town, "+923335550001", "352000000000990", ROOM)
    texts(town, "MYBANK", "", "")
    texts(town, "+923335550002", "352000000000991", "410-01-77-5")
    (ring,) = rings(town.write(tmp_path / "calls.csv"))
    assert numbers(ring) == used


def test_who_writes_from_a_telephone_of_the_ring_once_is_not_of_it(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    used = town.centre("1", cell=ROOM)
    lent = texts(town, "+923335550003", "352000000000992", "410-01-77-5")
    town.rows.append((DAY0, 0, "sms", lent, PEOPLE[7], "", f"861{0:011d}5", ROOM, "", ""))
    (ring,) = rings(town.write(tmp_path / "calls.csv"))
    assert numbers(ring) == used


@pytest.mark.parametrize("lured", [True, False])
def test_who_writes_to_those_who_then_call_a_ring_is_of_it(lured: bool, tmp_path: Path) -> None:
    """A refund scam writes from a gateway of its own and waits to be called elsewhere."""
    town = Town()
    town.everybody()
    lines = [f"+92336{n:07d}" for n in range(5)]
    callers = []
    for line in lines:
        imei = f"86{line[-12:]}5"
        for day in range(DAYS):
            for person in town.rng.sample(PEOPLE, 6):
                callers.append(person)
                hour = town.rng.uniform(11, 19)
                town.call(day, hour, person, line, 200, "", "410-01-77-1", imei, ROOM)
                if lured and town.rng.random() < 0.3:
                    start = DAY0 + timedelta(days=day, hours=hour - 7)
                    row = (start, 0, "sms", LURE, person, "410013338880001", "352000000000995")
                    town.rows.append((*row, "410-01-88-1", "", ""))
    for sender in (LURE, "+923338880002"):
        texts(town, sender, "352000000000995", "410-01-88-1", a_day=20)
    complained = tmp_path / "complaints.csv"
    complained.write_text(
        "complaint_id,received,suspect_number,victim_number,loss_pkr\n"
        + "".join(
            f"C{n},2026-03-10T08:00:00Z,{lines[n % 5]},{callers[n]},40000\n" for n in range(14)
        )
    )
    (ring,) = rings(town.write(tmp_path / "calls.csv"), complaints=complained)
    assert numbers(ring) == {*lines, *([LURE] if lured else [])}
