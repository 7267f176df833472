"""Reports as columns, a slice of the exercise at a time, before they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

KINDS = ("unknown", "vessel", "vehicle", "person", "aircraft")  # formats.md, positions
_TYPES = {
    "arrive": np.float64,
    "t": np.float64,
    "source": np.int32,
    "subject": np.int32,
    "lat": np.float64,
    "lon": np.float64,
    "speed": np.float64,
    "course": np.float64,
    "heading": np.float64,
    "accuracy": np.float64,
    "kind": np.int8,
    "said": np.int32,
    "message": np.int8,
    "status": np.int8,
    "who": np.int32,
}


@dataclass(frozen=True, slots=True)
class Rows:
    """Reports as columns of equal length.

    Attributes:
        arrive: when they come in (s from the start, true time). t: when their source says they
            were (s from the start). source, subject: codes of their `Names`. lat, lon: degrees.
        speed: kn. course, heading: degrees. accuracy: m; NaN where not told. kind: index into
            KINDS. said: code of what the subject says of itself; 0 where nothing.
        message: AIS message type, 0 where it is none. status: its navigational status.
        who: serial number of the one that was seen, -1 where it was nobody; never written.
    """

    arrive: NDArray[np.float64]
    t: NDArray[np.float64]
    source: NDArray[np.int32]
    subject: NDArray[np.int32]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    speed: NDArray[np.float64]
    course: NDArray[np.float64]
    heading: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    kind: NDArray[np.int8]
    said: NDArray[np.int32]
    message: NDArray[np.int8]
    status: NDArray[np.int8]
    who: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.t)

    @classmethod
    def of(cls, t: ArrayLike, **columns: ArrayLike) -> Rows:
        """Rows at these times; a column may be one value for all, and what is not given is none.

        `arrive` is `t` where it is not given.
        """
        moment = np.asarray(t, np.float64)
        nothing: dict[str, Any] = {
            "arrive": moment,
            "speed": np.nan,
            "course": np.nan,
            "heading": np.nan,
            "accuracy": np.nan,
            "kind": 0,
            "said": 0,
            "message": 0,
            "status": 15,
            "who": -1,
        }
        given = {**nothing, **columns, "t": moment}
        return cls(
            **{
                name: np.broadcast_to(np.asarray(given[name], type_), moment.shape)
                for name, type_ in _TYPES.items()
            }
        )

    @classmethod
    def joined(cls, some: Sequence[Rows]) -> Rows:
        """Several as one, in their order."""
        if not some:
            return cls.of(np.empty(0), source=0, subject=0, lat=0.0, lon=0.0)
        return cls(**{n: np.concatenate([getattr(r, n) for r in some]) for n in _TYPES})

    def take(self, where: NDArray[Any]) -> Rows:
        """Those of a mask or of indices, in the order of the indices."""
        return Rows(**{f.name: getattr(self, f.name)[where] for f in fields(self)})

    def with_(self, **columns: ArrayLike) -> Rows:
        """The same with some columns changed."""
        kept = {f.name: getattr(self, f.name) for f in fields(self)}
        changed = {
            n: np.broadcast_to(np.asarray(v, _TYPES[n]), self.t.shape) for n, v in columns.items()
        }
        return Rows(**{**kept, **changed})


@dataclass(slots=True)
class Names:
    """Distinct texts and their codes, in the order in which they came."""

    texts: list[str] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)

    def code(self, text: str) -> int:
        """The code of a text; it gets one where it has none."""
        known = self.codes.get(text)
        if known is None:
            known = self.codes[text] = len(self.texts)
            self.texts.append(text)
        return known


@dataclass(frozen=True, slots=True)
class Said:
    """What a vessel says of itself (ITU-R M.1371-5, message 5), as its crew typed it."""

    name: str = ""
    imo: str = ""
    call_sign: str = ""
    ship_type: str = ""
    flag: str = ""


@dataclass(slots=True)
class Sayings:
    """What vessels say of themselves, and its codes; 0 is nothing."""

    all: list[Said] = field(default_factory=lambda: [Said()])
    codes: dict[Said, int] = field(default_factory=lambda: {Said(): 0})

    def code(self, said: Said) -> int:
        """The code of what is said; it gets one where it has none."""
        known = self.codes.get(said)
        if known is None:
            known = self.codes[said] = len(self.all)
            self.all.append(said)
        return known
