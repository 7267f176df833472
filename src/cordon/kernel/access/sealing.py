"""Secrets at rest and in the hands of browsers, sealed under a key of the node."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cordon.kernel.errors import DoesNotVerify, WrongSetting
from cordon.kernel.ids import new_id
from cordon.kernel.store.files import naming_full_disk, sync_folder

KEY_FILE = "access-key"
_KEY_BYTES = 32
_NONCE_BYTES = 12


class Sealing:
    """Seals text with AES-256-GCM.

    Args:
        key: 32 secret bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise WrongSetting("The access key does not have 32 bytes.")
        self._cipher = AESGCM(key)

    @classmethod
    def load(cls, folder: Path) -> Sealing:
        """The node's key from its folder, made on the first start (mode 0600).

        Raises:
            WrongSetting: others can read it, or it is no key.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / KEY_FILE
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            raise WrongSetting(
                f"The access key {path} can be read by others on this machine.",
                advice=f"Run `chmod 600 {path}`, and enrol second factors anew if a stranger may "
                "have read it.",
            )
        key = path.read_bytes()
        if len(key) != _KEY_BYTES:
            raise WrongSetting(f"{path} is not a key.", advice="Restore it from the backup.")
        return cls(key)

    def seal(self, text: str, purpose: str) -> str:
        """Seal text; it opens only for the same purpose (`totp:ID`), so it cannot be moved."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), purpose.encode())
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, sealed: str, purpose: str) -> str:
        """Open what `seal` made; raises DoesNotVerify where it is not of this key or purpose."""
        try:
            raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
            text = self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.encode())
        except (InvalidTag, ValueError):
            raise DoesNotVerify(
                "A sealed secret does not open under this node's access key.",
                advice="Restore the key from the backup, or set the secret anew.",
            ) from None
        return text.decode()


def token_hash(token: str) -> str:
    """SHA-256 (hex) of a random token: what the database keeps of it."""
    return hashlib.sha256(token.encode()).hexdigest()


def _make(path: Path) -> None:
    partial = path.with_name(f".{path.name}.{new_id()[-12:]}.partial")
    try:
        with naming_full_disk():
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(os.urandom(_KEY_BYTES))
                out.flush()
                os.fsync(out.fileno())
        try:
            os.link(partial, path)  # of two processes that start at once, one key wins for both
        except FileExistsError:
            return
        sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)
