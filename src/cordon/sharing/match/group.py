"""The group ristretto255 (RFC 9496) by libsodium: elements and scalars as 32 bytes each.

libsodium runs outside the interpreter's lock, so that a batch is spread over a few threads.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from cordon.kernel.errors import BadInput, Unavailable

BYTES = 32
HASH_BYTES = 64
ORDER = (1 << 252) + 27742317777372353535851937790883648493
_SHARE = 256  # elements of one thread's turn
_BATCH = 4096  # the same, where they are multiplied in vectors
_THREADS = min(4, os.cpu_count() or 1)


@cache
def _sodium() -> ModuleType:
    """The binding, loaded when it is first needed.

    It carries libsodium inside, and writes it to a temporary file that it would leave there.
    """
    try:
        import rbcl
    except (ImportError, OSError) as wrong:
        raise Unavailable(
            f"libsodium cannot be loaded ({type(wrong).__name__}).",
            advice="Install Cordon from its lock; the temporary folder must let programs be "
            "loaded (no noexec; TMPDIR names another).",
        ) from None
    left = getattr(sys.modules.get("rbcl._sodium"), "lib_path", None)
    if left is not None:
        with suppress(OSError):
            Path(left).unlink()
    return rbcl


def from_hash(uniform: bytes) -> bytes:
    """The element that 64 uniform bytes lead to (RFC 9496 §4.3.4)."""
    return _bytes(_sodium().crypto_core_ristretto255_from_hash(uniform))


def times(scalar: bytes, element: bytes) -> bytes:
    """Scalar times element; BadInput where the element is no canonical one, or the identity."""
    try:
        return _bytes(_sodium().crypto_scalarmult_ristretto255(scalar, element))
    except (RuntimeError, ValueError):
        raise BadInput(
            "That is no element of the group.", advice="Each has 32 bytes in canonical form."
        ) from None


def times_hashed(scalar: bytes, uniform: Sequence[bytes]) -> list[bytes]:
    """Scalar times the element of each 64 uniform bytes, in vectors of lanes.

    Raises:
        Unavailable: one, drawn by chance, is not what libsodium says.
    """
    from cordon.sharing.match import lanes

    rows = np.frombuffer(b"".join(uniform), np.uint8).reshape(-1, HASH_BYTES)
    whole = lanes.products(number(scalar), rows).tobytes()
    elements = [whole[n : n + BYTES] for n in range(0, len(whole), BYTES)]
    n = secrets.randbelow(len(elements))
    if elements[n] != times(scalar, from_hash(uniform[n])):
        raise Unavailable(
            "What was compiled for this machine multiplies wrongly; nothing of it was kept.",
            advice="Remove the compiled code (NUMBA_CACHE_DIR, or __pycache__), and try again.",
        )
    return elements


def times_base(scalar: bytes) -> bytes:
    """Scalar times the generator."""
    return _bytes(_sodium().crypto_scalarmult_ristretto255_base(scalar))


def plus(one: bytes, other: bytes) -> bytes:
    """The sum of two elements; BadInput as of `times`."""
    try:
        return _bytes(_sodium().crypto_core_ristretto255_add(one, other))
    except (RuntimeError, ValueError, TypeError):
        raise BadInput("That is no element of the group.") from None


def random_scalar() -> bytes:
    """A uniform scalar other than zero."""
    return _bytes(_sodium().crypto_core_ristretto255_scalar_random())


def scalar(number: int) -> bytes:
    """A number modulo the group's order, as it is written."""
    return (number % ORDER).to_bytes(BYTES, "little")


def number(of: bytes) -> int:
    """A scalar's number; BadInput where it is not below the group's order."""
    found = int.from_bytes(of, "little")
    if len(of) != BYTES or found >= ORDER:
        raise BadInput("That is no scalar of the group.")
    return found


def inverse(of: bytes) -> bytes:
    """The scalar whose product with this one is one."""
    return _bytes(_sodium().crypto_core_ristretto255_scalar_invert(of))


def each(
    work: Callable[..., bytes],
    *columns: Sequence[Any],
    told: Callable[[int], None] | None = None,
) -> list[bytes]:
    """As `map`, in order, spread over threads; `told` hears how many are done."""
    size = len(columns[0])
    if size <= _SHARE or _THREADS == 1:
        return list(map(work, *columns))

    def share(begin: int) -> list[bytes]:
        return list(map(work, *(c[begin : begin + _SHARE] for c in columns)))

    return _spread(share, range(0, size, _SHARE), told)


def batches(
    work: Callable[[Sequence[bytes]], list[bytes]],
    inputs: Sequence[bytes],
    told: Callable[[int], None] | None = None,
) -> list[bytes]:
    """What `work` makes of batches of inputs, in order, spread over threads as `each`."""

    def batch(begin: int) -> list[bytes]:
        return work(inputs[begin : begin + _BATCH])

    return _spread(batch, range(0, len(inputs), _BATCH), told)


def _spread(
    work: Callable[[int], list[bytes]], begins: range, told: Callable[[int], None] | None
) -> list[bytes]:
    done: list[bytes] = []
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="group") as pool:
        for part in pool.map(work, begins):
            done += part
            if told is not None:
                told(len(done))
    return done


def split(data: bytes) -> list[bytes]:
    """Elements or scalars that were written one after another; BadInput where one is cut off."""
    if len(data) % BYTES:
        raise BadInput("Elements have 32 bytes each.", advice="Send them whole.")
    return [data[n : n + BYTES] for n in range(0, len(data), BYTES)]


def joined(elements: Iterable[bytes]) -> bytes:
    """Elements one after another."""
    return b"".join(elements)


def _bytes(found: Any) -> bytes:
    return bytes(found)
