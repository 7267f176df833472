"""Secret scalar times hashed values, many at once: what a set of a million is made of.

The same as `group.times(scalar, group.from_hash(uniform))`, value by value, in vector
instructions: libsodium takes one value after another, and a set-up is one scalar on a million
values. Formulas of RFC 9496 §4 and of extended twisted Edwards coordinates (Hisil, Wong, Carter,
Dawson 2008).

The formulas write a program, a list of steps on slots, which one compiled loop carries out for
some lanes at a time. It is the same for all values: on a value depends neither what is done nor
what is read. Which entry of a small table a step reads depends on the scalar, for all at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled
from cordon.sharing.match.field import (
    LANES,
    PRIME,
    SIZE,
    canonical,
    carried_minus,
    choose,
    limbs,
    load,
    minus,
    multiply,
    negative,
    plus,
    same,
    square,
    store,
)

_D = 37095705934669439343138083508754565189542113879843219016388785533085940283555
_SQRT_M1 = 19681161376707505956807079304988542015446066515923890162744021073123829784752
_SQRT_AD_M1 = 25063068953384623474111414158702152701244531502492656460079210482610430750235
_INVSQRT_A_D = 54469307008909316920995813868745141605393597292927456921205312896311721017578
_DIGITS, _WINDOW = 64, 4
_ENTRIES = (1 << (_WINDOW - 1)) + 1  # 0 to 8 times the element

# slots: the point; of the step at hand; of roots, signs and choices; the two numbers of a hash
X, Y, Z, T, A, B, C, D, E, F, G, H, U, V, R, S, M, N, P0, P1, P2, P3, Q0, Q1, Q2 = range(25)
NUMBERS = (25, 26)
# slots that say what they are named, of the curve's d and the root i of -1
NONE, ONE, LESS_ONE, ROOT, CD, CD2, C1D, CD1, CAD, CIAD = range(27, 37)
TABLE = 37
_SLOTS = TABLE + 4 * _ENTRIES
_SAID = {
    ONE: 1, LESS_ONE: -1, ROOT: _SQRT_M1, CD: _D, CD2: 2 * _D, C1D: 1 - _D * _D,
    CD1: (_D - 1) ** 2, CAD: _SQRT_AD_M1, CIAD: _INVSQRT_A_D,
}  # fmt: skip
(
    _MULTIPLY, _SQUARE, _PLUS, _MINUS, _CARRIED_MINUS, _CANONICAL, _SAME, _NEGATIVE,
    _CHOOSE, _EITHER,
) = range(10)  # fmt: skip


@compiled
def _run(program: NDArray[np.int64], w: NDArray[np.uint64]) -> None:
    for n in range(len(program)):
        what = program[n, 0]
        o, f, g, where = w[program[n, 1]], w[program[n, 2]], w[program[n, 3]], w[program[n, 4]]
        if what == _MULTIPLY:
            multiply(o, f, g)
        elif what == _SQUARE:
            square(o, f)
        elif what == _PLUS:
            plus(o, f, g)
        elif what == _MINUS:
            minus(o, f, g)
        elif what == _CARRIED_MINUS:
            carried_minus(o, f, g)
        elif what == _CANONICAL:
            canonical(o, f)
        elif what == _SAME:
            same(f, g, o)
        elif what == _NEGATIVE:
            negative(f, o)
        elif what == _CHOOSE:
            choose(o, f, g, where)
        else:
            for lane in range(LANES):
                o[lane] |= f[lane]


@compiled
def _all(
    program: NDArray[np.int64],
    said: NDArray[np.uint64],
    uniform: NDArray[np.uint64],
    out: NDArray[np.uint64],
) -> None:
    w = said.copy()
    for begin in range(0, len(uniform), LANES):
        count = min(LANES, len(uniform) - begin)
        for lane in range(count):
            load(w[NUMBERS[0]], np.uint64(lane), uniform[begin + lane, :4])
            load(w[NUMBERS[1]], np.uint64(lane), uniform[begin + lane, 4:])
        _run(program, w)
        for lane in range(count):
            store(w[A], np.uint64(lane), out[begin + lane])


class _Program:
    """Writes the steps."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, int, int, int]] = []

    def _do(self, what: int, o: int, f: int, g: int = 0, where: int = 0) -> None:
        self.steps.append((what, o, f, g, where))

    def multiply(self, o: int, f: int, g: int) -> None:
        self._do(_MULTIPLY, o, f, g)

    def square(self, o: int, f: int) -> None:
        self._do(_SQUARE, o, f)

    def plus(self, o: int, f: int, g: int) -> None:
        self._do(_PLUS, o, f, g)

    def minus(self, o: int, f: int, g: int) -> None:
        self._do(_MINUS, o, f, g)

    def choose(self, o: int, yes: int, no: int, where: int) -> None:
        self._do(_CHOOSE, o, yes, no, where)

    def negated(self, o: int, f: int) -> None:
        """o = -f, reduced."""
        self._do(_CARRIED_MINUS, o, NONE, f)

    def same(self, o: int, f: int, g: int) -> None:
        """Where two reduced numbers are one."""
        self._do(_CANONICAL, P0, f)
        self._do(_CANONICAL, P1, g)
        self._do(_SAME, o, P0, P1)

    def negative(self, o: int, f: int) -> None:
        """Where a reduced number is odd as a canonical one."""
        self._do(_CANONICAL, P0, f)
        self._do(_NEGATIVE, o, P0)

    def absolute(self, o: int, f: int) -> None:
        """o = f or -f, whichever is even (RFC 9496 §4.1)."""
        self.negative(Q2, f)
        self.negated(P1, f)
        self.choose(o, P1, f, Q2)

    def squares(self, o: int, f: int, count: int) -> None:
        """o = f^(2^count); o and f are two slots, and neither is P3."""
        here, there = (o, P3) if count % 2 else (P3, o)
        self.square(here, f)
        for _ in range(count - 1):
            self.square(there, here)
            here, there = there, here

    def to_power(self, o: int, f: int) -> None:
        """o = f^(2^252 - 3), by the usual chain."""
        a, b, c = P0, P1, P2
        self.square(a, f)  # 2
        self.squares(b, a, 2)  # 8
        self.multiply(c, f, b)  # 9
        self.multiply(b, a, c)  # 11
        self.square(a, b)  # 22
        self.multiply(b, c, a)  # 2^5 - 1
        self.squares(a, b, 5)
        self.multiply(c, a, b)  # 2^10 - 1
        self.squares(a, c, 10)
        self.multiply(b, a, c)  # 2^20 - 1
        self.squares(a, b, 20)
        self.multiply(o, a, b)  # 2^40 - 1
        self.squares(a, o, 10)
        self.multiply(b, a, c)  # 2^50 - 1
        self.squares(a, b, 50)
        self.multiply(c, a, b)  # 2^100 - 1
        self.squares(a, c, 100)
        self.multiply(o, a, c)  # 2^200 - 1
        self.squares(a, o, 50)
        self.multiply(c, a, b)  # 2^250 - 1
        self.squares(a, c, 2)
        self.multiply(o, a, f)

    def root(self, o: int, u: int, v: int) -> None:
        """o = the even root of u/v, or of i u/v where u/v is no square (SQRT_RATIO_M1, §4.2).

        Q0 tells afterwards where u/v was a square. E to H are written; u is reduced.
        """
        self.square(E, v)
        self.multiply(F, E, v)  # v^3
        self.square(E, F)
        self.multiply(G, E, v)  # v^7
        self.multiply(E, G, u)
        self.to_power(G, E)
        self.multiply(E, F, u)
        self.multiply(H, E, G)  # the root, but for a root of unity
        self.square(E, H)
        self.multiply(F, E, v)
        self.same(Q0, F, u)
        self.negated(E, u)
        self.same(Q1, F, E)
        self._do(_EITHER, Q0, Q1)
        self.multiply(G, E, ROOT)
        self.same(Q2, F, G)
        self._do(_EITHER, Q1, Q2)
        self.multiply(E, H, ROOT)
        self.choose(F, E, H, Q1)
        self.absolute(o, F)

    def mapped(self, t: int) -> None:
        """The point that a number leads to (MAP, §4.3.4)."""
        self.square(A, t)
        self.multiply(R, A, ROOT)
        self.plus(A, R, ONE)
        self.multiply(U, A, C1D)
        self.multiply(A, R, CD)
        self.plus(B, A, ONE)
        self.plus(C, R, CD)
        self.multiply(D, B, C)
        self.negated(V, D)
        self.root(S, U, V)
        self.multiply(A, S, t)
        self.absolute(B, A)
        self.negated(C, B)
        self.choose(D, S, C, Q0)  # s
        self.choose(A, LESS_ONE, R, Q0)  # c
        self.minus(B, R, ONE)
        self.multiply(C, A, B)
        self.multiply(A, C, CD1)
        self.minus(N, A, V)
        self.multiply(M, N, CAD)  # w1
        self.multiply(A, D, V)
        self.plus(N, A, A)  # w0
        self.square(B, D)
        self.minus(C, ONE, B)  # w2
        self.plus(E, ONE, B)  # w3
        self.multiply(X, N, E)
        self.multiply(Y, C, M)
        self.multiply(Z, M, E)
        self.multiply(T, N, C)

    def enter(self, entry: int) -> None:
        """Keep the point in the table as it is added: y + x, y - x, 2 z, 2 d t."""
        at = TABLE + 4 * entry
        self.plus(at, Y, X)
        self.minus(at + 1, Y, X)
        self.plus(at + 2, Z, Z)
        self.multiply(at + 3, T, CD2)

    def add(self, entry: int, *, last: bool = True) -> None:
        """Add an entry to the point, or take it away where below 0; T comes with `last` alone."""
        at, less = TABLE + 4 * abs(entry), int(entry < 0)
        self.minus(A, Y, X)
        self.multiply(B, A, at + 1 - less)
        self.plus(C, Y, X)
        self.multiply(D, C, at + less)
        self.multiply(E, T, at + 3)
        self.multiply(F, Z, at + 2)
        self.minus(A, D, B)
        self.plus(C, D, B)
        one, other = (H, G) if less else (G, H)
        self.minus(one, F, E)
        self.plus(other, F, E)
        self.multiply(X, A, G)
        self.multiply(Y, H, C)
        self.multiply(Z, G, H)
        if last:
            self.multiply(T, A, C)

    def double(self, *, last: bool) -> None:
        """Twice the point; T is not read, and comes with `last` alone."""
        self.square(A, X)
        self.square(B, Y)
        self.square(C, Z)
        self.plus(D, X, Y)
        self.square(E, D)
        self.plus(F, A, B)
        self.minus(G, B, A)
        self._do(_CARRIED_MINUS, H, E, F)
        self.plus(D, C, C)
        self._do(_CARRIED_MINUS, E, D, G)
        self.multiply(X, H, E)
        self.multiply(Y, F, G)
        self.multiply(Z, G, E)
        if last:
            self.multiply(T, H, F)

    def encoded(self, o: int) -> None:
        """The point's one number, canonical (ENCODE, §4.3.2)."""
        self.plus(A, Z, Y)
        self.minus(B, Z, Y)
        self.multiply(U, A, B)
        self.multiply(R, X, Y)
        self.square(A, R)
        self.multiply(V, U, A)
        self.root(S, ONE, V)
        self.multiply(A, S, U)
        self.multiply(B, S, R)
        self.multiply(C, A, B)
        self.multiply(D, C, T)  # 1 / z
        self.multiply(C, T, D)
        self.negative(Q0, C)
        self.multiply(U, X, ROOT)
        self.multiply(R, Y, ROOT)
        self.multiply(C, A, CIAD)
        self.choose(A, R, X, Q0)
        self.choose(V, U, Y, Q0)
        self.choose(M, C, B, Q0)
        self.multiply(B, A, D)
        self.negative(Q1, B)
        self.negated(P2, V)
        self.choose(N, P2, V, Q1)
        self.minus(A, Z, N)
        self.multiply(B, M, A)
        self.absolute(C, B)
        self._do(_CANONICAL, o, C)


