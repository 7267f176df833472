"""Rooms with crews that the exercise plays, alerts at places, and a clock that is stepped."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cordon.cases import Cases
from cordon.exercise.crews.desk import Crews
from cordon.exercise.crews.values import Values, values
from cordon.kernel import geo, leads
from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.cards import Card
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.kernel.leads import LeadRules
from cordon.operations import Operations, Position
from cordon.operations.field.desk import FieldDesk

KIND = "picture.gap"


def plain(**other: Any) -> Values:
    """Units without a truth of their own: what they say is so, at once. `other` changes that."""
    use = values()
    kinds = ("boat", "vehicle", "foot", "aircraft")
    held: dict[str, Any] = {
        "speed": dict.fromkeys(kinds, (1.0, 1.0, 1.0)), "weather": dict.fromkeys(kinds, (1.0, 1.0)),
        "weather_h": use.weather_h, "winding": dict.fromkeys(("vehicle", "foot"), (1.4, 1.4, 1.4)),
        "strayed_nm": dict.fromkeys(kinds, (0.0, 0.0, 0.0)), "breaks_every_h": float("inf"),
        "mended_min": (90.0, 0.0), "silent_every_h": float("inf"), "silent_min": (12.0, 0.0),
        "late_s": (0.0, 0.0), "acknowledges_s": (60.0, 0.0),
        "casts_off_s": dict.fromkeys(kinds, (120.0, 0.0)), "stays_s": (600.0, 0.0),
        "fix_s": 600.0, "longest_h": 48.0,
    }  # fmt: skip
    return Values(**{**held, **other})


@dataclass
class Stage:
    """Operations, phones and crews over one kernel; its clock stands until it is stepped."""

    kernel: Any
    room: Operations
    crews: Crews

    def unit(self, code: str, lat: float, lon: float, *, kind: str = "boat", speed: float = 20.0):
        return self.room.add_unit(
            actor(Role.SUPERVISOR, self.kernel), code=code, name=f"Unit {code}", kind=kind,
            sector="Pasni", speed_kn=speed, contact="VHF 16", position=Position(lat, lon),
        )  # fmt: skip

    def alert(self, lat: float, lon: float, *, mark: Mark = Mark.AMBER, of: str = "") -> str:
        """Raise an alert there; its id."""
        now = self.kernel.clock.now()
        subject = f"mmsi:{of or round(now.timestamp())}"
        finding = Finding.make(
            kind=KIND, subjects=[subject], start=now - timedelta(minutes=5), end=now,
            confidence=0.9, reasons=[Reason("silence", 46.0, "min", 30.0, "Silent.")],
            records=[RecordRef(hashlib.sha256(b"log").hexdigest(), 1)], detector=KIND,
            version="1", place=geo.point(lat, lon), radius_m=500.0,
        )  # fmt: skip
        with self.kernel.work(self.kernel.node) as work:
            leads.keep(work, [finding], {KIND: card()}, mark=mark)
        self.kernel.dispatcher.run_pending()
        with self.kernel.view(self.kernel.node) as view:
            found = self.room.alert_of(view, finding.id)
        assert found is not None
        return found

    def play(self, hours: float, *, step: timedelta = timedelta(minutes=2)) -> None:
        """Step the clock, and let the crews do what is due at each step."""
        until = self.kernel.clock.now() + timedelta(hours=hours)
        while self.kernel.clock.now() < until:
            self.kernel.clock.advance(step)
            self.crews.tick()


def card() -> Card:
    return Card(
        kind=KIND, name=KIND, version="1", title="Went silent", looks_for="Silence.",
        seriousness="serious", parameters={}, fooled_by=("Low power.",), takes=(),
    )  # fmt: skip


def actor(role: Role, kernel: Any, *, unit: str = "watch-1") -> Actor:
    return Actor(
        f"officer-{role}", str(role), kernel.agency, unit, frozenset({role}), Mark.AMBER_STRICT
    )


def stage(kernel: Any, folder: Any, use: Values | None = None) -> Stage:
    """Rooms over a kernel."""
    cases = Cases(kernel, LeadRules(), folder=folder / "bundles", upload_max=1 << 20)
    room = Operations(kernel, LeadRules(), cases, {KIND: card()})
    room.subscribe(kernel.dispatcher)
    return Stage(kernel, room, Crews(kernel, room, FieldDesk(room, cases, folder / "field"), use))
