"""A set of this node for one peer: evaluated once, and then only what came and went."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from cordon.kernel.errors import TooLarge
from cordon.sharing.match import filters, forms
from cordon.sharing.match.filters import Tags
from cordon.sharing.match.model import Kind
from cordon.sharing.match.oprf import Function, Key

FUNCTION = Function()


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What is kept of a set.

    Attributes:
        digests, tags: of each value, in one order. pads: tags that fill the set up.
    """

    digests: Tags
    tags: Tags
    pads: Tags

    @property
    def all(self) -> Tags:
        """Every tag that the peer has, sorted, each once."""
        return filters.distinct(np.concatenate([self.tags, self.pads]))

    @property
    def size(self) -> int:
        """Tags that the peer has."""
        return len(self.all)


EMPTY = Evaluated(*(np.empty(0, np.uint64) for _ in range(3)))


@dataclass(frozen=True, slots=True)
class Change:
    """A set after it was brought up to date.

    Attributes:
        swaps: tags out and tags in, or None where the whole set is told anew.
        new, gone: inputs that came and went.
    """

    after: Evaluated
    swaps: tuple[Tags, Tags] | None
    new: int
    gone: int


def brought_up(
    before: Evaluated,
    key: Key,
    seed: bytes,
    kind: Kind,
    values: Iterable[str],
    told: Callable[[int], None] | None = None,
) -> Change:
    """Bring a set up to what is held now; only new inputs are evaluated."""
    inputs = list(forms.all_held(kind, values))
    if len(inputs) > filters.MOST // 2:
        raise TooLarge(f"A set has at most {filters.MOST // 2:,} inputs.")
    found = digests(inputs, seed)
    new = ~filters.member(found, before.digests)
    stays = filters.member(before.digests, found)
    fresh = [inputs[n] for n in np.flatnonzero(new)]
    tags = filters.tags_of(FUNCTION.whole(key, fresh, told))
    after_digests = np.concatenate([before.digests[stays], found[new]])
    after_tags = np.concatenate([before.tags[stays], tags])
    # of two values with one tag (once in a thousand sets of a million) the tag stays till both go
    came = filters.distinct(tags[~filters.member(tags, before.tags)])
    went = filters.distinct(before.tags[~filters.member(before.tags, after_tags)])
    pads = before.pads[~filters.member(before.pads, came)]
    counts = (len(fresh), len(before.tags) - int(stays.sum()))
    there = bool(len(before.pads) or len(before.tags))
    if there and not len(came) and not len(went):
        return Change(Evaluated(after_digests, after_tags, pads), (went, came), *counts)
    if there and len(pads) == len(before.pads):
        swaps = filters.swapped(pads, came, went, before.all)
        if swaps is not None:
            out, into, left = swaps
            return Change(Evaluated(after_digests, after_tags, left), (out, into), *counts)
    distinct = filters.distinct(after_tags)
    size = max(filters.padded_size(len(distinct)), before.size)
    pads = pads[: size - len(distinct)]
    more = filters.fresh(size - len(distinct) - len(pads), np.concatenate([distinct, pads]))
    pads = np.concatenate([pads, more])
    return Change(Evaluated(after_digests, after_tags, pads), None, *counts)


def digests(inputs: list[bytes], seed: bytes) -> Tags:
    """Eight bytes of each under the seed: which values were evaluated, without keeping them."""
    key, hashed = hashlib.sha512(b"digests" + seed).digest(), hashlib.blake2b
    parts = [hashed(one, key=key, digest_size=8).digest() for one in inputs]
    return np.frombuffer(b"".join(parts), "<u8").astype(np.uint64)