def _steps(scalar: int) -> NDArray[np.int64]:
    """The program of one scalar: NUMBERS hashed to an element, multiplied, encoded into A."""
    p = _Program()
    p.mapped(NUMBERS[0])
    p.enter(1)
    p.mapped(NUMBERS[1])
    p.add(1)
    p.enter(1)
    for entry in range(2, _ENTRIES):
        p.add(1)
        p.enter(entry)
    for slot, said in ((X, NONE), (Y, ONE), (Z, ONE), (T, NONE)):
        p.plus(slot, said, NONE)
    p.enter(0)
    for n, digit in enumerate(_digits(scalar)):
        for turn in range(_WINDOW):
            p.double(last=turn == _WINDOW - 1)
        p.add(digit, last=n == _DIGITS - 1)
    p.encoded(A)
    return np.array(p.steps, np.int64)


def _digits(scalar: int) -> list[int]:
    """A scalar below 2^253 in 64 digits of -8 to 7, the last first."""
    found = []
    for _ in range(_DIGITS):
        digit = (scalar + 8) % 16 - 8
        found.append(digit)
        scalar = (scalar - digit) >> _WINDOW
    return found[::-1]


def _workspace() -> NDArray[np.uint64]:
    """Slots with what they say from the beginning."""
    w = np.zeros((_SLOTS, SIZE), np.uint64)
    for slot, number in _SAID.items():
        w[slot] = np.repeat(np.array(limbs(number % PRIME), np.uint64), LANES)
    return w


def products(scalar: int, uniform: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scalar times the element of each row.

    Args:
        scalar: below the group's order. uniform: (n, 64) bytes, as of `group.from_hash`.

    Returns:
        (n, 32) bytes, elements as they are written.
    """
    words = np.ascontiguousarray(uniform).view("<u8")
    out = np.empty((len(words), 4), np.uint64)
    _all(_steps(scalar), _workspace(), words, out)
    return out.view(np.uint8)
