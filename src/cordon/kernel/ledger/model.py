"""Words of the ledger: what is asked to be entered, and an entry as it stands for good."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import orjson

from cordon.kernel.errors import BadInput, DoesNotVerify

OUTCOMES = ("done", "read", "refused")
"""`done`: something changed; `read`: personal data was looked at; `refused`: neither was let."""

MOST_LEAF_BYTES = 16_384
_ACT = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+")
_THING = re.compile(r"[a-z][a-z0-9_]*:\S+")
_LENGTHS = {"act": 100, "actor": 100, "unit": 100, "thing": 200, "mark": 20, "authority": 100}


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An act that is to be entered.

    Attributes:
        act: `room.thing.verb`, for example `operations.alert.acknowledge`.
        outcome: one of `OUTCOMES`.
        actor: officer's id, or `service:…`, `console:…`, `node`.
        unit: the actor's unit then, or None.
        thing: `type:id` of what was acted on, for example `alert:0199…`.
        mark: handling mark (TLP) of the thing.
        authority: id of the legal authority it was done under, or None where none was needed.
        detail: a small JSON object. It never holds personal data in clear, because an entry
            outlives the retention of what it speaks of: callers give pseudonyms and counts.

    Raises:
        BadInput: on making one that cannot be entered; the message names the field.
    """

    act: str
    outcome: str
    actor: str
    unit: str | None
    thing: str
    mark: str
    authority: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, most in _LENGTHS.items():
            value = getattr(self, name)
            if isinstance(value, Enum):  # some drivers would bind the member's name
                value = value.value
                object.__setattr__(self, name, value)
            if value is None and name in ("unit", "authority"):
                continue
            # isprintable also keeps out NUL and lone surrogates, which databases refuse
            if not isinstance(value, str) or not 0 < len(value) <= most or not value.isprintable():
                raise _wrong(name, f"printable text of 1 to {most} characters")
        if self.outcome not in OUTCOMES:
            raise _wrong("outcome", "one of " + ", ".join(OUTCOMES))
        if not _ACT.fullmatch(self.act):
            raise _wrong("act", "lower-case words joined by dots, like cases.exhibit.read")
        if not _THING.fullmatch(self.thing):
            raise _wrong("thing", "type:id, like alert:0199…")

    def leaf(self, index: int, at: str, agency: str) -> bytes:
        """The exact bytes that are hashed and kept: canonical JSON, keys sorted, no spaces.

        Args:
            at: as `leaf_time` writes it.
        """
        try:
            leaf = orjson.dumps(
                {
                    "act": self.act,
                    "actor": self.actor,
                    "agency": agency,
                    "at": at,
                    "authority": self.authority,
                    "detail": dict(self.detail),
                    "index": index,
                    "mark": self.mark,
                    "outcome": self.outcome,
                    "thing": self.thing,
                    "unit": self.unit,
                    "v": 1,
                },
                option=orjson.OPT_SORT_KEYS,
            )
        except (TypeError, ValueError):
            raise _wrong("detail", "a JSON object of text, numbers, lists and objects") from None
        if len(leaf) > MOST_LEAF_BYTES:
            raise _wrong("detail", f"small: the whole entry has at most {MOST_LEAF_BYTES} bytes")
        return leaf


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it stands: a `NewEntry` with its place, time and agency.

    Attributes:
        index: from 0, without gap. at: when this node wrote it, aware UTC, never before the
            entry below it. agency: code of the agency whose node wrote it.
    """

    index: int
    at: datetime
    agency: str
    act: str
    outcome: str
    actor: str
    unit: str | None
    thing: str
    mark: str
    authority: str | None
    detail: dict[str, Any]

    @classmethod
    def from_leaf(cls, leaf: bytes) -> Entry:
        """Read the kept bytes; raises DoesNotVerify where they are not an entry."""
        try:
            data = orjson.loads(leaf)
            return cls(
                index=int(data["index"]),
                at=datetime.fromisoformat(data["at"]),
                agency=data["agency"],
                act=data["act"],
                outcome=data["outcome"],
                actor=data["actor"],
                unit=data["unit"],
                thing=data["thing"],
                mark=data["mark"],
                authority=data["authority"],
                detail=data["detail"],
            )
        except (KeyError, TypeError, ValueError):
            raise DoesNotVerify(
                "An entry of the ledger cannot be read: its bytes were changed.",
                advice="Run `cordon ledger verify` to learn which.",
            ) from None


def leaf_time(at: datetime) -> str:
    """RFC 3339 in UTC, always with six digits of fraction, so that text sorts as time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _wrong(name: str, takes: str) -> BadInput:
    return BadInput(f"A ledger entry's {name} is not what it must be.", advice=f"It is {takes}.")
