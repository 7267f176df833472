"""Python's search for objects that only hold one another, put off where many are made that stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_within = 0
_searched = True


@contextmanager
def unsearched() -> Iterator[None]:
    """Put the search off, for all threads, until the last of these is left.

    A search looks at every object that the process ever made, and making objects is what begins
    one: a hundred thousand lines of a table, or loops that are loaded, bring on several. For work
    of seconds that makes lines and arrays, none of which hold one another.
    """
    global _within, _searched
    with _lock:
        if not _within:
            _searched = gc.isenabled()
            gc.disable()
        _within += 1
    try:
        yield
    finally:
        with _lock:
            _within -= 1
            if not _within and _searched:
                gc.enable()
