"""Signed notes: text with signature lines, as C2SP signed-note says (c2sp.org/signed-note).

Two kinds of signature are made and read: Ed25519 over the text (type 0x01), and the
timestamped cosignature of a witness over a checkpoint (type 0x04, c2sp.org/tlog-cosignature).
A signature by an unknown key is passed over, which is what lets other agencies' nodes add
theirs to a note without anybody's leave.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cordon.kernel.clock import as_utc
from cordon.kernel.errors import BadInput, DoesNotVerify

ED25519 = 0x01
"""Signature type: Ed25519 over the note's text."""
COSIGNATURE = 0x04
"""Signature type: Ed25519 over `cosignature/v1`, a time, and the note's text."""

MOST_BYTES = 1 << 20  # the standard asks verifiers to bound a note, and to take 16 signatures
MOST_SIGNATURES = 64
_DASH = "\N{EM DASH} "


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name: `name+hash+base64`, the hash being the key ID in hex.

    Attributes:
        name: the key's name, without space or plus.
        kind: `ED25519` or `COSIGNATURE`.
        public: 32 bytes (RFC 8032).
    """

    name: str
    kind: int
    public: bytes

    @classmethod
    def of(cls, name: str, key: Ed25519PublicKey, kind: int = ED25519) -> Verifier:
        """The verifier of a public key; raises BadInput where the name is not one."""
        check_name(name)
        return cls(name, kind, key.public_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read `name+hash+base64`; raises BadInput where it is no such thing."""
        name, _, rest = text.strip().partition("+")
        digest, _, encoded = rest.partition("+")
        data = decode(encoded)
        if len(data) != 33 or data[0] not in (ED25519, COSIGNATURE):
            raise BadInput(
                "That is not a verifier key.", advice="It is one line: name+hash+base64 of the key."
            )
        found = cls(name, data[0], data[1:])
        check_name(name)
        if found.key_id.hex() != digest:
            raise BadInput(
                f"The verifier key of {name} is damaged: its hash is not that of its key.",
                advice="Copy the whole line again.",
            )
        return found

    def __str__(self) -> str:
        data = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{data}"

    @property
    def key_id(self) -> bytes:
        """Four bytes: the start of SHA-256(name, newline, type, key)."""
        return key_id(self.name, self.kind, self.public)

    @property
    def fingerprint(self) -> str:
        """`SHA256:` and the base64 of the public key's SHA-256, to be compared by telephone."""
        digest = hashlib.sha256(self.public).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def check(self, text: str, signature: bytes) -> Signed | None:
        """Check the bytes after the key ID; None where this key did not sign this text."""
        message, at = text.encode(), None
        if self.kind == COSIGNATURE:
            if len(signature) != 72:
                return None
            (stamp,) = struct.unpack(">Q", signature[:8])
            signature = signature[8:]
            message = _cosigned(text, stamp)
            try:
                at = datetime.fromtimestamp(stamp, UTC)
            except (OverflowError, ValueError, OSError):
                return None
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return None
        return Signed(self, at)


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that was checked: whose, and when for a witness (to the second)."""

    verifier: Verifier
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line as it stands: name, key ID (4 bytes), signature (bytes after it)."""

    name: str
    key_id: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note whose text at least one trusted key signed.

    Attributes:
        text: with its final newline. signed: the signatures that were checked.
        others: the lines of keys that the reader does not know, unchecked.
    """

    text: str
    signed: tuple[Signed, ...]
    others: tuple[Signature, ...]


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """Four bytes that, with the name, say which key and which type of signature it is."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def check_name(name: str) -> None:
    """Raise BadInput where a text cannot be a key's name."""
    if not name or "+" in name or any(c.isspace() or ord(c) < 32 for c in name):
        raise BadInput(
            "A key's name is not empty and holds neither space nor plus.",
            advice="Write it like an address without https://, for example agency.example/ledger.",
        )


