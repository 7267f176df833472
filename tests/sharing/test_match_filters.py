"""Sets of tags: packed, padded, changed by swaps; and a set kept up to date."""

from __future__ import annotations

import numpy as np
import pytest

from cordon.kernel.errors import BadInput
from cordon.sharing.match import filters
from cordon.sharing.match.filters import SWAPS
from cordon.sharing.match.model import Kind
from cordon.sharing.match.oprf import key_of
from cordon.sharing.match.sets import EMPTY, FUNCTION, brought_up

SEED = b"\x07" * 32
KEY = key_of(SEED, b"test")
NONE = np.empty(0, np.uint64)


@pytest.mark.parametrize("count", [0, 1, 2, 63, 4096, 10_000])
def test_packing_loses_nothing(count):
    tags = np.sort(filters.fresh(count, NONE))
    assert (filters.unpack(filters.pack(tags)) == tags).all()


def test_packing_is_compact():
    tags = np.sort(filters.fresh(1 << 16, NONE))
    assert len(filters.pack(tags)) * 8 < 34.5 * len(tags)  # 48 - 16 low bits, and two


def test_the_first_and_the_last_tag_can_be_packed():
    tags = np.array([0, (1 << filters.BITS) - 1], np.uint64)
    assert (filters.unpack(filters.pack(tags)) == tags).all()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x31\0\0\0\1" + bytes(20),  # 49 low bits
        b"\x08\0\0\0\1\x80" + bytes(1),  # other low bits than a set of one has
        b"\x2f\0\0\0\1" + bytes(5000),  # a high part that would only fill the memory
        b"\x10\xff\xff\xff\xff" + bytes(100),  # more tags than bytes
        b"\x2e\0\0\0\2" + bytes(13),  # no end of a high part
        filters.pack(np.array([5, 5], np.uint64)),  # one tag twice
        filters.pack(np.arange(1, 90, dtype=np.uint64) << np.uint64(30))[:-5],
    ],
)
def test_damaged_sets_are_refused(data):
    with pytest.raises(BadInput):
        filters.unpack(data)


def test_hostile_bytes_never_do_more_than_be_refused():
    random = np.random.default_rng(4)
    read = 0
    for n in range(600):
        count = n % 6 + 1
        data = bytearray(filters.pack(np.sort(filters.fresh(count, NONE))))
        data[random.integers(5, len(data))] = random.integers(0, 256)
        try:
            tags = filters.unpack(bytes(data))
        except BadInput:
            continue
        read += 1
        assert len(tags) == count
        assert (np.diff(tags.astype(np.int64)) > 0).all()
        assert int(tags[-1]) < 1 << filters.BITS
    assert read > 30


def test_sizes_tell_an_eighth_of_a_power_of_two_at_most():
    assert filters.padded_size(0) == filters.padded_size(4000) == 4096
    assert filters.padded_size(1_000_000) == filters.padded_size(1_040_000) == 1 << 20
    for count in (5000, 70_000, 999_999):
        assert count < filters.padded_size(count) <= count * 1.25 + 1


def test_a_set_is_kept_up_to_date_by_swaps():
    values = {f"+92300{n:07d}" for n in range(300)}
    first = brought_up(EMPTY, KEY, SEED, Kind.NUMBER, values)
    assert (first.swaps, first.new, first.after.size) == (None, 300, 4096)
    peer = first.after.all
    gone, came = {"+923000000001", "+923000000002"}, {"+923009999999"}
    second = brought_up(first.after, KEY, SEED, Kind.NUMBER, values - gone | came)
    out, into = second.swaps
    assert (second.new, second.gone, len(out), len(into)) == (1, 2, SWAPS, SWAPS)
    peer = filters.changed(peer, out, into)
    assert (peer == second.after.all).all()
    assert len(peer) == 4096

    def held(value):
        tag = filters.tags_of(FUNCTION.whole(KEY, [f"cordon match v1\nnumber\n{value}".encode()]))
        return bool(filters.among(peer, tag)[0])

    assert held("+923000000003")
    assert held("+923009999999")
    assert not any(map(held, gone))
    third = brought_up(second.after, KEY, SEED, Kind.NUMBER, values - gone | came)
    assert (third.new, third.gone, len(third.swaps[0])) == (0, 0, 0)


def test_only_what_is_new_is_evaluated(monkeypatch):
    values = [f"+92300{n:07d}" for n in range(50)]
    first = brought_up(EMPTY, KEY, SEED, Kind.NUMBER, values[:-1])
    asked = []
    whole = FUNCTION.whole
    monkeypatch.setattr(
        type(FUNCTION), "whole", lambda self, k, i, told=None: asked.extend(i) or whole(k, i)
    )
    brought_up(first.after, KEY, SEED, Kind.NUMBER, values)
    assert asked == [b"cordon match v1\nnumber\n+923000000049"]


def test_a_set_that_grows_past_its_room_is_told_anew():
    first = brought_up(EMPTY, KEY, SEED, Kind.NUMBER, ["+923000000000"])
    full = type(first.after)(first.after.digests, first.after.tags, first.after.pads[:10])
    second = brought_up(full, KEY, SEED, Kind.NUMBER, [f"+92300{n:07d}" for n in range(60)])
    assert (second.swaps, second.after.size) == (None, 4096)


def test_a_change_that_does_not_fit_is_refused():
    tags = np.arange(1, 9, dtype=np.uint64)
    for out, into in (([99], [100]), ([1], [2]), ([1, 2], [50])):
        with pytest.raises(BadInput):
            filters.changed(tags, np.array(out, np.uint64), np.array(into, np.uint64))


def test_false_hits_are_as_stated():
    """With tags cut to what a test can count, chance hits come as often as size says."""
    random = np.random.default_rng(9)
    size, bits, asked = 4096, 20, 200_000
    tags = np.unique(random.integers(0, 1 << bits, size).astype(np.uint64))
    hits = int(filters.among(tags, random.integers(0, 1 << bits, asked).astype(np.uint64)).sum())
    expected = asked * len(tags) / (1 << bits)
    assert abs(hits - expected) < 5 * expected**0.5
    assert filters.false_hits(1 << 20) == 2**-28
