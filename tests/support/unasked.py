"""Who asks, for tests of a room's routes without the shell: the test itself says who it is."""

from __future__ import annotations

from typing import Any


class Unasked:
    """Takes the place of the shell's identity, and lets everything by."""

    def identify(self, connection: Any) -> None:
        """The test has set `state.actor`."""

    async def check_csrf(self, connection: Any) -> None:
        """The test sends no forms of a browser."""

    def check_password(self, connection: Any) -> None:
        """Nobody's password is another's."""
