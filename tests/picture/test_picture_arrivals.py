"""Pages are woken by what comes, from whatever thread, and by the clock where nothing does."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from cordon.picture import arrivals
from cordon.picture.arrivals import Arrivals, next_frame
from support.loops import run


def test_what_comes_from_another_thread_wakes_everybody_who_waits() -> None:
    told = Arrivals()

    async def page() -> bool:
        with told.heard() as one, told.heard() as two:
            threading.Thread(target=told.tell).start()
            await asyncio.wait_for(asyncio.gather(one.wait(), two.wait()), 30)
            one.clear()
        told.tell()  # whoever has gone is told no more
        await asyncio.sleep(0)
        return one.is_set()

    assert run(page()) is False
    told.tell()  # nobody is there


def test_a_loop_that_has_ended_holds_up_nobody() -> None:
    told = Arrivals()

    async def gone() -> None:
        told.heard().__enter__()  # and it never comes back

    run(gone())
    told.tell()


def test_a_frame_follows_what_comes(monkeypatch) -> None:
    monkeypatch.setattr(arrivals, "_EARLY", 0.0)

    async def page() -> None:
        heard = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, heard.set)
        await asyncio.wait_for(next_frame(heard, 1_000.0), 30)

    run(page())


@pytest.mark.parametrize("early", [True, False])
def test_it_waits_its_time_and_comes_all_the_same(early: bool) -> None:
    """What came before nearly a frame's time has passed is shown with what comes after it."""

    async def page() -> float:
        heard = asyncio.Event()
        if early:
            heard.set()
        began = time.monotonic()
        await next_frame(heard, 0.05)
        return time.monotonic() - began

    assert run(page()) >= 0.099  # twice its time: nothing came
