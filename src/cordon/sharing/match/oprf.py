"""The oblivious function of RFC 9497, suite ristretto255-SHA512, with a proof (mode VOPRF).

Who holds the key computes F(key, input) without seeing the input; who asks learns F and not the
key, and a proof that all answers were made with the one key whose public half it has.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cordon.kernel.errors import BadInput, DoesNotVerify
from cordon.sharing.match import group

OPRF, VOPRF = 0, 1
SEED_BYTES = 32
PROOF_BYTES = 2 * group.BYTES
MOST_INPUT = 0xFFFF  # bytes, RFC 9497 §1.2
_BLOCK = 128  # bytes of a block of SHA-512
_ZEROS = hashlib.sha512(bytes(_BLOCK))
_TRIES = 256
_ELEMENT, _END = group.BYTES.to_bytes(2, "big"), b"Finalize"
_MANY = 2_000  # inputs for which it is worth loading what is compiled for vectors


def _context(mode: int) -> bytes:
    return b"OPRFV1-" + bytes([mode]) + b"-ristretto255-SHA512"


def expand(message: bytes, tag: bytes, length: int = group.HASH_BYTES) -> bytes:
    """expand_message_xmd with SHA-512 (RFC 9380 §5.3.1); length: bytes, at most 64 here."""
    if not 0 < length <= group.HASH_BYTES or len(tag) > 255:
        raise ValueError("one block of at most 64 bytes, and a tag of at most 255")
    end = tag + bytes([len(tag)])
    first = _ZEROS.copy()
    first.update(message + length.to_bytes(2, "big") + b"\0" + end)
    return hashlib.sha512(first.digest() + b"\1" + end).digest()[:length]


def expand_all(messages: Sequence[bytes], tag: bytes) -> list[bytes]:
    """As `expand` of each, to 64 bytes: what is the same for all is put together once."""
    end, hashed = tag + bytes([len(tag)]), hashlib.sha512
    after, before = group.HASH_BYTES.to_bytes(2, "big") + b"\0" + end, b"\1" + end
    found = []
    for message in messages:
        first = _ZEROS.copy()
        first.update(message + after)
        found.append(hashed(first.digest() + before).digest())
    return found


def _scalar(message: bytes, tag: bytes) -> int:
    return int.from_bytes(expand(message, tag), "little") % group.ORDER


def _counted(part: bytes) -> bytes:
    return len(part).to_bytes(2, "big") + part


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A secret key and its public half."""

    secret: bytes
    public: bytes


def key_of(seed: bytes, info: bytes, mode: int = VOPRF) -> Key:
    """The key that a seed of 32 bytes gives for a purpose (`DeriveKeyPair`, §3.2.1)."""
    if len(seed) != SEED_BYTES:
        raise ValueError("a seed has 32 bytes")
    for tried in range(_TRIES):
        found = _scalar(seed + _counted(info) + bytes([tried]), b"DeriveKeyPair" + _context(mode))
        if found:
            secret = group.scalar(found)
            return Key(secret, group.times_base(secret))
    raise ValueError("this seed gives no key")  # once in 2^252


