"""Crews at sixty times the speed: their phones are right, and what they say keeps its time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cordon.kernel.access.model import Role
from cordon.kernel.clock import SetClock
from cordon.operations import TaskingState
from support.crewed import actor, plain, stage


def test_crews_of_a_played_clock_are_told_at_their_own_time(
    kernel: Any, tmp_path: Any, clock: Any, noon: datetime
) -> None:
    real = SetClock(noon - timedelta(hours=3))
    clock.beside = real
    clock.set(noon, rate=60.0)
    director, watch = actor(Role.EXERCISE_DIRECTOR, kernel), actor(Role.WATCH_OFFICER, kernel)
    made = stage(kernel, tmp_path, plain(fix_s=60.0))
    boat = made.unit("PB-07", 24.8, 63.45)
    made.crews.start(director, ["PB-07"])
    order = made.room.send(watch, made.alert(24.8, 63.65), boat.id, "Go and look at it.").id
    for _ in range(3):
        real.advance(timedelta(seconds=30))
        clock.advance(timedelta(minutes=30))
        made.crews.tick()
    tasking = made.room.tasking(watch, order)
    assert tasking.state is TaskingState.DONE
    sent = tasking.steps[1].at
    near = timedelta(minutes=1)  # a second of the machine's
    assert abs(tasking.steps[2].at - sent - timedelta(minutes=1)) < near
    assert abs(tasking.steps[4].at - sent - timedelta(minutes=35.7)) < near
    (phone,) = made.crews._field.phones(watch)  # type: ignore[attr-defined]
    assert (phone.clock_wrong, abs(phone.offset) < timedelta(seconds=1)) == (False, True)
    assert not any(a.clock_wrong for a in made.crews._field.acts(watch, order))  # type: ignore[attr-defined]
