"""Global ids: UUIDv7 (RFC 9562 §5.7), made by one agency's node.

An id sorts by the time it was made. Together with the agency's code it is the global
name of a thing, written `agency:uuid` (for example `pk-mcg:0199…`).
"""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def new_id(unix_ms: int | None = None) -> str:
    """Return a new UUIDv7 as lower-case text of 36 characters.

    Ids made by one process are strictly increasing, also within a millisecond and when
    the clock steps back (RFC 9562 §6.2, method 1: a counter in rand_a).

    Args:
        unix_ms: milliseconds since the epoch, for the id of another time; such an id does not
            move the counter. The machine's clock where it is absent.
    """
    global _last
    if unix_ms is not None:
        if not 0 <= unix_ms < 1 << 48:
            raise ValueError("a UUIDv7 holds 48 bits of milliseconds")
        stamp = unix_ms << 12 | int.from_bytes(os.urandom(2), "big") & 0xFFF
    else:
        with _lock:
            stamp = _last = max(time.time_ns() // 1_000_000 << 12, _last + 1)
    value = (stamp >> 12) << 80 | 7 << 76 | (stamp & 0xFFF) << 64 | 2 << 62
    value |= int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return str(UUID(int=value))


def is_id(text: str) -> bool:
    """True where the text is a UUIDv7 in its canonical form."""
    try:
        value = UUID(text)
    except ValueError:
        return False
    return value.version == 7 and str(value) == text


def global_id(agency: str, id_: str) -> str:
    """The name of a thing between agencies: `agency:uuid`."""
    return f"{agency}:{id_}"