class Function:
    """The function of one mode; VOPRF is the mode of all questions between nodes."""

    def __init__(self, mode: int = VOPRF) -> None:
        self.mode = mode
        self._context = _context(mode)
        self._group = b"HashToGroup-" + self._context
        self._number = b"HashToScalar-" + self._context

    def element(self, given: bytes) -> bytes:
        """The element that an input (at most 65,535 bytes) leads to."""
        if len(given) > MOST_INPUT:
            raise BadInput("A value of a question is too long.")
        return group.from_hash(expand(given, self._group))

    def blind(self, inputs: Sequence[bytes], blinds: Sequence[bytes]) -> list[bytes]:
        """What is sent: each input's element times its blind, a random scalar."""
        return group.each(lambda i, b: group.times(b, self.element(i)), inputs, blinds)

    def evaluate(self, key: Key, blinded: Sequence[bytes]) -> list[bytes]:
        """What is answered; BadInput where one is no element, or the identity."""
        return group.each(lambda e: group.times(key.secret, e), blinded)

    def whole(
        self, key: Key, inputs: Sequence[bytes], told: Callable[[int], None] | None = None
    ) -> list[bytes]:
        """F(key, input) of each, for whoever has key and inputs (`Evaluate`): 64 bytes each.

        Many are evaluated in vectors; of each batch one is held against libsodium, drawn by chance.
        """
        if len(inputs) < _MANY:

            def one(given: bytes) -> bytes:
                return self._output(given, group.times(key.secret, self.element(given)))

            return group.each(one, inputs, told=told)

        def batch(those: Sequence[bytes]) -> list[bytes]:
            elements = group.times_hashed(key.secret, expand_all(those, self._group))
            return [self._output(i, e) for i, e in zip(those, elements, strict=True)]

        return group.batches(batch, inputs, told=told)

    def finalize(
        self, inputs: Sequence[bytes], blinds: Sequence[bytes], evaluated: Sequence[bytes]
    ) -> list[bytes]:
        """F(key, input) of each, from what was answered: 64 bytes each."""

        def one(given: bytes, blind: bytes, element: bytes) -> bytes:
            return self._output(given, group.times(group.inverse(blind), element))

        return group.each(one, inputs, blinds, evaluated)

    def _output(self, given: bytes, element: bytes) -> bytes:
        return hashlib.sha512(_counted(given) + _ELEMENT + element + _END).digest()

    # the proof, §2.2

    def prove(
        self,
        key: Key,
        blinded: Sequence[bytes],
        evaluated: Sequence[bytes],
        random: bytes | None = None,
    ) -> bytes:
        """64 bytes that prove one key behind all answers.

        Args:
            random: a scalar that is used once; for the standard's own examples alone.
        """  # fmt: skip
        weights = self._weights(key.public, blinded, evaluated)
        both = _sum(weights, blinded)
        made = group.times(key.secret, both)
        r = random or group.random_scalar()
        c = self._challenge(key.public, both, made, group.times_base(r), group.times(r, both))
        s = group.number(r) - c * group.number(key.secret)
        return group.scalar(c) + group.scalar(s)

    def check(
        self, public: bytes, blinded: Sequence[bytes], evaluated: Sequence[bytes], proof: bytes
    ) -> None:
        """DoesNotVerify where not every answer was made with the key of this public half."""
        try:
            if len(proof) != PROOF_BYTES or len(blinded) != len(evaluated) or not blinded:
                raise BadInput("The proof or the answers are cut off.")
            c, s = (group.number(part) for part in group.split(proof))
            weights = self._weights(public, blinded, evaluated)
            both, made = _sum(weights, blinded), _sum(weights, evaluated)
            one, other = group.scalar(c), group.scalar(s)
            t2 = group.plus(group.times_base(other), group.times(one, public))
            t3 = group.plus(group.times(other, both), group.times(one, made))
            expected = self._challenge(public, both, made, t2, t3)
        except (BadInput, RuntimeError, ValueError):
            expected = None
        if expected is None or not hmac.compare_digest(group.scalar(expected), group.scalar(c)):
            raise DoesNotVerify(
                "The answer's proof does not hold: it was not made with the key that was given.",
                advice="Use nothing of it, and ring the other agency.",
            )

    def _weights(
        self, public: bytes, blinded: Sequence[bytes], evaluated: Sequence[bytes]
    ) -> list[bytes]:
        seed = hashlib.sha512(_counted(public) + _counted(b"Seed-" + self._context)).digest()
        return [
            group.scalar(
                _scalar(
                    _counted(seed) + n.to_bytes(2, "big") + _counted(c) + _counted(d)
                    + b"Composite",
                    self._number,
                )
            )
            for n, (c, d) in enumerate(zip(blinded, evaluated, strict=True))
        ]  # fmt: skip

    def _challenge(self, *parts: bytes) -> int:
        return _scalar(b"".join(map(_counted, parts)) + b"Challenge", self._number)


def _sum(weights: Sequence[bytes], elements: Sequence[bytes]) -> bytes:
    total: bytes | None = None
    for part in group.each(group.times, weights, elements):
        total = part if total is None else group.plus(total, part)
    if total is None:
        raise BadInput("There is nothing to prove.")
    return total
