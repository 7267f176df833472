"""A party that passes a string of sensors is one row of the queue, and one answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cordon.kernel import leads
from cordon.kernel.cards import Card
from cordon.kernel.clock import format_time
from cordon.kernel.findings import Finding
from cordon.operations import AlertState, Filters
from cordon.operations.model import TaskingState
from cordon.operations.passing import passing_of
from cordon.operations.tables import AlertFindingRow

KIND = "picture.sensor_trip"
CARD = Card(
    kind=KIND, name=KIND, version="1", title="A sensor tripped", looks_for="x",
    seriousness="serious", parameters={}, fooled_by=(), takes=(),
)  # fmt: skip
NOTE = "A herd of goats on the camera."
MINUTE = timedelta(minutes=1)


@pytest.fixture
def tripped(kernel, make, noon):
    """`tripped(3, of=4)`: sensor 3 trips, as the last of a passing of four sensors; the alert."""

    def keep(sensor: int, of: int, start=None) -> str | None:
        begin = start or noon
        passing = [
            {
                "subject": f"sensor:S{n}",
                "start": format_time(begin + 3 * n * MINUTE),
                "end": format_time(begin + (3 * n + 1) * MINUTE),
            }
            for n in range(of)
        ]
        at = begin + 3 * sensor * MINUTE
        found: Finding = make(
            (f"sensor:S{sensor}",), kind=KIND, start=at, end=at + MINUTE,
            at=(31.0 + 0.002 * sensor, 66.0),
        )  # fmt: skip
        found = replace(found, extra={"passing": passing}) if of > 1 else found
        with kernel.work(kernel.node) as work:
            leads.keep(work, [found], {KIND: CARD})
        kernel.dispatcher.run_pending()
        assert kernel.dispatcher.failing() == []
        with kernel.rows.read() as session:
            row = session.get(AlertFindingRow, found.id)
            return row.alert if row is not None else None

    return keep


def queued(room, officers):
    return [a.id for a in room.queue(officers["watch"], Filters()).alerts]


def test_a_party_is_one_row_and_once_a_unit_goes_one_alert(room, officers, tripped, boat) -> None:
    first = tripped(0, of=1)
    second = tripped(1, of=2)
    assert queued(room, officers) == [first]
    assert room.alert(officers["watch"], second).alert.stands_with == first
    tasking = room.send(officers["watch"], first, boat.id, "Go and look.")
    room.report(officers["field"], tasking.id, TaskingState.ACKNOWLEDGED)
    answered = room.alert(officers["watch"], first).alert
    assert answered.state == AlertState.ANSWERED
    before = queued(room, officers)
    # the next sensors of the same party lengthen an alert that is answered, and raise none
    third = tripped(2, of=3)
    assert third in (first, second)
    assert queued(room, officers) == before
    # another party, an hour later, is another
    fourth = tripped(0, of=1, start=answered.starts + 60 * MINUTE)
    assert fourth not in (first, second)
    assert set(queued(room, officers)) == {*before, fourth}


def test_what_was_closed_as_an_animal_is_raised_again_by_the_next_sensors(
    room, officers, tripped
) -> None:
    first = tripped(0, of=1)
    room.close(officers["watch"], first, "explained", NOTE)
    room.countersign(officers["watch2"], first)
    second = tripped(1, of=2)
    assert second != first
    assert queued(room, officers) == [second]


def test_what_cannot_be_read_of_a_passing_is_none(make) -> None:
    found = make(("sensor:S1",), kind=KIND)
    for wrong in (None, "x", [1], [{}], [{"subject": "sensor:S2"}],
                  [{"subject": "sensor:S2", "start": "now", "end": "then"}]):  # fmt: skip
        assert list(passing_of(replace(found, extra={"passing": wrong}))) == []
