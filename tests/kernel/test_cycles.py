"""The search for cycles that is put off."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from cordon.kernel.cycles import unsearched


@unsearched()
def told() -> bool:
    return gc.isenabled()


@unsearched()
def refused() -> None:
    raise ValueError("no")


def test_it_is_put_off_and_taken_up_again_after_an_error_too() -> None:
    assert gc.isenabled()
    assert not told()
    with pytest.raises(ValueError, match="no"):
        refused()
    assert gc.isenabled()


def test_the_last_that_is_left_takes_it_up_again() -> None:
    with unsearched():
        with unsearched():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_many_threads_leave_it_as_it_was() -> None:
    together = Barrier(8)

    def work(_: int) -> bool:
        together.wait()
        found = True
        for _ in range(200):
            with unsearched():
                found = found and not gc.isenabled()
        return found

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(8)))
    assert gc.isenabled()


def test_what_was_off_stays_off() -> None:
    gc.disable()
    try:
        with unsearched():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
