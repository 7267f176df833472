"""Loops that only other loops call: compiled without the wrappers for calls from Python.

There are some seventy functions, and all that a `Book` holds would be unpacked in each: a
quarter of the time that the first run spends on compiling.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def inner(function: Function) -> Function:
    """The function compiled for other compiled functions; Python cannot call it."""
    wrapped = njit(
        cache=True,
        nogil=True,
        error_model="numpy",
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
    )
    return cast(Function, wrapped(function))
