"""How much memory some work takes, told by a process of its own.

Python 3.11's tracemalloc may crash where another thread allocates while it stops, and a test's
process has threads of other tests' nodes.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any


def apart(work: Callable[..., Any], *given: Any) -> Any:
    """What one of the functions here gives, in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *given).result()


def first_names(parts: int, size: int, held: int) -> list[int]:
    """The greatest memory (bytes) of each part of different names that `Firsts` is told.

    Args:
        parts: so many; size: names of each; held: names that it holds in memory.
    """
    import pyarrow as pa

    from cordon.calls.firsts import Firsts

    told, peaks = Firsts(held), []
    for start in range(0, parts * size, size):
        names = pa.array([f"P{n}" for n in range(start, start + size)])
        tracemalloc.start()
        assert told.new(names).all()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    early = [f"P{n}" for n in (0, parts * size // 2, parts * size - 1)]
    assert not told.new(pa.array(early)).any()
    return peaks


def cut_stream(data: bytes, size: int) -> tuple[list[Any], int, int]:
    """What a stream of CoT gives in parts of so many bytes, the most it held, and its memory."""
    from cordon.picture.feeds.cotstream import CotStream

    tracemalloc.start()
    stream, found, most = CotStream(), [], 0
    for at in range(0, len(data), size):
        found += stream.feed(data[at : at + size])
        most = max(most, stream.held)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, most, peak
