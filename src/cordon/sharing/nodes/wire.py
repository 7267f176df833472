"""What one request between nodes is: a signed JSON text, dated, numbered, for one receiver."""

from __future__ import annotations

import base64
import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.errors import BadInput, Conflict
from cordon.sharing.nodes.keys import NodeKeys, check
from cordon.sharing.nodes.model import MOST_OFF

MOST_BYTES = 4 << 20
SIGNATURE = "Cordon-Signature"
TIME = "Cordon-Time"  # of an answer
_NODE = b"cordon node request v1\n"


def write(keys: NodeKeys, to: str, path: str, now: datetime, body: Any) -> tuple[bytes, str]:
    """A request and its signature (base64)."""
    whole = {
        "from": keys.agency, "to": to, "at": format_time(now), "nonce": secrets.token_hex(16),
        "body": body,
    }  # fmt: skip
    data = json.dumps(whole, ensure_ascii=False, allow_nan=False).encode()
    return data, base64.b64encode(keys.sign(_signed(path, data))).decode()


class Reader:
    """Reads requests, each once.

    A nonce is remembered for as long as its request's date would pass. What is dated before this
    process began is refused: its nonces are forgotten.

    Args:
        agency: whose node this is. since: when this process began.
        clock: told how far a peer's clock is ahead (s), also where that is too far.
    """

    def __init__(
        self,
        agency: str,
        since: datetime,
        clock: Callable[[str, float], None] = lambda _code, _off_s: None,
    ) -> None:
        self._agency = agency
        self._clock = clock
        self._since = since
        self._lock = threading.Lock()
        self._seen: OrderedDict[tuple[str, str], datetime] = OrderedDict()

    def read(
        self, code: str, certificate: str, path: str, data: bytes, signature: str, now: datetime
    ) -> dict[str, Any]:
        """The body of a request of this peer.

        Raises:
            DoesNotVerify: its key did not sign it. BadInput: it is no request, or another's.
            Conflict: the clocks differ, or it came before.
        """
        check(certificate, _signed(path, data), signature)
        try:
            whole = json.loads(data)
            at = parse_time(whole["at"])
            nonce, body = whole["nonce"], whole["body"]
            ours = (whole["from"], whole["to"]) == (code, self._agency)
        except (ValueError, KeyError, TypeError, RecursionError, BadInput):
            ours, body = False, None
        if not ours or not isinstance(body, dict) or not isinstance(nonce, str) or len(nonce) != 32:
            raise BadInput("That is no request of this peer to this node.")
        off = at - now
        self._clock(code, off.total_seconds())
        if abs(off) > MOST_OFF:
            raise Conflict(
                f"The clocks of the two nodes differ by {off.total_seconds():+.0f} s; "
                f"{MOST_OFF.total_seconds():.0f} s are let pass.",
                advice="Set the clock that is wrong.",
            )
        if at < self._since:
            raise Conflict("The request is from before this node was started. Send it anew.")
        with self._lock:
            while self._seen and next(iter(self._seen.values())) < now:
                self._seen.popitem(last=False)
            if (code, nonce) in self._seen:
                raise Conflict("This request came before.", advice="Send it anew.")
            # until: the same for all, so that the order of coming is the order of forgetting
            self._seen[code, nonce] = now + 2 * MOST_OFF
        return body


def _signed(path: str, data: bytes) -> bytes:
    return _NODE + path.encode() + b"\n" + data
