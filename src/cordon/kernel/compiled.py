"""Loops over arrays, compiled to machine code.

A module of such functions takes some tenths of a second to load, so import it where it is used.

Compiled code is kept for the next process. Numba holds it good while the function's own file is
the same; but a loop is compiled together with the loops and constants that it takes from other
files, and would go on with old ones after an update. So what is kept is named by all sources
that went into it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

from numba import config, njit
from numba.core.caching import (
    InTreeCacheLocator,
    UserProvidedCacheLocator,
    UserWideCacheLocator,
)

from cordon.kernel.sources import stamp

Function = TypeVar("Function", bound=Callable[..., object])


class _Stamped:
    """What Numba asks for to tell whether kept code is still good; mixed into its own locators."""

    _py_file: str

    def get_source_stamp(self) -> object:
        """The function's own source as Numba tells it, and all that it stands on."""
        return super().get_source_stamp(), stamp(Path(self._py_file))  # type: ignore[misc]


class Given(_Stamped, UserProvidedCacheLocator):  # type: ignore[misc]
    """Kept in the folder that NUMBA_CACHE_DIR names."""


class Beside(_Stamped, InTreeCacheLocator):  # type: ignore[misc]
    """Kept beside the sources."""


class Own(_Stamped, UserWideCacheLocator):  # type: ignore[misc]
    """Kept in the user's own folder, where sources may not be written beside."""


config.CACHE_LOCATOR_CLASSES = ",".join(f"{__name__}.{c.__name__}" for c in (Given, Beside, Own))


def compiled(function: Function) -> Function:
    """The function compiled by Numba at its first call; the code is kept for the next process.

    It may take arrays and numbers alone, and call others of its kind.
    """
    return cast(Function, njit(cache=True, nogil=True)(function))


def inner(function: Function) -> Function:
    """The function compiled for other compiled functions alone; Python cannot call it.

    Wrappers for calls from Python unpack each argument: of many small loops with large arguments
    they are a quarter of what compiling takes. A division by zero is not looked for.
    """
    wrapped = njit(
        cache=True,
        nogil=True,
        error_model="numpy",
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
    )
    return cast(Function, wrapped(function))
