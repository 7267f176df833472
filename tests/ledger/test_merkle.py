"""Merkle trees against the definition itself, written out as the standard writes it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordon.kernel.ledger import merkle

# Leaves and roots of the reference tests of Certificate Transparency (RFC 6962)
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 §2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """RFC 6962 §2.1.2."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def reader(leaves: list[bytes]) -> merkle.Read:
    def read(height: int, index: int) -> bytes:
        low, high = index << height, (index + 1) << height
        assert high <= len(leaves), "only complete subtrees may be asked for"
        return mth(leaves[low:high])

    return read


def numbered(count: int) -> list[bytes]:
    return [b"leaf %d" % i for i in range(count)]


def test_roots_of_the_reference() -> None:
    frontier = merkle.Frontier()
    assert frontier.root().hex() == ROOTS[0]
    for leaf, root in zip(LEAVES, ROOTS[1:], strict=True):
        frontier.extend([merkle.leaf_hash(leaf)])
        assert frontier.root().hex() == root


@given(st.lists(st.integers(0, 40), max_size=8))
@settings(max_examples=150, deadline=None)
def test_growing_in_any_steps_gives_the_defined_root(steps: list[int]) -> None:
    leaves = numbered(sum(steps))
    frontier, kept, done = merkle.Frontier(), {}, 0

    def keep(height: int, first: int, digests: object) -> None:
        for i, digest in enumerate(digests):
            assert (height, first + i) not in kept, "each subtree comes about once"
            kept[height, first + i] = digest

    for step in steps:
        frontier.extend([merkle.leaf_hash(x) for x in leaves[done : done + step]], keep)
        done += step
        frontier = merkle.Frontier.from_bytes(frontier.size, frontier.to_bytes())
        assert frontier.root() == mth(leaves[:done])
    complete = {
        (h, i) for h in range(12) for i in range(len(leaves) >> h) if (i + 1) << h <= len(leaves)
    }
    assert set(kept) == complete
    assert all(kept[h, i] == mth(leaves[i << h : (i + 1) << h]) for h, i in complete)
    assert merkle.root_at(done, reader(leaves)) == frontier.root()
    assert merkle.frontier_at(done, reader(leaves)).hashes == frontier.hashes


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_proofs_are_the_defined_ones_and_verify(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 70))
    old = data.draw(st.integers(0, new))
    index = data.draw(st.integers(0, new - 1))
    leaves = numbered(new)
    root = mth(leaves)
    leaf = merkle.leaf_hash(leaves[index])
    proof = merkle.inclusion_proof(index, new, reader(leaves))
    assert proof == path(index, leaves)
    assert merkle.verify_inclusion(leaf, index, new, proof, root)
    steps = merkle.consistency_proof(old, new, reader(leaves))
    assert steps == (subproof(old, leaves, True) if old else [])
    assert merkle.verify_consistency(old, new, steps, mth(leaves[:old]), root)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_proof_of_anything_else_fails(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 70))
    leaves = numbered(size)
    root = mth(leaves)
    index, other = data.draw(
        st.lists(st.integers(0, size - 1), min_size=2, max_size=2, unique=True)
    )
    proof = merkle.inclusion_proof(index, size, reader(leaves))
    leaf = merkle.leaf_hash(leaves[index])
    assert not merkle.verify_inclusion(leaf, other, size, proof, root)
    assert not merkle.verify_inclusion(merkle.leaf_hash(leaves[other]), index, size, proof, root)
    assert not merkle.verify_inclusion(leaf, index, size, proof[:-1], root)
    assert not merkle.verify_inclusion(leaf, index, size, [*proof, root], root)
    assert not merkle.verify_inclusion(leaf, size, size, proof, root)
    old = data.draw(st.integers(1, size - 1))
    steps = merkle.consistency_proof(old, size, reader(leaves))
    forged = [*leaves[: old - 1], b"forged"]
    assert not merkle.verify_consistency(old, size, steps, mth(forged), root)
    assert not merkle.verify_consistency(old, size, steps[:-1], mth(leaves[:old]), root)
    assert not merkle.verify_consistency(old, size, [*steps, root], mth(leaves[:old]), root)
    place = data.draw(st.integers(0, len(steps) - 1))
    steps[place] = bytes(32)
    assert not merkle.verify_consistency(old, size, steps, mth(leaves[:old]), root)


def test_a_frontier_takes_only_what_fits() -> None:
    with pytest.raises(ValueError, match="one hash of 32 bytes"):
        merkle.Frontier(3, [bytes(32)])
    with pytest.raises(ValueError, match="does not fit"):
        merkle.Frontier(1, [bytes(32)]).push(1, bytes(32))
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_proof(3, 3, reader(numbered(3)))
    assert not merkle.verify_consistency(3, 2, [], bytes(32), bytes(32))
    assert not merkle.verify_consistency(0, 2, [], bytes(32), bytes(32))
