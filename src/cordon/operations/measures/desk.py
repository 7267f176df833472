"""The measures of a span and of a week, as values, JSON and PDF."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.errors import BadInput
from cordon.kernel.work import Kernel, View
from cordon.operations.measures import counting
from cordon.operations.measures.model import Change, Day, Figure, Report, Response, Step
from cordon.operations.measures.reading import responses
from cordon.operations.queue import VIEW as ALERT_VIEW
from cordon.operations.tables import AlertRow

VIEW, PRINT = "operations.measures.view", "operations.measures.print"
USUAL = timedelta(days=28)
LONGEST = timedelta(days=366)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_WEEK = re.compile(r"(\d{4})-?W(\d{2})")


class Measures:
    """How long responses take, of what the reader may see.

    Args:
        zone: name of the country's own time, by which watches and days are told.
        sectors: names of patrol sectors by the id of their zone, as the reader may see them.
    """

    def __init__(
        self, kernel: Kernel, zone: str, sectors: Callable[[Actor], Mapping[str, str]]
    ) -> None:
        self.kernel = kernel
        self.zone = ZoneInfo(zone)
        self._sectors = sectors

    def moment(self, text: str) -> datetime | None:
        """A day of the country's time (its midnight) or a time with its zone; None for nothing."""
        text = text.strip()
        if not text:
            return None
        if _DAY.fullmatch(text):
            try:
                return self._midnight(date.fromisoformat(text))
            except ValueError:
                pass  # no such day: told as no time
        return parse_time(text)

    def week(self, text: str) -> datetime:
        """Midnight of the Monday of an ISO week (`2026-W10`); of the last whole week for none."""
        if not text.strip():
            today = self.kernel.clock.now().astimezone(self.zone).date()
            return self._midnight(today - timedelta(days=today.weekday() + 7))
        found = _WEEK.fullmatch(text.strip())
        try:
            if found is None:
                raise ValueError
            return self._midnight(date.fromisocalendar(int(found[1]), int(found[2]), 1))
        except ValueError:
            raise BadInput(f"“{text[:20]}” is no week.", advice="Write it like 2026-W10.") from None

    def report(
        self,
        actor: Actor,
        since: datetime | None = None,
        until: datetime | None = None,
        turn: datetime | None = None,
    ) -> Report:
        """The measures of alerts raised in a span, followed until now.

        Args:
            since, until: of 28 days up to now where they are not given. turn: compare before and
                after it.

        Raises:
            BadInput: a span of nothing or of more than 366 days, a turn outside it, or more than
                50,000 alerts.
        """
        sectors = self._sectors(actor)
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self.room())
            return self._report(view, sectors, since, until, turn)

    def week_pdf(self, actor: Actor, monday: datetime) -> tuple[str, bytes]:
        """The printed measures of a week beside the week before; that it was taken out is entered.

        Returns:
            the file's name, and the PDF.
        """
        from cordon.kernel.printing import pdf  # typst takes a while to load

        first = monday.astimezone(self.zone).date()
        after, before = (self._midnight(first + timedelta(days=d)) for d in (7, -7))
        year, number, _ = first.isocalendar()
        name = f"{year}-W{number:02d}"
        sectors = self._sectors(actor)  # a view of its own, before anything is held
        with self.kernel.work(actor) as work:
            work.permit(VIEW, self.room())
            week = self._report(work, sectors, monday, after, None)
            both = self._report(work, sectors, before, after, monday)
            work.act(PRINT, self.room(), week=name, alerts=week.alerts)
        from cordon.operations.measures.telling import printed

        values = printed(self.kernel.agency, name, week, both.changes)
        return f"measures-{name}.pdf", pdf("cordon.operations", "measures.typ", values)

    def _report(
        self,
        view: View,
        sectors: Mapping[str, str],
        since: datetime | None,
        until: datetime | None,
        turn: datetime | None,
    ) -> Report:
        until = until or view.now
        since = since or until - USUAL
        _check(since, until, turn)
        agency = self.kernel.agency
        marks = [m.value for m in Mark if view.may(ALERT_VIEW, Thing("alert", "-", agency, m))]
        asked = (
            AlertRow.agency == agency,
            AlertRow.mark.in_(marks),
            AlertRow.created_at >= since,
            AlertRow.created_at < until,
        )
        found = responses(view.session, asked, since, sectors, self.zone)
        alike = view.session.scalar(
            select(func.count()).where(*asked, AlertRow.stands_with != AlertRow.id)
        )
        escalated = view.session.scalar(
            select(func.count()).where(
                *asked, AlertRow.stands_with == AlertRow.id, AlertRow.level > 0
            )
        )
        every, now = [one for _, one in found], view.now
        changes: tuple[Change, ...] = ()
        if turn is not None:
            before = [one for at, one in found if at < turn]
            after = [one for at, one in found if at >= turn]
            changes = tuple(counting.change(before, after, step, now) for step in Step)
        return Report(
            since=since,
            until=until,
            now=now,
            turn=turn,
            alerts=len(every),
            alike=alike or 0,
            escalated=escalated or 0,
            figures=counting.figures(every, now),
            groups={
                "sector": counting.grouped(every, lambda one: one.sector, now),
                "watch": counting.grouped(every, lambda one: one.watch, now),
                "detector": counting.grouped(every, lambda one: one.detector, now),
            },
            days=self._days(every, now),
            changes=changes,
        )

    def _days(self, every: list[Response], now: datetime) -> tuple[Day, ...]:
        by_day = counting.grouped(every, lambda one: one.block[:10], now)
        return tuple(Day(day, {f.step: f for f in figures}) for day, _, figures in by_day)

    def day_of(self, moment: datetime) -> str:
        """The day of a moment by the country's time (`2026-03-06`)."""
        return moment.astimezone(self.zone).date().isoformat()

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def room(self) -> Thing:
        """The room as policies see it."""
        return Thing.room("operations", self.kernel.agency)


def _check(since: datetime, until: datetime, turn: datetime | None) -> None:
    if not since < until:
        raise BadInput("The span ends before it begins.", advice="Give the earlier time first.")
    if until - since > LONGEST:
        raise BadInput(
            "The span is longer than 366 days.", advice="Ask for a year, or a part of one."
        )
    if turn is not None and not since < turn < until:
        raise BadInput(
            "The date to compare at lies outside the span.",
            advice="Give one between its begin and its end.",
        )


def as_json(report: Report) -> dict[str, Any]:
    """The report as JSON values; durations are whole or broken seconds, times RFC 3339 in UTC."""
    return {
        "since": format_time(report.since),
        "until": format_time(report.until),
        "followed_until": format_time(report.now),
        "alerts": report.alerts,
        "alike": report.alike,
        "escalated": report.escalated,
        "steps": [_figure(f) for f in report.figures],
        "groups": {
            by: [
                {"name": name, "alerts": n, "steps": [_figure(f) for f in figures]}
                for name, n, figures in group
            ]
            for by, group in report.groups.items()
        },
        "before_after": format_time(report.turn) if report.turn else None,
        "changes": [
            {
                "step": c.step.value,
                "before": _figure(c.before),
                "after": _figure(c.after),
                "difference_s": c.difference_s,
                "interval_95_s": [c.low_s, c.high_s] if c.told else None,
                "watches": list(c.watches),
            }
            for c in report.changes
        ],
    }


def _figure(f: Figure) -> dict[str, Any]:
    return {
        "step": f.step.value,
        "median_s": f.median_s,
        "p90_s": f.high_s,
        "done": f.done,
        "waiting": f.waiting,
        "ended": f.ended,
        "backwards": f.backwards,
    }
