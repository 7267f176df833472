"""What one unit of an exercise really is: its speed, its break-downs, its silences.

All of it follows from the seed, the unit's code and the time since the play began, and from
nothing else. So it can be asked what any unit would have done at any moment, and a play that was
stopped goes on as if it had not been.
"""

from __future__ import annotations

import math
from functools import cached_property, lru_cache
from random import Random

from cordon.exercise.crews.values import Middle, Range, Values
from cordon.kernel.units import MS_PER_KNOT
from cordon.operations import UnitKind

DAY = 86_400.0
MOST_SPELLS = 200  # of one day
Spell = tuple[float, float]


class Nature:
    """One unit's truth. Times are seconds since the play began.

    Args:
        speed_kn: its usual speed, as the node has it.
    """

    def __init__(
        self, seed: int, code: str, kind: UnitKind, speed_kn: float, values: Values
    ) -> None:
        self.seed, self.code, self.kind, self.values = seed, code, kind, values
        self._usual_ms = max(0.0, speed_kn) * MS_PER_KNOT
        self._spells: dict[tuple[str, int], list[Spell]] = {}

    @cached_property
    def share(self) -> float:
        """Of its usual speed that it makes in good weather."""
        return _within(self._random("speed"), self.values.speed[self.kind])

    def speed_ms(self, at: float) -> float:
        """Its speed (m/s) under way; zero while it is broken down."""
        if self.mended(at) > at:
            return 0.0
        worst, best = self.values.weather[self.kind]
        fair = weather(self.seed, _element(self.kind), self.values.weather_h, at)
        return self._usual_ms * self.share * (worst + (best - worst) * fair)

    def mended(self, at: float) -> float:
        """When it can move: `at` itself unless it is broken down then."""
        return self._until("breaks", self.values.breaks_every_h, self.values.mended_min, at)

    def heard(self, at: float) -> float:
        """When it has signal: `at` itself unless it is out of it then."""
        return self._until("silent", self.values.silent_every_h, self.values.silent_min, at)

    def winding(self, number: int) -> float:
        """Length of a way over the straight line; 1 for what does not go on land."""
        held = self.values.winding.get(self.kind)
        return 1.0 if held is None else _within(self._random("winding", number), held)

    def strayed(self) -> tuple[float, float]:
        """How far (m) and where to (degrees) it is from where it was last reported."""
        random = self._random("strayed")
        return _within(random, self.values.strayed_nm[self.kind]) * 1852.0, random.uniform(0, 360)

    def takes(self, what: str, held: Middle, number: int) -> float:
        """Seconds that something takes it, the same for the same number."""
        return _about(self._random(what, number), held)

    def _random(self, word: str, number: int = 0) -> Random:
        return Random(f"{self.seed}|{self.code}|{word}|{number}")  # noqa: S311

    def _until(self, word: str, every_h: float, lasts_min: Middle, at: float) -> float:
        """The end of the spell that holds a moment, and of those that follow it without a gap."""
        until = at
        while until - at < 60 * DAY:
            day = int(until // DAY)
            ends = [
                end
                for number in (day - 1, day)
                for start, end in self._of_day(word, number, every_h, lasts_min)
                if start <= until < end
            ]
            if not ends:
                return until
            until = max(ends)
        return math.inf

    def _of_day(self, word: str, day: int, every_h: float, lasts_min: Middle) -> list[Spell]:
        """Spells that begin on a day of the play; none lasts longer than one."""
        key = (word, day)
        if key not in self._spells:
            random, at = self._random(word, day), 0.0
            spells: list[Spell] = []
            while math.isfinite(every_h) and len(spells) < MOST_SPELLS:
                at += random.expovariate(1.0) * max(every_h, 1e-3) * 3600
                lasts = min(_about(random, lasts_min) * 60, DAY)
                if at >= DAY:
                    break
                spells.append((day * DAY + at, day * DAY + at + lasts))
                at += lasts
            self._spells[key] = spells
        return self._spells[key]


@lru_cache(maxsize=4096)
def _state(seed: int, element: str, number: int) -> float:
    return Random(f"{seed}|{element}|weather|{number}").random()  # noqa: S311


def weather(seed: int, element: str, every_h: float, at: float) -> float:
    """How fair the weather is (0 to 1) for all units of an element; a line between drawn states."""
    place = at / (every_h * 3600)
    number = math.floor(place)
    one, two = (_state(seed, element, n) for n in (number, number + 1))
    return one + (two - one) * (place - number)


def _element(kind: UnitKind) -> str:
    return {UnitKind.BOAT: "sea", UnitKind.AIRCRAFT: "air"}.get(kind, "land")


def _within(random: Random, held: Range) -> float:
    least, likely, most = held
    return random.triangular(least, most, likely) if most > least else least


def _about(random: Random, held: Middle) -> float:
    median, spread = held
    return median * math.exp(random.gauss(0.0, spread))
