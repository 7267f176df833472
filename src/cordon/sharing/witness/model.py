"""What a witness knows of another node's ledger, and what speaks against one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Wrong(StrEnum):
    """What was seen of a ledger that must not be."""

    FORK = "fork"
    """Two checkpoints of one size with two roots, both signed."""
    SHRUNK = "shrunk"
    """It is shorter than it was, or cannot prove that it was not."""
    REWRITTEN = "rewritten"
    """It cannot prove that it still begins with what it was."""
    SPLIT = "split"
    """It showed another node a history that does not fit the one that was shown here."""
    SILENT = "silent"
    """It has signed two checkpoints and gives no proof that one leads to the other."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Another node's ledger, and how the two stand to one another.

    Attributes:
        code: of its agency. origin: the ledger's name. key: its verifier string.
        size: entries of the newest checkpoint that was checked and cosigned here, at `seen_at`.
        note: that checkpoint. cosigner: verifier string by which it cosigns ours.
        given: entries of ours that it cosigned last, at `given_at`.
        refused: why it cosigned no more, or empty. open: checkpoints of it that are not yet
            shown to fit.
    """

    code: str
    origin: str
    key: str
    size: int
    root: bytes
    note: str
    seen_at: datetime | None
    cosigner: str
    given: int
    given_at: datetime | None
    refused: str
    open: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks against a ledger: two checkpoints that it signed and that do not fit.

    Attributes:
        told_by: code of the agency whose node had been shown `other`.
        finding: id of the finding that was kept of it.
    """

    id: str
    code: str
    wrong: Wrong
    says: str
    one: str
    other: str
    told_by: str
    at: datetime
    finding: str
