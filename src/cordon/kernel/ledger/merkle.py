"""Merkle trees as RFC 6962 §2.1 and RFC 9162 §2.1 have them; pure functions.

`read(height, index)` gives the hash of a complete subtree: the one whose leaves are
`index << height` up to `(index + 1) << height`. Height 0 is the leaf hashes. Every proof is
made of such hashes alone, so that a store need keep only some of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()
Read = Callable[[int, int], bytes]
Keep = Callable[[int, int, Sequence[bytes]], None]
"""Told of each complete subtree as it comes about: height, index of the first, their hashes."""

_sha256 = hashlib.sha256


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00, leaf): the first byte keeps leaves and nodes apart."""
    return _sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01, left, right)."""
    return _sha256(b"\x01" + left + right).digest()


def compact(
    start: int, hashes: Sequence[bytes], keep: Keep | None = None
) -> list[tuple[int, bytes]]:
    """The fewest complete subtrees that cover leaves from `start` on, in order.

    Args:
        start: index of the first leaf. hashes: leaf hashes.
        keep: told of every complete subtree inside the range.

    Returns:
        Pairs of height and hash, as `Frontier.push` takes them.
    """
    left: list[tuple[int, bytes]] = []
    right: list[tuple[int, bytes]] = []
    nodes, first, height = list(hashes), start, 0
    while nodes:
        if keep is not None:
            keep(height, first, nodes)
        if first & 1:  # a right child whose left sibling stands before the range
            left.append((height, nodes[0]))
            nodes = nodes[1:]
            first += 1
        if len(nodes) & 1:  # a left child whose right sibling is still to come
            right.append((height, nodes.pop()))
        nodes = [
            _sha256(b"\x01" + a + b).digest() for a, b in zip(nodes[::2], nodes[1::2], strict=True)
        ]
        first >>= 1
        height += 1
    return left + right[::-1]


class Frontier:
    """The right edge of a growing tree: all that is needed to append and to tell the root.

    Attributes:
        size: number of leaves. hashes: roots of the complete subtrees, the largest first, one
            for each set bit of the size.
    """

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if size < 0 or size.bit_count() != len(hashes) or any(len(h) != 32 for h in hashes):
            raise ValueError("a frontier has one hash of 32 bytes for each set bit of its size")
        self.size = size
        self.hashes = list(hashes)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Frontier:
        """Read what `to_bytes` gave."""
        return cls(size, [data[i : i + 32] for i in range(0, len(data), 32)])

    def to_bytes(self) -> bytes:
        """The hashes one after another, 32 bytes each."""
        return b"".join(self.hashes)

    def push(self, height: int, digest: bytes, keep: Keep | None = None) -> None:
        """Append a complete subtree of `2 ** height` leaves; the size must be a multiple."""
        if self.size & ((1 << height) - 1):
            raise ValueError(f"a subtree of height {height} does not fit at size {self.size}")
        at = height
        while self.size >> at & 1:
            digest = node_hash(self.hashes.pop(), digest)
            at += 1
            if keep is not None:
                keep(at, self.size >> at, (digest,))
        self.hashes.append(digest)
        self.size += 1 << height

    def extend(self, hashes: Sequence[bytes], keep: Keep | None = None) -> None:
        """Append leaf hashes; `keep` is told of every complete subtree that this makes."""
        for height, digest in compact(self.size, hashes, keep):
            self.push(height, digest, keep)

    def root(self) -> bytes:
        """The Merkle tree hash (32 bytes) of all leaves so far."""
        if not self.hashes:
            return EMPTY_ROOT
        digest = self.hashes[-1]
        for left in self.hashes[-2::-1]:
            digest = node_hash(left, digest)
        return digest


def root_at(size: int, read: Read) -> bytes:
    """The root that the tree had at a size."""
    return _range_root(0, size, read) if size else EMPTY_ROOT


def frontier_at(size: int, read: Read) -> Frontier:
    """The frontier that the tree had at a size."""
    hashes, start = [], 0
    for height in range(size.bit_length() - 1, -1, -1):
        if size >> height & 1:
            hashes.append(read(height, start >> height))
            start += 1 << height
    return Frontier(size, hashes)


def inclusion_proof(index: int, size: int, read: Read) -> list[bytes]:
    """Proof that a leaf is in the tree of that size (RFC 9162 §2.1.3.1), bottom up."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(middle, end, read))
            end = middle
        else:
            path.append(_range_root(start, middle, read))
            start = middle
    return path[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether the proof leads from a leaf hash to the root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, digest = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            digest = node_hash(sibling, digest)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            digest = node_hash(digest, sibling)
        at >>= 1
        last >>= 1
    return last == 0 and digest == root


def consistency_proof(old: int, new: int, read: Read) -> list[bytes]:
    """Proof that the tree of `old` leaves is the start of that of `new` (RFC 9162 §2.1.4.1)."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} is not the start of one of {new}")
    if old in (0, new):
        return []
    path, start, end, whole = [], 0, new, True
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_root(middle, end, read))
            end = middle
        else:
            path.append(_range_root(start, middle, read))
            start = middle
            whole = False
    if not whole:  # else the old root itself is this subtree, and its reader has it
        path.append(_range_root(start, end, read))
    return path[::-1]


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Whether the proof leads from the old root to the new one (RFC 9162 §2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at >>= 1
        last >>= 1
    old_digest = new_digest = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old_digest = node_hash(sibling, old_digest)
            new_digest = node_hash(sibling, new_digest)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            new_digest = node_hash(new_digest, sibling)
        at >>= 1
        last >>= 1
    return last == 0 and old_digest == old_root and new_digest == new_root


def _split(count: int) -> int:
    """The largest power of two below a count."""
    return 1 << (count - 1).bit_length() - 1


def _range_root(start: int, end: int, read: Read) -> bytes:
    """Root over leaves `start` up to `end`; every left part of it is complete."""
    parts = []
    while start < end:
        count = end - start
        size = 1 << count.bit_length() - 1
        height = size.bit_length() - 1
        parts.append(read(height, start >> height))
        start += size
    digest = parts[-1]
    for left in parts[-2::-1]:
        digest = node_hash(left, digest)
    return digest
