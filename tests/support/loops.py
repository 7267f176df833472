"""Coroutines run from a test that is not one itself."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it to its end in a thread of its own, and give what it gives or raise what it raises.

    A browser that another test of this process has opened leaves a loop running in this thread,
    and `asyncio.run` refuses to start there.
    """
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, coroutine).result()
