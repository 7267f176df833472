"""Alerts and taskings as markers on the phones of those who are entitled to them.

A marker says what an alert is called, how grave it is, until when it must be answered, and where:
no subject of it, so that no personal data leaves the node this way.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from sqlalchemy import func, or_, select

from cordon.kernel.access.model import Mark
from cordon.kernel.clock import format_time
from cordon.kernel.events import EventRow
from cordon.operations.model import UNDER_WAY
from cordon.operations.tables import AlertRow, TaskingRow
from cordon.operations.tak import protocol
from cordon.operations.tak.base import TakClient
from cordon.operations.tak.desk import TakDesk
from cordon.operations.tak.message import read
from cordon.operations.tak.relay import NODE, Marker

TELL = "operations.tak.tell"
MOST = 500  # alerts, the gravest first
_LASTS_S = 900.0  # then a phone that hears the node no more shows it as old
_AGAIN_S = 300.0
_TOPICS = ("operations.alert.", "operations.tasking.")
_COLOUR = {"grave": -65536, "serious": -32768, "notice": -256}  # ARGB: red, orange, yellow


class Markers:
    """What of alerts and taskings was told; `look` finds what has changed since."""

    def __init__(self, desk: TakDesk) -> None:
        self._desk = desk
        self._heard = 0  # the newest event of the outbox that was looked at
        self._told: dict[str, tuple[tuple[object, ...], float]] = {}
        self._entered: set[str] = set()

    def heard(self) -> bool:
        """Whether anything happened to an alert or a tasking since this was asked last.

        Cheap beside `look`, so that it can be asked whenever this process has written something.
        """
        with self._desk.kernel.rows.read() as session:
            newest = session.scalar(select(func.max(EventRow.seq))) or 0
            if newest == self._heard:
                return False
            topics = [EventRow.topic.startswith(begins) for begins in _TOPICS]
            query = select(EventRow.seq).where(EventRow.seq > self._heard, or_(*topics)).limit(1)
            self._heard = newest
            return session.scalar(query) is not None

    def look(self) -> tuple[list[Marker], list[str]]:
        """Markers that are new or changed, and uids of those that are no more."""
        kernel = self._desk.kernel
        with kernel.view(kernel.node) as view:
            now = view.now
            alerts = view.session.scalars(
                select(AlertRow)
                .where(AlertRow.queued, AlertRow.state != "closed", AlertRow.lat.is_not(None))
                .where(AlertRow.withdrawn_at.is_(None), AlertRow.mark != Mark.RED)
                .order_by(AlertRow.rank.desc(), AlertRow.due_at, AlertRow.id)
                .limit(MOST)
            ).all()
            taskings = view.session.execute(
                select(TaskingRow, AlertRow)
                .join(AlertRow, AlertRow.id == TaskingRow.alert)
                .where(TaskingRow.state.in_(UNDER_WAY), AlertRow.lat.is_not(None))
                .where(TaskingRow.mark != Mark.RED)
                .order_by(TaskingRow.id.desc())
                .limit(MOST)
            ).all()
            standing = {f"{NODE}alert.{a.id}": _of_alert(a) for a in alerts}
            standing |= {f"{NODE}tasking.{t.id}": _of_tasking(t, a) for t, a in taskings}
            things = {f"{NODE}alert.{a.id}": a.thing() for a in alerts}
            things |= {f"{NODE}tasking.{t.id}": t.thing() for t, _ in taskings}
        at = now.timestamp()
        changed = []
        for uid, said in standing.items():
            before = self._told.get(uid)
            if before is None or before[0] != said or at - before[1] >= _AGAIN_S:
                self._told[uid] = (said, at)
                changed.append(self._marker(uid, said, at))
        ended = [uid for uid in self._told if uid not in standing]
        for uid in ended:
            del self._told[uid]
        new = sorted(standing.keys() - self._entered)
        if new:
            with kernel.work(kernel.node) as work:
                for uid in new:
                    work.act(TELL, things[uid], groups=sorted(self._desk.tells))
        self._entered = set(standing)
        return changed, ended

    def _marker(self, uid: str, said: tuple[object, ...], at: float) -> Marker:
        kind, title, remarks, lat, lon, colour, mark, unit = said
        return Marker(
            read(_event(uid, str(kind), str(title), str(remarks), lat, lon, colour, at), False),
            _entitled(self._desk.tells, Mark(str(mark)), str(unit)),
        )


def _entitled(tells: frozenset[str], mark: Mark, unit: str) -> Callable[[TakClient], bool]:
    def may(client: TakClient) -> bool:
        if mark.rank > client.cleared.rank:
            return False
        return bool(client.groups & tells) or (unit != "" and client.unit == unit)

    return may


def _of_alert(a: AlertRow) -> tuple[object, ...]:
    remarks = f"{a.seriousness}, {words_of(a.state)}, due {_hour(a.due_at)}. {a.mark}"
    colour = _COLOUR.get(a.seriousness, -256)
    return ("b-m-p-s-m", a.title, remarks, a.lat, a.lon, colour, a.mark, "")


def _of_tasking(t: TaskingRow, a: AlertRow) -> tuple[object, ...]:
    remarks = f"{t.unit_code}, {words_of(t.state)}: {t.order} {t.mark}"
    title = f"{t.unit_code}: {a.title}"
    return ("b-m-p-w-GOTO", title, remarks, a.lat, a.lon, -16711936, t.mark, t.unit_code)


def words_of(state: str) -> str:
    """A state as one says it."""
    return state.replace("_", " ")


def _hour(at: datetime) -> str:
    return format_time(at.replace(second=0, microsecond=0))


def _event(
    uid: str, kind: str, title: str, remarks: str, lat: object, lon: object, colour: object,
    at: float,
) -> bytes:  # fmt: skip
    sent, until = protocol.iso(at), protocol.iso(at + _LASTS_S)
    return (
        f'<event version="2.0" uid="{uid}" type="{kind}" how="m-g" time="{sent}" start="{sent}" '
        f'stale="{until}"><point lat="{lat}" lon="{lon}" hae="9999999.0" ce="9999999.0" '
        f'le="9999999.0"/><detail><contact callsign={quoteattr(clean(title))}/>'
        f'<color argb="{colour}"/><remarks>{escape(clean(remarks))}</remarks></detail></event>'
    ).encode()


def clean(text: str) -> str:
    """Without signs that XML does not take."""
    return "".join(c if c.isprintable() else " " for c in text)