def sign_note(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """A note of this text (ending in a newline) with one Ed25519 signature."""
    _check_text(text)
    check_name(name)
    public = key.public_key().public_bytes_raw()
    return f"{text}\n{_line(name, key_id(name, ED25519, public), key.sign(text.encode()))}"


def add_cosignature(note: str, name: str, key: Ed25519PrivateKey, at: datetime) -> str:
    """The note with a witness's timestamped signature below the others.

    The caller has checked before that the note is consistent with what it saw earlier: that
    is what a cosignature says.
    """
    text, _ = parse_note(note)
    check_name(name)
    stamp = int(as_utc(at).timestamp())
    public = key.public_key().public_bytes_raw()
    signature = struct.pack(">Q", stamp) + key.sign(_cosigned(text, stamp))
    return note + _line(name, key_id(name, COSIGNATURE, public), signature)


def parse_note(note: str) -> tuple[str, tuple[Signature, ...]]:
    """Text and signature lines, nothing checked; raises DoesNotVerify where it is no note."""
    if len(note.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise _malformed("it is too long")
    if any(ord(c) < 32 and c != "\n" for c in note):
        raise _malformed("it holds control characters")
    cut = note.rfind("\n\n")
    if cut < 0 or not note.endswith("\n"):
        raise _malformed("it has no signature, or was cut off")
    text, lines = note[: cut + 1], note[cut + 2 : -1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise _malformed("it has too many signatures")
    return text, tuple(_read_line(line) for line in lines)


def open_note(note: str, verifiers: Iterable[Verifier | str]) -> Note:
    """Check a note against known keys and return its text.

    Raises:
        DoesNotVerify: it is no note, no known key signed it, or a known key's signature is
            not of this text.
    """
    known: dict[tuple[str, bytes], Verifier] = {}
    for one in verifiers:
        verifier = Verifier.parse(one) if isinstance(one, str) else one
        known[verifier.name, verifier.key_id] = verifier
    text, lines = parse_note(note)
    signed: dict[tuple[str, bytes], Signed] = {}
    others = []
    for line in lines:
        its_key = known.get((line.name, line.key_id))
        if its_key is None:
            others.append(line)
            continue
        checked = its_key.check(text, line.data)
        if checked is None:
            raise DoesNotVerify(
                f"The signature of {line.name} is not of this text: one of them was changed.",
                advice="Get the note again from where it came from.",
            )
        signed.setdefault((line.name, line.key_id), checked)
    if not signed:
        raise DoesNotVerify(
            "No key that is trusted here signed this note.",
            advice="Check that the verifier key is that of the node it came from.",
        )
    return Note(text, tuple(signed.values()), tuple(others))


def decode(text: str) -> bytes:
    """Read base64 (RFC 4648 §4); empty where it is not the one way to write those bytes."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    # unused bits at the end could otherwise be changed without anybody noticing
    return data if base64.b64encode(data).decode() == text else b""


def encode(data: bytes) -> str:
    """Write base64 (RFC 4648 §4)."""
    return base64.b64encode(data).decode()


def _cosigned(text: str, stamp: int) -> bytes:
    return f"cosignature/v1\ntime {stamp}\n{text}".encode()


def _line(name: str, its_id: bytes, signature: bytes) -> str:
    return f"{_DASH}{name} {base64.b64encode(its_id + signature).decode()}\n"


def _read_line(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    data = decode(encoded)
    if not line.startswith(_DASH) or len(data) < 5:
        raise _malformed("a signature line cannot be read")
    try:
        check_name(name)
    except BadInput:
        raise _malformed("a signature line has no name") from None
    return Signature(name, data[:4], data[4:])


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(ord(c) < 32 and c != "\n" for c in text):
        raise BadInput(
            "The text of a note ends in a newline and holds no control character.",
            advice="Leave out tabs and carriage returns.",
        )


def _malformed(why: str) -> DoesNotVerify:
    return DoesNotVerify(
        f"That is not a signed note: {why}.", advice="Get it again from where it came from."
    )
