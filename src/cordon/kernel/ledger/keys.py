"""The node's signing key: an Ed25519 key in a file that nobody else can read."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from cordon.kernel.errors import DoesNotVerify, WrongSetting
from cordon.kernel.ids import new_id
from cordon.kernel.ledger.notes import Verifier
from cordon.kernel.store.files import naming_full_disk, sync_folder, written_whole

KEY_FILE = "ledger-key.pem"
VERIFIER_FILE = "ledger-key.pub"


def load_key(folder: Path, name: str) -> Ed25519PrivateKey:
    """The node's key, made on the first start (PEM PKCS #8, mode 0600).

    The public verifier string stands beside it, to be given to whoever verifies.

    Args:
        folder: where the two files stand; made where it is absent.
        name: the ledger's origin, which is the key's name.

    Raises:
        WrongSetting: others can read the key, or the file is no Ed25519 key.
        DoesNotVerify: the verifier beside it is of another key or name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / KEY_FILE
    if not path.exists():
        _make(path)
    key = _read(path)
    verifier = str(Verifier.of(name, key.public_key()))
    public = folder / VERIFIER_FILE
    if not public.exists():
        with written_whole(public) as partial:
            partial.write_text(verifier + "\n")
    elif public.read_text().strip() != verifier:
        raise DoesNotVerify(
            f"{VERIFIER_FILE} is not of the key and origin that this node has.",
            advice="Restore the key or the origin from the backup; a ledger keeps both for life.",
        )
    return key


def _make(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    partial = path.with_name(f".{path.name}.{new_id()[-12:]}.partial")
    try:
        with naming_full_disk():
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(pem)
                out.flush()
                os.fsync(out.fileno())
        try:
            # link, not rename: of two processes that start at once, one key must win for both
            os.link(partial, path)
        except FileExistsError:
            return
        sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def _read(path: Path) -> Ed25519PrivateKey:
    if path.stat().st_mode & 0o077:
        raise WrongSetting(
            f"The signing key {path} can be read by others on this machine.",
            advice=f"Run `chmod 600 {path}`; tell the witnesses if a stranger may have read it.",
        )
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise WrongSetting(
            f"{path} is not an Ed25519 key in PEM PKCS #8 without a password.",
            advice="Restore it from the backup of the node's keys.",
        )
    return key
