"""Checkpoints: what the ledger was at a size, as C2SP tlog-checkpoint says.

The text of the note is the origin, the size, the base64 root, and any extension lines. The
node signs it; witnesses (other agencies' nodes) add cosignatures below.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cordon.kernel.errors import BadInput, DoesNotVerify
from cordon.kernel.ledger import notes
from cordon.kernel.ledger.notes import Signed, Verifier

_SIZE = re.compile("0|[1-9][0-9]{0,17}")  # below 2**63: what a database can count to


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The ledger's state at one size.

    Attributes:
        origin: the ledger's global name, the same for its whole life.
        size: number of entries. root: Merkle root of them (32 bytes).
        extensions: further lines; this node writes none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The note's text, with its final newline."""
        root = base64.b64encode(self.root).decode()
        return "\n".join((self.origin, str(self.size), root, *self.extensions)) + "\n"

    def sign(self, key: Ed25519PrivateKey) -> str:
        """The signed note; the key's name is the origin, as the standard advises."""
        if not self.origin or self.size < 0 or len(self.root) != 32 or "" in self.extensions:
            raise BadInput("A checkpoint has an origin, a size from 0 and a root of 32 bytes.")
        return notes.sign_note(self.text, self.origin, key)


def read(text: str) -> Checkpoint:
    """Read a checkpoint's text; raises DoesNotVerify where it is none."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 3 or "" in lines:
        raise _malformed("it has fewer than three lines, or an empty one")
    origin, size, encoded, *extensions = lines
    if not _SIZE.fullmatch(size):
        raise _malformed("its size is not a plain number")
    root = notes.decode(encoded)
    if len(root) != 32:
        raise _malformed("its root is not the base64 of 32 bytes")
    return Checkpoint(origin, int(size), root, tuple(extensions))


def open_checkpoint(note: str, log: Verifier | str) -> Checkpoint:
    """Check the ledger's own signature and read the checkpoint.

    Raises:
        DoesNotVerify: it is no checkpoint, or that key did not sign it.
    """
    return read(notes.open_note(note, [log]).text)


def add_witness(note: str, name: str, key: Ed25519PrivateKey, at: datetime) -> str:
    """The checkpoint with a witness's cosignature (see `notes.add_cosignature`)."""
    read(notes.parse_note(note)[0])
    return notes.add_cosignature(note, name, key, at)


def signers(note: str, verifiers: Iterable[Verifier | str]) -> tuple[Signed, ...]:
    """Who of the known keys has signed the note; raises DoesNotVerify where none has."""
    return notes.open_note(note, verifiers).signed


def _malformed(why: str) -> DoesNotVerify:
    return DoesNotVerify(
        f"That is not a checkpoint: {why}.", advice="Get it again from where it came from."
    )
