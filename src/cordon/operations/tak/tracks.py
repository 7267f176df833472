"""Tracks of what alerts speak of, on the phones of those who are told of the alert.

A crew that is sent to a boat sees the boat move. Only what acts in an alert that is told goes out,
as the picture heard it last, and never what is personal data: a phone holds no authority. Its
affiliation is "unknown", whatever the alert is about: a detection is no verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from sqlalchemy import select

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.units import MS_PER_KNOT
from cordon.kernel.work import View, personal_data
from cordon.operations.model import UNDER_WAY
from cordon.operations.tables import AlertRow, AlertSubjectRow, TaskingRow
from cordon.operations.tak import protocol
from cordon.operations.tak.base import TakClient
from cordon.operations.tak.desk import TakDesk
from cordon.operations.tak.markers import TELL, clean
from cordon.operations.tak.message import read
from cordon.operations.tak.relay import NODE, Marker
from cordon.picture import Position

MOST = 500  # subjects, of the gravest alerts first
HEARD_S = 900.0  # what was heard before is not where it was, as for an intercept
LEAST_S = 5.0  # between two positions of one
_TYPES = {
    "vessel": "a-u-S", "vehicle": "a-u-G-E-V", "person": "a-u-G", "aircraft": "a-u-A",
    "unknown": "a-u-G",
}  # fmt: skip

Latest = Callable[[str], Position | None]
"""A subject (`type:id`) as the picture heard it last."""


@dataclass(slots=True)
class _About:
    """The alerts that speak of a subject: who may be told of it, and why."""

    marks: set[Mark] = field(default_factory=set)
    orders: set[tuple[Mark, str]] = field(default_factory=set)  # marks and units under way
    alert: Thing | None = None

    def may(self, tells: frozenset[str]) -> Callable[[TakClient], bool]:
        marks, orders = frozenset(self.marks), frozenset(self.orders)

        def may(client: TakClient) -> bool:
            told = bool(client.groups & tells)
            return any(told and m.rank <= client.cleared.rank for m in marks) or any(
                unit == client.unit and m.rank <= client.cleared.rank for m, unit in orders
            )

        return may


class Tracks:
    """What of tracks was told; `look` finds what has moved since.

    Args:
        latest: where a subject was heard last.
    """

    def __init__(self, desk: TakDesk, latest: Latest) -> None:
        self._desk, self._latest = desk, latest
        self._told: dict[str, tuple[Position, object, float]] = {}
        self._entered: set[str] = set()

    def look(self) -> tuple[list[Marker], list[str]]:
        """Markers of tracks that are new or moved, and uids of those that are told no more.

        A track whose readers changed is in both: it ends for all, and begins for those it has.
        """
        kernel = self._desk.kernel
        with kernel.view(kernel.node) as view:
            at = view.now.timestamp()
            about = self._about(view)
        standing: dict[str, tuple[Position, _About]] = {}
        for subject, why in about.items():
            last = self._latest(subject)
            if last is not None and abs(at - last.at.timestamp()) <= HEARD_S:
                standing[f"{NODE}track.{subject}"] = (last, why)
        changed, ended = [], []
        for uid, (last, why) in standing.items():
            readers = (frozenset(why.marks), frozenset(why.orders))
            before = self._told.get(uid)
            if before is not None and before[1] != readers:
                ended.append(uid)
            elif before is not None and (last.at <= before[0].at or at - before[2] < LEAST_S):
                continue
            self._told[uid] = (last, readers, at)
            changed.append(Marker(read(event(uid, last), False), why.may(self._desk.tells)))
        for uid in self._told.keys() - standing.keys():
            del self._told[uid]
            ended.append(uid)
        self._enter({uid: why for uid, (_, why) in standing.items()})
        return changed, ended

    def _about(self, view: View) -> dict[str, _About]:
        found = view.session.execute(
            select(AlertSubjectRow.subject, AlertRow.id, AlertRow.agency, AlertRow.mark)
            .join(AlertRow, AlertRow.id == AlertSubjectRow.alert)
            .where(AlertSubjectRow.acts, AlertRow.queued, AlertRow.state != "closed")
            .where(AlertRow.withdrawn_at.is_(None), AlertRow.mark != Mark.RED)
            .order_by(AlertRow.rank.desc(), AlertRow.due_at, AlertRow.id)
            .limit(MOST)
        ).all()
        under_way = view.session.execute(
            select(TaskingRow.alert, TaskingRow.mark, TaskingRow.unit_code)
            .where(TaskingRow.state.in_(UNDER_WAY), TaskingRow.mark != Mark.RED)
            .order_by(TaskingRow.id.desc())
            .limit(MOST)
        ).all()
        units: dict[str, set[tuple[Mark, str]]] = {}
        for alert, mark, unit in under_way:
            units.setdefault(alert, set()).add((Mark(mark), unit))
        about: dict[str, _About] = {}
        for subject, alert, agency, mark in found:
            if personal_data(subject) is not None:
                continue
            one = about.setdefault(subject, _About())
            one.marks.add(Mark(mark))
            one.orders |= units.get(alert, set())
            one.alert = one.alert or Thing("alert", alert, agency, Mark(mark))
        return about

    def _enter(self, standing: dict[str, _About]) -> None:
        """What goes out for the first time stands in the ledger, with the alert that it is for."""
        new = sorted(standing.keys() - self._entered)
        if new:
            kernel, groups = self._desk.kernel, sorted(self._desk.tells)
            with kernel.work(kernel.node) as work:
                for uid in new:
                    alert = standing[uid].alert
                    if alert is not None:
                        subject = uid.removeprefix(f"{NODE}track.")
                        work.act(TELL, alert, groups=groups, track=subject)
        self._entered = set(standing)


def event(uid: str, last: Position) -> bytes:
    """A track as Cursor on Target has it: speed in m/s, course in degrees from north."""
    at = last.at.timestamp()
    sent, until = protocol.iso(at), protocol.iso(at + HEARD_S)
    kind = "a-u-S" if last.subject.startswith(("mmsi:", "imo:")) else _TYPES.get(last.kind, "a-u-G")
    accuracy = "9999999.0" if last.accuracy_m is None else f"{last.accuracy_m:.1f}"
    moves = ""
    if last.speed_kn is not None and last.course_deg is not None:
        speed = last.speed_kn * MS_PER_KNOT
        moves = f'<track speed="{speed:.2f}" course="{last.course_deg:.1f}"/>'
    called = clean(last.name or last.subject.replace(":", " ", 1))
    says = clean(f"{last.subject}, heard by {last.source}. A lead, not a verdict.")
    return (
        f'<event version="2.0" uid={quoteattr(clean(uid))} type="{kind}" how="m-f" time="{sent}" '
        f'start="{sent}" stale="{until}"><point lat="{last.lat:.6f}" lon="{last.lon:.6f}" '
        f'hae="9999999.0" ce="{accuracy}" le="9999999.0"/><detail>'
        f"<contact callsign={quoteattr(called)}/>{moves}<remarks>{escape(says)}</remarks>"
        f"</detail></event>"
    ).encode()
