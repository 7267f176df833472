"""The connection to a NATS server, and the stream through which relays send what they read."""

from __future__ import annotations

import base64
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cordon.kernel.errors import WrongSetting
from cordon.picture.feeds.address import Address, Keys

STREAM = "cordon-moments"
SUBJECT = "cordon.moments"
"""A relay publishes under it, with the feed's name as the last word; a node reads `SUBJECT.>`."""

FEED, FORM, MOMENT = "Cordon-Feed", "Cordon-Form", "Cordon-At"
"""Headers: the feed's name, what it speaks, and when the moment began (s since the epoch)."""

_CONNECT_S = 10.0
_KEPT_DAYS = 7
_LARGEST = 8 << 30  # bytes of the stream, beyond which its oldest moments go


@asynccontextmanager
async def connected(address: Address, keys: Keys) -> AsyncIterator[Any]:
    """A connection that does not come back by itself: whoever reads goes on from a known place."""
    import nats

    options: dict[str, Any] = {}
    if keys.nats_credentials is not None:
        options |= _credentials(keys.nats_credentials)
    if keys.nats_authorities is not None:
        options["tls"] = ssl.create_default_context(cafile=str(keys.nats_authorities))
    client = await nats.connect(
        f"nats://{address.host}:{address.port}",
        allow_reconnect=False,
        connect_timeout=_CONNECT_S,
        max_reconnect_attempts=0,
        ping_interval=10,
        max_outstanding_pings=2,
        error_cb=_quiet,
        **options,
    )
    try:
        yield client
    finally:
        await client.close()


def _credentials(path: Path) -> dict[str, Any]:
    """How to show who this is: the user's JWT and seed of a credentials file, or a token alone.

    Source: the credentials files of NATS (`nsc generate creds`), and its nkeys: base32 of two
    bytes of prefix, the 32 of an Ed25519 seed, and two of a checksum.
    """
    try:
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as wrong:
        raise WrongSetting(f"The credentials of NATS, {path}, cannot be read.") from wrong
    parts = re.findall(r"-----BEGIN [^-]+-----\s*(\S+)\s*-+END", text)
    if not parts:
        return {"token": text.strip()}
    if len(parts) != 2:
        raise WrongSetting(f"{path} holds no JWT and seed of NATS.")
    jwt, seed = parts
    try:
        raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
        key = Ed25519PrivateKey.from_private_bytes(raw[2:34])
    except ValueError:
        raise WrongSetting(f"{path} holds no seed of NATS.") from None
    return {
        "user_jwt_cb": jwt.encode,
        "signature_cb": lambda nonce: base64.b64encode(key.sign(nonce.encode())),
    }


async def _quiet(_fault: Exception) -> None:
    """Faults are raised where something waits for an answer; NATS's own log says no more."""


async def stream_made(client: Any) -> None:
    """Make the stream of moments where the server has none."""
    from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
    from nats.js.errors import NotFoundError

    js = client.jetstream()
    try:
        await js.stream_info(STREAM)
    except NotFoundError:
        await js.add_stream(
            StreamConfig(
                name=STREAM,
                subjects=[f"{SUBJECT}.>"],
                retention=RetentionPolicy.LIMITS,
                storage=StorageType.FILE,
                discard=DiscardPolicy.OLD,
                max_age=_KEPT_DAYS * 86_400,
                max_bytes=_LARGEST,
                duplicate_window=600,
            )
        )
