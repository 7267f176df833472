"""Who vessels say they are: identities of nobody, as crews type them."""

from __future__ import annotations

from typing import Any

from cordon.exercise.worlds.sea.craft import Identity, Transponder
from cordon.exercise.worlds.seeing.rows import Said
from cordon.exercise.worlds.seeing.streams import Rng, Streams, between

Data = dict[str, Any]
# ITU-R M.1371-5, table 53 and 4.2.3: ship types
TYPES = {
    "cargo": (70, 79),
    "container": (70, 79),
    "tanker": (80, 89),
    "fishing": (30, 30),
    "tug": (52, 52),
    "tow": (31, 31),
    "pilot": (50, 50),
    "ferry": (60, 60),
    "yacht": (36, 37),
    "survey": (33, 33),
    "cutter": (55, 55),
    "service": (90, 90),
    "fast": (37, 37),
}
_KEYS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Register:
    """Gives out identities, none of them twice.

    Args:
        data: the whole YAML of the world.
    """

    def __init__(self, data: Data, streams: Streams) -> None:
        self._data = data
        rng = streams.of("register")
        self._numbers = rng.permutation(100_000)
        self._mistyped = between(rng, data["ais"]["mistyped"])
        self._so = float(data["ais"]["class_b_so"])
        self._given = 0

    def identity(self, what: str, rng: Rng, *, foreign: float = 0.0) -> tuple[str, Said]:
        """An MMSI and what its set is told to say; perhaps with a typing error."""
        serial = int(self._numbers[self._given % len(self._numbers)])
        self._given += 1
        mid, flag = self._data["mid"], self._data["flag"]
        if rng.random() < foreign:
            some = sorted(self._data["foreign"].items())
            mid, flag = some[int(rng.integers(len(some)))]
        names = self._data["names"]
        name = str(names[int(rng.integers(len(names)))]).upper()
        if rng.random() < 0.75:
            name = f"{name} {int(rng.integers(1, 99))}"
        low, high = TYPES[what]
        big = what in ("cargo", "container", "tanker", "ferry", "survey")
        said = Said(
            name[:20],
            imo(300_000 + serial) if big else "",
            f"{_KEYS[serial % 26]}{_KEYS[serial // 26 % 26]}{serial % 10_000:04d}",
            str(int(rng.integers(low, high + 1))),
            flag,
        )
        if rng.random() < self._mistyped:
            said = mistyped(said, rng)
        return f"{mid}9{serial:05d}", said

    def set(
        self, what: str, kind: str, rng: Rng, *, foreign: float = 0.0, since: float = -1e12
    ) -> Transponder:
        """A set with an identity: class `A` or `B`; of class B some are self-organising."""
        mmsi, said = self.identity(what, rng, foreign=foreign)
        class_ = "A" if kind == "A" else "S" if rng.random() < self._so else "B"
        power = between(rng, [0.8, 1.1]) if rng.random() > 0.08 else between(rng, [0.4, 0.7])
        return Transponder(
            class_,  # type: ignore[arg-type]
            [Identity(since, mmsi, said)],
            power=power,
        )


def mistyped(said: Said, rng: Rng) -> Said:
    """The same with an error such as crews make."""
    what = int(rng.integers(4))
    name = said.name
    if what == 0 and len(name) > 4:
        i = int(rng.integers(1, len(name) - 2))
        name = name[:i] + name[i + 1] + name[i] + name[i + 2 :]
    elif what == 1 and len(name) > 4:
        i = int(rng.integers(1, len(name) - 1))
        name = name[:i] + name[i + 1 :]
    elif what == 2:
        return Said(name, said.imo, said.call_sign, "0", said.flag)
    else:
        return Said(name, "0000000" if said.imo else "", "", said.ship_type, said.flag)
    return Said(name, said.imo, said.call_sign, said.ship_type, said.flag)


def imo(six: int) -> str:
    """A seven-digit IMO number with its check digit (IMO resolution A.1117(30))."""
    digits = f"{six % 1_000_000:06d}"
    check = sum(int(d) * w for d, w in zip(digits, range(7, 1, -1), strict=True)) % 10
    return f"{digits}{check}"
