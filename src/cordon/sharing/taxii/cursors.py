"""Cursors of pages: a serial, sealed so that it says nothing and fits one collection alone."""

from __future__ import annotations

from cordon.kernel.access.sealing import Sealing
from cordon.kernel.errors import BadUsage, DoesNotVerify

_LONGEST = 200


class Cursors:
    """Makes and reads the `next` of TAXII (§3.5).

    A serial in clear would tell how many objects one does not see.
    """

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing

    def make(self, collection: str, serial: int) -> str:
        """The cursor behind a serial of a collection."""
        return self._sealing.seal(str(serial), f"taxii-next:{collection}")

    def read(self, collection: str, cursor: str | None) -> int:
        """The serial of a cursor, 0 of none; BadUsage where this node did not give it."""
        if cursor is None:
            return 0
        try:
            if len(cursor) > _LONGEST:
                raise ValueError
            return int(self._sealing.open(cursor, f"taxii-next:{collection}"))
        except (DoesNotVerify, ValueError):
            raise BadUsage(
                "The parameter next is none that this node gave for this collection.",
                advice="Begin again without it, with added_after of what you have.",
            ) from None
