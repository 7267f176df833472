"""Exercises on a node: when findings were told, and what no detector looks for."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from cordon.exercise import Exercise, Truth
from cordon.exercise.service import MARK, Pictured
from cordon.exercise.tables import RunRow
from cordon.kernel import leads
from cordon.kernel.cards import Card
from cordon.kernel.findings import Finding
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel
from cordon.web.rendering import Page, Templates

ENTRY, SHARED = "picture.zone_entry", "picture.shared_identity"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def room(kernel: Kernel, tmp_path: Path) -> Exercise:
    return Exercise(kernel, cast(Pictured, None), tmp_path, looked_for={ENTRY})


@pytest.fixture
def played(kernel: Kernel, noon: datetime) -> None:
    """An exercise whose live part began at noon: two entries before it, one after, and more."""
    truths = [
        Truth(ENTRY, ("mmsi:1",), noon - 300 * MINUTE, noon - 240 * MINUTE),
        Truth(ENTRY, ("mmsi:2",), noon - 20 * MINUTE, noon + 20 * MINUTE),
        Truth(ENTRY, ("mmsi:3",), noon + 10 * MINUTE, noon + 70 * MINUTE),
        Truth(SHARED, ("mmsi:4",), noon - 100 * MINUTE, noon - 10 * MINUTE),
    ]
    with kernel.work(kernel.node) as work:
        work.session.add(
            RunRow(
                id=new_id(), agency=kernel.agency, mark=MARK, created_at=work.now, world="watch",
                seed=7, days=2.0, scale=1.0, state="playing", begins=noon, shift_s=0.0,
                truth=[t.to_dict() for t in truths],
            )
        )  # fmt: skip


def keep(kernel: Kernel, subject: str, start: datetime, end: datetime) -> None:
    finding = Finding.make(
        kind=ENTRY, subjects=[subject], start=start, end=end, confidence=0.9, reasons=[],
        records=[], detector=ENTRY, version="1",
    )  # fmt: skip
    card = Card(ENTRY, ENTRY, "1", "Entered", "Entries.", "serious", {}, (), ())
    with kernel.work(kernel.node) as work:
        leads.keep(work, [finding], {ENTRY: card})


@pytest.mark.usefixtures("played")
def test_a_delay_ends_when_the_node_kept_the_finding(
    kernel: Kernel, room: Exercise, clock: Any, noon: datetime, officers: dict[str, Any]
) -> None:
    def kind() -> dict[str, Any]:
        (run,) = room.runs(officers["supervisor"])
        return next(k for k in run.score["kinds"] if k["kind"] == ENTRY)

    clock.advance(MINUTE)
    keep(kernel, "mmsi:1", noon - 300 * MINUTE, noon - 240 * MINUTE)  # of the imported past
    keep(kernel, "mmsi:2", noon - 20 * MINUTE, noon + MINUTE)
    clock.advance(11 * MINUTE)
    keep(kernel, "mmsi:3", noon + 10 * MINUTE, noon + 12 * MINUTE)
    assert (kind()["found"], kind()["median_delay_s"]) == (1, None)
    clock.advance(80 * MINUTE)
    keep(kernel, "mmsi:3", noon + 10 * MINUTE, noon + 70 * MINUTE)  # the same, and it has grown
    assert (kind()["truths"], kind()["found"], kind()["median_delay_s"]) == (3, 3, 120)
    (run,) = room.runs(officers["supervisor"])
    assert run.score["days"] == pytest.approx((300 + 92) / 1440)


@pytest.mark.usefixtures("played")
def test_what_no_detector_looks_for_has_failed_nothing(
    room: Exercise, clock: Any, officers: dict[str, Any]
) -> None:
    clock.advance(MINUTE)
    runs = room.runs(officers["supervisor"])
    kinds = {k["kind"]: k for k in runs[0].score["kinds"]}
    assert (kinds[SHARED]["looked_for"], kinds[SHARED]["truths"]) == (False, 1)
    assert (kinds[SHARED]["recall"], kinds[SHARED]["f1"]) == (None, None)
    assert (kinds[ENTRY]["looked_for"], kinds[ENTRY]["recall"]) == (True, 0.0)
    page = Templates(zone="Asia/Karachi").render(
        "exercise/exercise.html", "en", page=Page(title="Exercise"), runs=runs, worlds=[],
        may_start=False, refused="",
    )  # fmt: skip
    rows = {r.partition("</td>")[0].rpartition(">")[2]: r for r in page.split("<tr>")[2:]}
    assert "No detector" in rows[SHARED]
    assert "0" not in rows[SHARED].partition("No detector")[2].partition("</tr>")[0]
    assert "No detector" not in rows[ENTRY]
