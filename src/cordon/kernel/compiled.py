"""Loops over arrays, compiled to machine code.

A module of such functions takes some tenths of a second to load, so import it where it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """The function compiled by Numba at its first call; the code is kept for the next process.

    It may take arrays and numbers alone, and call others of its kind.
    """
    return cast(Function, njit(cache=True, nogil=True)(function))
