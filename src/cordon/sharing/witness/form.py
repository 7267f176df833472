"""The body by which a ledger gives its checkpoint to a witness (c2sp.org/tlog-witness).

old SIZE
BASE64-HASH           (the consistency proof from SIZE, none to 63 lines)

CHECKPOINT            (the signed note)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cordon.kernel.errors import BadInput
from cordon.kernel.ledger import notes

MOST_HASHES = 63
MOST_NOTE = 16 << 10  # bytes; ours have about 300 and 150 more for each cosignature
_MOST = MOST_NOTE + MOST_HASHES * 45 + 40


@dataclass(frozen=True, slots=True)
class Given:
    """A checkpoint as it was given: the size that the witness has seen, the proof, the note."""

    old: int
    proof: tuple[bytes, ...]
    note: str


def write(old: int, proof: Sequence[bytes], note: str) -> str:
    """The body."""
    return "".join([f"old {old}\n", *(f"{notes.encode(h)}\n" for h in proof), "\n", note])


def read(body: object) -> Given:
    """Read a body; raises BadInput where it is none."""
    if not isinstance(body, str) or len(body) > _MOST:
        raise _malformed("it is no text, or too long")
    head, cut, note = body.partition("\n\n")
    first, *lines = head.split("\n")
    size = first.removeprefix("old ")
    if not cut or not first.startswith("old ") or len(lines) > MOST_HASHES:
        raise _malformed("it does not begin with an old size and a proof")
    plain = size.isascii() and size.isdigit() and len(size) < 19
    if not plain or (size != "0" and size.startswith("0")):
        raise _malformed("its old size is not a plain number")
    proof = tuple(notes.decode(line) for line in lines)
    if any(len(h) != 32 for h in proof):
        raise _malformed("a line of its proof is not the base64 of 32 bytes")
    return Given(int(size), proof, note)


def hashes(said: object) -> tuple[bytes, ...] | None:
    """A proof as a list of base64; None where it is none."""
    if not isinstance(said, list) or len(said) > MOST_HASHES:
        return None
    found = tuple(notes.decode(h) if isinstance(h, str) else b"" for h in said)
    return found if all(len(h) == 32 for h in found) else None


def _malformed(why: str) -> BadInput:
    return BadInput(f"That gives no checkpoint: {why}.")
