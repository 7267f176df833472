"""Internet sessions of towns made by hand. Addresses are those kept for documents (RFC 5737)."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

from support.town import DAY0, PEOPLE

MESSENGER, NETWORK = "192.0.2.10", "192.0.2.20"
POOL = [f"203.0.113.{n}" for n in range(1, 9)]  # an operator's shared addresses
HEADER = "start,end,number,public_ip,public_port,remote_ip,bytes_up,bytes_down"


class Surfing:
    """Sessions being made up: everybody reaches a messenger and a content network."""

    def __init__(self, seed: int = 3) -> None:
        self.rng = random.Random(seed)
        self.rows: list[str] = []

    def session(self, number: str, remote: str, public: str = "") -> None:
        start = DAY0 + timedelta(seconds=self.rng.randrange(7 * 86400))
        end = start + timedelta(seconds=self.rng.randrange(1, 3600))
        seen = public or self.rng.choice(POOL)
        port = self.rng.randrange(1024, 65536)
        self.rows.append(
            f"{start.isoformat()},{end.isoformat()},{number},{seen},{port},{remote},10,20"
        )

    def everybody(self, people: Sequence[str] = PEOPLE[:1000]) -> None:
        for person in people:
            for _ in range(3):
                self.session(person, self.rng.choice([MESSENGER, NETWORK]))
            self.session(person, f"198.51.100.{self.rng.randrange(100, 250)}")

    def lines(self, numbers: Iterable[str], *own: str, public: str = "") -> None:
        """Lines that use the messenger too, and reach these addresses."""
        for number in sorted(numbers):
            for remote in (MESSENGER, NETWORK, *own):
                for _ in range(3):
                    self.session(number, remote, public)

    def write(self, path: Path) -> Path:
        path.write_text("\n".join([HEADER, *self.rows]) + "\n")
        return path
