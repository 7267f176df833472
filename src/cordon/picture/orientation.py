"""On which side of a line a point lies, without error, compiled by Numba.

A sign that hangs on rounding would let a point lie in two neighbouring zones or in none.
"""

from __future__ import annotations

import numpy as np

from cordon.kernel.compiled import compiled

_SPLIT = 134217729.0  # 2**27 + 1: Dekker's split of a double into halves
_FILTER = 3.3306690738754716e-16  # Shewchuk 1997, ccwerrboundA: (3 + 16 eps) eps


@compiled
def _two_sum(a: float, b: float) -> tuple[float, float]:
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


@compiled
def _two_product(a: float, b: float) -> tuple[float, float]:
    p = a * b
    c = _SPLIT * a
    ah = c - (c - a)
    al = a - ah
    c = _SPLIT * b
    bh = c - (c - b)
    bl = b - bh
    return p, al * bl - (((p - ah * bh) - al * bh) - ah * bl)


@compiled
def _exact_sign(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """Sign of the determinant as a sum of products without error (Shewchuk 1997)."""
    terms = np.zeros(16)
    n = 0
    for turn in range(2):
        a, a_rest = _two_sum(ax, -px) if turn == 0 else _two_sum(py, -ay)
        b, b_rest = _two_sum(by, -py) if turn == 0 else _two_sum(bx, -px)
        for part in range(4):
            high, low = _two_product(a if part < 2 else a_rest, b if part % 2 == 0 else b_rest)
            for half in range(2):
                q = low if half == 0 else high
                for k in range(n):
                    q, terms[k] = _two_sum(q, terms[k])
                terms[n] = q
                n += 1
    for k in range(n - 1, -1, -1):
        if terms[k] > 0.0:
            return 1
        if terms[k] < 0.0:
            return -1
    return 0


@compiled
def side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """1 where p lies left of the line from a to b, -1 right of it, 0 on it; exact."""
    one = (ax - px) * (by - py)
    two = (ay - py) * (bx - px)
    det = one - two
    if abs(det) > _FILTER * (abs(one) + abs(two)):
        return 1 if det > 0.0 else -1
    return _exact_sign(ax, ay, bx, by, px, py)
