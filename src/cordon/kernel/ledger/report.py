"""What a verification says: each problem with the entry it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cordon.kernel.clock import format_time
from cordon.kernel.errors import DoesNotVerify
from cordon.kernel.ledger.notes import Signed, Verifier

MOST_PROBLEMS = 1000  # written out; all are counted

Progress = Callable[[int, int], None]
"""Told how many entries are done, of how many."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: index of the entry (or of the first of several), or None."""

    index: int | None
    says: str


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint that a witness cosigned and that leads to the one that was verified.

    Attributes:
        key: the witness's verifier string. given: False where it came from the export itself.
    """

    name: str
    key: str
    size: int
    at: datetime | None
    given: bool


@dataclass(slots=True)
class Report:
    """The outcome of a verification.

    Attributes:
        kind: `whole` (an export from entry 0 on), `rest` (from a later one on), `slice` (chosen
            entries), or `database`.
        start: index of the first entry that it speaks of; None for a slice.
        origin, size, root: of the checkpoint that it was held against; root in hex.
        checked: number of entries that were read.
        key: the verifier that the checkpoint's signature was checked with, or None.
        key_given: False where that key came from the export itself, and so proves only that
            the export agrees with itself.
        signed: who of the known keys signed, witnesses too.
        witnessed: which witness cosigned which size.
        problems: what is wrong, the first 1,000. count: how many there are.
        seconds: how long it took.
    """

    kind: str
    start: int | None = 0
    origin: str = ""
    size: int = 0
    root: str = ""
    checked: int = 0
    key: Verifier | None = None
    key_given: bool = True
    signed: tuple[Signed, ...] = ()
    witnessed: list[Witnessed] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    count: int = 0
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """True where nothing is wrong."""
        return self.count == 0

    def wrong(self, index: int | None, says: str) -> None:
        """Note a problem."""
        self.count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(index, says))

    def remarks(self) -> list[str]:
        """What the reader must know besides, a sentence each."""
        said = []
        if self.kind == "rest":
            said.append(f"It begins at entry {self.start}: of those before it nothing was checked.")
        if self.kind == "slice":
            said.append("A slice proves the entries it holds, and not that there are no others.")
        for one in self.witnessed:
            when = "" if one.at is None else f" at {format_time(one.at)}"
            own = "" if one.given else " (by a key that lies in the export itself)"
            said.append(f"{one.name} cosigned the first {one.size} entries{when}{own}.")
        if self.witnessed and (most := max(w.size for w in self.witnessed)) < self.size:
            said.append(f"Entries from {most} on no witness has seen yet.")
        if self.key is not None and not self.key_given:
            said.append(
                "Checked with the key that lies in the export itself, which whoever forged the "
                "rest would have forged too. Compare its fingerprint with the agency: "
                f"{self.key.fingerprint}"
            )
        return said

    def require(self) -> None:
        """Raise DoesNotVerify where anything is wrong, with the first problem."""
        if self.problems:
            first = self.problems[0]
            where = "" if first.index is None else f"Entry {first.index}: "
            more = "" if self.count == 1 else f" ({self.count - 1} more.)"
            raise DoesNotVerify(f"The ledger does not verify. {where}{first.says}{more}")

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "ok": self.ok,
            "kind": self.kind,
            "start": self.start,
            "origin": self.origin,
            "size": self.size,
            "root": self.root,
            "checked": self.checked,
            "key": None if self.key is None else str(self.key),
            "fingerprint": None if self.key is None else self.key.fingerprint,
            "key_given": self.key_given,
            "signed": [
                {"name": s.verifier.name, "at": None if s.at is None else format_time(s.at)}
                for s in self.signed
            ],
            "witnessed": [
                {
                    "name": w.name,
                    "key": w.key,
                    "size": w.size,
                    "at": None if w.at is None else format_time(w.at),
                    "key_given": w.given,
                }
                for w in self.witnessed
            ],
            "problems": [{"index": p.index, "says": p.says} for p in self.problems],
            "problem_count": self.count,
            "remarks": self.remarks(),
            "seconds": round(self.seconds, 3),
        }
