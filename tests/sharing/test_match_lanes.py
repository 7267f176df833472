"""Many products at once are what libsodium says, one by one, and what whole numbers say."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from cordon.kernel.errors import Unavailable
from cordon.sharing.match import field, group, lanes
from cordon.sharing.match.field import LANES, LIMBS, PRIME, SIZE, limbs
from cordon.sharing.match.oprf import Function, key_of

EDGES = (0, 1, 2, 18, 19, 20, PRIME - 1, PRIME - 2, PRIME, PRIME + 1, (1 << 255) - 1, 1 << 254)
PLACES = (0, 26, 51, 77, 102, 128, 153, 179, 204, 230)


def slot(numbers: Sequence[int]) -> field.Words:
    made = np.zeros(SIZE, np.uint64)
    for lane, number in enumerate(numbers):
        made[lane::LANES] = limbs(number)
    return made


def numbers(words: field.Words) -> list[int]:
    return [
        sum(int(words[i * LANES + lane]) << PLACES[i] for i in range(LIMBS))
        for lane in range(LANES)
    ]


def many(seed: int) -> list[int]:
    """One number a lane: edges of the field and of its limbs, and some by chance."""
    drawn = random.Random(seed)
    full = [sum(((1 << w) - 1) << p for p, w in zip(PLACES, [26, 25] * 5, strict=True))]
    return [drawn.choice((*EDGES, *full, drawn.getrandbits(255))) for _ in range(LANES)]


def applied(work: Callable[..., None], *of: field.Words) -> field.Words:
    out = np.empty(SIZE, np.uint64)
    work(out, *of)
    return out


@pytest.mark.parametrize("seed", range(12))
def test_sums_and_products_of_the_field(seed: int) -> None:
    one, other = many(seed), many(seed + 100)
    # a number that is read in has full limbs; a product is reduced, as sums and differences need
    f, g = (applied(field.carried_minus, slot(n), slot([0] * LANES)) for n in (one, other))
    assert [n % PRIME for n in numbers(f)] == [n % PRIME for n in one]
    pairs = list(zip(one, other, strict=True))
    plus, minus = applied(field.plus, f, g), applied(field.minus, f, g)
    for work, given, told in (
        (field.multiply, (f, g), [a * b for a, b in pairs]),
        (field.square, (f,), [a * a for a in one]),
        (field.multiply, (plus, minus), [(a + b) * (a - b) for a, b in pairs]),
        (field.multiply, (minus, minus), [(a - b) ** 2 for a, b in pairs]),
        (field.square, (minus,), [(a - b) ** 2 for a, b in pairs]),
        (field.square, (plus,), [(a + b) ** 2 for a, b in pairs]),
        (field.carried_minus, (minus, plus), [-2 * b for _, b in pairs]),
        (field.carried_minus, (plus, minus), [2 * b for _, b in pairs]),
    ):
        found = applied(work, *given)
        assert [n % PRIME for n in numbers(found)] == [n % PRIME for n in told], work
        whole = applied(field.canonical, found)
        assert numbers(whole) == [n % PRIME for n in told], work


def test_lanes_are_chosen_and_compared_one_by_one() -> None:
    one, other = many(1), many(2)
    other[: LANES // 2] = one[: LANES // 2]
    f, g = (applied(field.canonical, slot(n)) for n in (one, other))
    alike = np.zeros(SIZE, np.uint64)
    field.same(f, g, alike)
    expected = [a % PRIME == b % PRIME for a, b in zip(one, other, strict=True)]
    assert [bool(n) for n in alike[:LANES]] == expected
    assert {int(n) for n in alike[:LANES]} <= {0, (1 << 64) - 1}
    odd = np.zeros(SIZE, np.uint64)
    field.negative(f, odd)
    assert [bool(n) for n in odd[:LANES]] == [n % PRIME % 2 == 1 for n in one]
    chosen = applied(field.choose, f, g, odd)
    told = [a if a % PRIME % 2 else b for a, b in zip(one, other, strict=True)]
    assert numbers(chosen) == [n % PRIME for n in told]


def test_words_are_read_and_written() -> None:
    held = np.zeros(SIZE, np.uint64)
    for lane, number in enumerate(many(3)):
        words = np.frombuffer((number % PRIME).to_bytes(32, "little"), np.uint64)
        high = words.copy()
        high[3] |= np.uint64(1 << 63)  # the highest bit of 256 is no part of the number
        field.load(held, np.uint64(lane), high)
        back = np.empty(4, np.uint64)
        field.store(held, np.uint64(lane), back)
        assert back.tolist() == words.tolist()


def uniform(count: int, seed: int) -> np.ndarray:
    rows = np.frombuffer(random.Random(seed).randbytes(64 * count), np.uint8).reshape(-1, 64).copy()
    rows[: len(EDGES), :32] = [list((e % (1 << 256)).to_bytes(32, "little")) for e in EDGES]
    rows[len(EDGES) : len(EDGES) + 2] = [[0] * 64, [255] * 64]
    return rows


@pytest.mark.parametrize("scalar", [1, 2, 8, 15, 16, group.ORDER - 1, (1 << 252) + 8, None])
def test_products_are_what_libsodium_says(scalar: int | None) -> None:
    scalar = scalar or random.Random(7).randrange(1, group.ORDER)
    rows = uniform(2 * LANES + 5, 5)  # the last lanes are not all filled
    found = [bytes(row) for row in lanes.products(scalar, rows)]
    secret = group.scalar(scalar)
    assert found[0] != found[1]
    for row, element in zip(rows, found, strict=True):
        expected = group.from_hash(bytes(row))
        if expected != bytes(32):  # the identity stays it; libsodium multiplies it by nothing
            expected = group.times(secret, expected)
        assert element == expected


def test_a_set_is_the_same_whichever_way_it_is_evaluated(monkeypatch) -> None:
    function, key = Function(), key_of(bytes(32), b"a set")
    inputs = [b"number %d" % n for n in range(60)]
    one_by_one = function.whole(key, inputs)
    monkeypatch.setattr("cordon.sharing.match.oprf._MANY", 10)
    monkeypatch.setattr(group, "_BATCH", 25)
    told: list[int] = []
    assert function.whole(key, inputs, told.append) == one_by_one
    assert told == [25, 50, 60]


def test_what_multiplies_wrongly_is_seen_and_nothing_of_it_is_used(monkeypatch) -> None:
    right = lanes.products

    def wrong(scalar: int, rows: np.ndarray) -> np.ndarray:
        return right(scalar + 1, rows)

    monkeypatch.setattr(lanes, "products", wrong)
    with pytest.raises(Unavailable, match="multiplies wrongly"):
        group.times_hashed(group.scalar(5), [bytes([8]) * 64, bytes([9]) * 64])
