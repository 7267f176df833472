"""The words of the room `exercise`: what was planted, a world, and what it wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import orjson

from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.errors import BadInput


@dataclass(frozen=True, slots=True)
class Truth:
    """Something that an exercise planted.

    Attributes:
        kind: kind of the finding that should tell it. subjects: sorted `type:id`.
        start, end: aware UTC. place: GeoJSON geometry or None. note: a sentence for the review.
    """

    kind: str
    subjects: tuple[str, ...]
    start: datetime
    end: datetime
    place: dict[str, Any] | None = None
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The truth as formats.md lays it out."""
        return {
            "kind": self.kind,
            "subjects": list(self.subjects),
            "start": format_time(self.start),
            "end": format_time(self.end),
            "place": self.place,
            "note": self.note,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Truth:
        """Read one object of a truth file; BadInput names what is wrong."""
        try:
            made = cls(
                kind=str(data["kind"]),
                subjects=tuple(sorted({str(s) for s in data["subjects"]})),
                start=parse_time(data["start"]),
                end=parse_time(data["end"]),
                place=data.get("place"),
                note=str(data.get("note", "")),
            )
        except KeyError as missing:
            raise BadInput(f"A truth has no {missing}.") from None
        except (TypeError, AttributeError):
            raise BadInput("A truth is no object of the format “truth”.") from None
        if made.end < made.start or not made.subjects:
            raise BadInput(f"A truth of {made.kind} has no subject, or ends before it starts.")
        return made


def write_truths(truths: Iterable[Truth]) -> Iterator[bytes]:
    """Truths as JSON Lines: one line of UTF-8 bytes each, newline included."""
    for truth in truths:
        yield orjson.dumps(truth.to_dict(), option=orjson.OPT_APPEND_NEWLINE)


def read_truths(path: Path) -> Iterator[Truth]:
    """Truths of a JSON Lines file; a broken line is an error that names its number."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield Truth.from_dict(orjson.loads(line))
            except (orjson.JSONDecodeError, BadInput) as wrong:
                raise BadInput(f"{path.name}, line {number}: {wrong}") from None


PLAYED = "world.json"  # beside the truth: which world it is of, and its span


@dataclass(frozen=True, slots=True)
class Played:
    """Which world a folder holds: its name and what it was generated with.

    Attributes:
        start, end: the span that was played (aware UTC).
    """

    name: str
    seed: int
    days: float
    scale: float
    start: datetime
    end: datetime

    def to_bytes(self) -> bytes:
        """As `world.json` holds it: one object, UTF-8."""
        data = {name: getattr(self, name) for name in ("name", "seed", "days", "scale")}
        data |= {"start": format_time(self.start), "end": format_time(self.end)}
        return orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read_played(truth: Path) -> Played | None:
    """What stands beside a truth file; None where nothing does, BadInput where it is broken."""
    path = truth.with_name(PLAYED)
    if not path.exists():
        return None
    try:
        data = orjson.loads(path.read_bytes())
        made = Played(
            str(data["name"]),
            int(data["seed"]),
            float(data["days"]),
            float(data["scale"]),
            parse_time(data["start"]),
            parse_time(data["end"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, BadInput) as wrong:
        raise BadInput(
            f"{path.name} beside {truth.name} is broken: {wrong}",
            advice="Say the exercise's length with --days, and take the file away.",
        ) from None
    if made.end <= made.start:
        raise BadInput(f"{path.name} beside {truth.name} ends before it starts.")
    return made


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a world wrote.

    Attributes:
        folder: where. files: path by format (`positions`, `zones`, `calls`, …; `truth`, and
            `world`, the span that a score is counted over).
        rows: rows or lines of each. start, end: the span that was played (aware UTC).
    """

    folder: Path
    files: Mapping[str, Path]
    rows: Mapping[str, int]
    start: datetime
    end: datetime


class World(Protocol):
    """A world that an exercise can generate; a module with these names is one."""

    NAME: str
    SAYS: str

    def generate(
        self, seed: int, days: float, scale: float, out: Path, *, start: datetime | None = None
    ) -> Inputs:
        """Write inputs and truth; the same arguments give the same bytes.

        Args:
            seed: of every random choice, 0 or more. days: length of the span.
            scale: 1 is the world's own size; numbers of vessels and people go with it.
            out: folder, made where absent; files in it are written over, all or none
                (`worlds.folder.written_together`).
            start: first moment (aware UTC), or the world's own.
        """
        ...
