"""Towns of people made by hand, for tests of what is found in their calls.

Nothing here is shared with the generator of exercises. Whoever is not named otherwise calls a
small circle of friends from home.
"""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cordon.calls import find
from cordon.kernel.findings import Finding

DAY0 = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 8
PEOPLE = [f"+92301{n:07d}" for n in range(3000)]
COLUMNS = [
    "start", "duration_s", "kind", "caller", "callee", "caller_imsi", "caller_imei",
    "caller_cell", "callee_imei", "callee_cell",
]  # fmt: skip


class Town:
    """Calls being made up."""

    def __init__(self, seed: int = 5) -> None:
        self.rng = random.Random(seed)
        self.rows: list[tuple[object, ...]] = []
        self.moved: dict[str, tuple[int, str]] = {}  # from this day on, another number

    def call(
        self, day: float, hour: float, a: str, b: str, talk: float, imei: str, cell: str,
        callee_imei: str = "", callee_cell: str = "",
    ) -> None:  # fmt: skip
        start = DAY0 + timedelta(days=day, hours=hour - 5)  # local time is five hours ahead
        imsi = "41001" + a[-10:]
        self.rows.append(
            (start, round(talk), "voice", a, b, imsi, imei, cell, callee_imei, callee_cell)
        )

    def everybody(self, without: frozenset[str] = frozenset()) -> None:
        for at, person in enumerate(PEOPLE):
            if person in without:
                continue
            self.life(person, at)

    def life(
        self, person: str, at: int, days: range = range(DAYS), imei: str = "", home: str = ""
    ) -> None:
        """Six calls a day within the circle of the person at this place, and one to anybody."""
        circle = [PEOPLE[(at // 12 * 12 + k) % 3000] for k in range(12)]
        for day in days:
            for _ in range(self.rng.randint(1, 6)):
                friend = self.rng.choice(circle if self.rng.random() > 0.1 else PEOPLE)
                if friend == person:
                    continue
                since, number = self.moved.get(friend, (DAYS, friend))
                friend = number if day >= since else friend
                hour = self.rng.gauss(17, 3) % 24
                talk = self.rng.expovariate(1 / 150)
                self.call(
                    day, hour, person, friend, talk, imei or f"35{at:012d}5",
                    home or f"410-01-77-{at % 97}",
                )  # fmt: skip

    def centre(
        self, name: str, *, cell: str, hours: tuple[float, float] = (11, 20), seats: int = 4,
        a_day: int = 40, sim_days: int = 2, people: list[str] | None = None,
        days: range = range(DAYS),
    ) -> set[str]:  # fmt: skip
        """Seats with a handset each, whose SIM is replaced every few days."""
        used: set[str] = set()
        for seat in range(seats):
            imei = f"86{name}{seat:011d}5"
            for day in days:
                sim = f"+92345{name}{seat:02d}{day // sim_days:03d}"
                used.add(sim)
                for _ in range(self.rng.randint(a_day - 5, a_day + 5)):
                    who = self.rng.choice(people or PEOPLE)
                    talk = self.rng.expovariate(1 / 60)
                    self.call(day, self.rng.uniform(*hours), sim, who, talk, imei, cell)
        return used

    def office(
        self, *, lines: int, cell: str, a_day: int = 45, hours: tuple[float, float] = (9, 18)
    ) -> set[str]:
        """Telephone sales: as many calls to strangers, each line with its own handset all along."""
        used = set()
        for line in range(lines):
            number = f"+923331{line:06d}"
            used.add(number)
            for day in range(DAYS):
                for _ in range(a_day):
                    hour = self.rng.uniform(*hours)
                    talk = self.rng.expovariate(1 / 60)
                    self.call(
                        day, hour, number, self.rng.choice(PEOPLE), talk, f"357{line:011d}5", cell
                    )
        return used

    def box(self, sims: int, cell: str) -> set[str]:
        """SIMs that go round among four slots by day and night, and call the same kin again."""
        kin = self.rng.sample(PEOPLE, 120)
        numbers = [f"+92311{n:07d}" for n in range(sims)]
        for day in range(DAYS):
            for number in numbers:
                for _ in range(18):
                    imei = f"99000000{self.rng.randrange(4):06d}5"
                    hour, talk = self.rng.uniform(0, 24), self.rng.expovariate(1 / 200)
                    self.call(day, hour, number, self.rng.choice(kin), talk, imei, cell)
        return set(numbers)

    def write(self, path: Path) -> Path:
        self.rows.sort(key=lambda r: (r[0], r[3], r[4]))
        with path.open("w", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(COLUMNS)
            rows.writerows((row[0].isoformat(), *row[1:]) for row in self.rows)  # type: ignore[attr-defined]
        return path


def numbers(finding: Finding) -> set[str]:
    return {s.partition(":")[2] for s in finding.subjects if s.startswith("number:")}


def rings(path: Path, kind: str = "calls.call_centre", **beside: Path) -> list[Finding]:
    return [f for f in find([path], **beside).findings if f.kind == kind]
