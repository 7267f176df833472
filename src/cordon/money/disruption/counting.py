"""After a disruption: what came back, counted and held against what was to be expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from sqlalchemy import select

from cordon.calls import MEASURES, RingTold, Series, counted, rings_told
from cordon.kernel.access.model import Actor, Authority, Mark
from cordon.kernel.errors import AuthorityRefused, Conflict
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import Running
from cordon.kernel.work import Work
from cordon.money.disruption import reading
from cordon.money.disruption.known import paid_in
from cordon.money.disruption.model import SENT_STATES, Kind
from cordon.money.disruption.seeing import under
from cordon.money.disruption.service import Disruption
from cordon.money.disruption.tables import CountedRow, PackageRow
from cordon.money.effect import Effect, Untold, effect, pooled
from cordon.money.effect.ratio import Part, expected_days

VIEW, COUNT = "money.effect.view", "money.effect.count"
JOB = "money.effect"
BEFORE = 12 * 7  # days before a disruption that are looked at, at most
AFTER = 12 * 7
Figure = Effect | Untold


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted after one package by one measure, for its chart and its figure."""

    package: str
    name: str
    kind: Kind
    measure: str
    first: date
    at: int
    own: tuple[int, ...]
    expected: tuple[float, ...]
    figure: Figure

    def days(self) -> list[str]:
        """The days of the series (ISO 8601)."""
        # the day of the disruption itself is none of them
        return [
            (self.first + timedelta(days=n + (n >= self.at))).isoformat()
            for n in range(len(self.own))
        ]


@dataclass(frozen=True, slots=True)
class Kinds:
    """What works: for each kind of disruption and measure the figure over all of that kind.

    Attributes:
        kinds: (kind, measure, how many disruptions, figure). packages: of which something was
            counted: id, name, kind, and each measure's figure. uncounted: id, name and kind of
            those that were sent and of which nothing was counted yet.
    """

    kinds: tuple[tuple[Kind, str, int, Figure], ...]
    packages: tuple[tuple[str, str, Kind, Mapping[str, Figure]], ...]
    uncounted: tuple[tuple[str, str, Kind], ...]


def ask(room: Disruption, actor: Actor, package: str) -> str:
    """Queue the counting after a package; return the job's id.

    Raises:
        Conflict: it was not sent, or was made from no ring.
        AuthorityRefused: another authority is chosen than the package's.
    """
    with room.kernel.work(actor) as work:
        row = reading.find(work.session, package)
        work.permit(COUNT, row.thing())
        _check(work, row)
        return room.jobs.ask(work, JOB, row.name, {"package": row.id}, unit="measures")


def run(room: Disruption, job: Running) -> Mapping[str, Any]:
    """Count, in one step; the same again gives the same."""
    with job.step() as work:
        row = reading.find(work.session, str(job.params["package"]))
        authority = _check(work, row)
        work.act(COUNT, row.thing(), name=row.name)
        made = _counted(room, work, row, authority)
        for one in made:
            _keep(work, row, one)
        told = {"measures": len(made), "figures": sum(isinstance(o.figure, Effect) for o in made)}
        job.save(work, {}, done=len(made), total=len(made), stage="done", report=told)
    return told


def by_kind(room: Disruption, actor: Actor) -> Kinds:
    """Figures for each kind of disruption and measure, and the packages that they come from."""
    with room.kernel.view(actor) as view:
        view.permit(VIEW, room.room())
        sent = [
            row
            for row in view.session.scalars(
                select(PackageRow)
                .where(PackageRow.agency == room.kernel.agency, PackageRow.sent_at.is_not(None))
                .order_by(PackageRow.id.desc())
            )
            if view.may(VIEW, row.thing())
        ]
        rows = view.session.scalars(
            select(CountedRow).where(CountedRow.package.in_([r.id for r in sent]))
        )
        figures: dict[str, dict[str, Figure]] = {}
        for row in rows:
            figures.setdefault(row.package, {})[row.measure] = _figure(row)
        kinds = []
        for kind in Kind:
            for measure in MEASURES:
                those = [
                    f
                    for r in sent
                    if r.kind == kind
                    and isinstance(f := figures.get(r.id, {}).get(measure), Effect)
                ]
                if those:
                    kinds.append((kind, measure, len(those), pooled(those)))
        return Kinds(
            tuple(kinds),
            tuple((r.id, r.name, Kind(r.kind), figures[r.id]) for r in sent if r.id in figures),
            tuple((r.id, r.name, Kind(r.kind)) for r in sent if r.id not in figures and r.ring),
        )


def after(room: Disruption, actor: Actor, package: str) -> tuple[PackageRow, list[Counted], bool]:
    """What was counted after a package, and whether this reader may count (again)."""
    with room.kernel.view(actor) as view:
        row = reading.find(view.session, package)
        view.permit(VIEW, row.thing())
        rows = view.session.scalars(select(CountedRow).where(CountedRow.package == row.id))
        made = [_of(row, r) for r in rows]
        made.sort(key=lambda c: MEASURES.index(c.measure))
        may = bool(row.ring) and view.may(COUNT, row.thing()) and under(view, row.authority)
        view.session.expunge(row)
        return row, made, may


def figure_values(figure: Figure) -> dict[str, Any]:
    """A figure as JSON values."""
    if isinstance(figure, Untold):
        return {"why": figure.why}
    told = asdict(figure)
    told["high"] = None if figure.high == float("inf") else figure.high
    return told


def _check(work: Work, row: PackageRow) -> Authority:
    if row.state not in SENT_STATES or row.ring is None:
        raise Conflict(
            f"Nothing can be counted after {row.name}: it was not sent, or is of no ring.",
            advice="Choose a package that was made from a ring and sent.",
        )
    chosen = work.actor.authority
    if chosen is None or not under(work, row.authority):
        raise AuthorityRefused(
            f"Calls are counted under the authority {reading.read_under(work.session, row)} alone.",
            advice="Choose that authority.",
        )
    return chosen


def _counted(room: Disruption, work: Work, row: PackageRow, authority: Authority) -> list[Counted]:
    rings = rings_told(work, row.authority)
    assert row.ring is not None
    assert row.sent_at is not None
    mine = _same(rings, row.ring)
    disrupted = set(
        work.session.scalars(
            select(PackageRow.ring).where(
                PackageRow.agency == room.kernel.agency,
                PackageRow.sent_at.is_not(None),
                PackageRow.ring.is_not(None),
            )
        )
    )
    touched = {r.id for one in disrupted if one for r in _same(rings, one)}
    keys = {r.id: r.keys() for r in rings if r.id not in touched}
    alone = list(keys)
    own = next(r for r in mine if r.id == row.ring).keys()
    for other in mine:  # who comes back elsewhere is known by other names and accounts
        for measure in ("complaints", "mules"):
            own[measure] |= other.keys()[measure]
    keys[row.ring] = own
    sent = row.sent_at.astimezone(room.country.zone)
    offset = sent.utcoffset() or timedelta(0)
    series = counted(
        work, keys, {m["number"] for r in rings for m in r.detail.get("members", ())}, authority,
        offset=offset, region=room.country.phone_region,
    )  # fmt: skip
    paid = paid_in(work, authority, keys, offset)
    if paid is not None:  # payments brought into the room stand before a file beside the calls
        series["mules"] = paid
    return [
        one
        for measure, told in series.items()
        if (one := _one(row, measure, told, alone, sent.date())) is not None
    ]


def _one(
    row: PackageRow,
    measure: str,
    told: Series,
    alone: list[str],
    sent: date,
) -> Counted | None:
    if row.ring is None:
        return None
    by_ring = told.by_ring
    # the day itself is neither before nor after; the last day at hand may not be whole
    turn = sent + timedelta(days=1)
    first = max(told.first, sent - timedelta(days=BEFORE))
    last = min(told.last, turn + timedelta(days=AFTER))
    span = [first + timedelta(days=n) for n in range((last - first).days)]
    span = [day for day in span if day != sent]
    if not span:
        return None
    at = sum(day < sent for day in span)
    own = np.array([by_ring.get(row.ring, {}).get(d, 0) for d in span], np.int64)
    others = np.array(
        [[by_ring.get(r, {}).get(d, 0) for d in span] for r in alone], np.int64
    ).reshape(len(alone), len(span))
    return Counted(
        row.id, row.name, Kind(row.kind), measure, first, at,
        tuple(own.tolist()), tuple(np.round(expected_days(own, others, at), 3).tolist()),
        effect(own, others, at),
    )  # fmt: skip


def _same(rings: list[RingTold], ring: str) -> list[RingTold]:
    """A ring and all that went on from it elsewhere."""
    found = {ring}
    grew = True
    while grew:
        more = {r.id for r in rings if r.follows in found} - found
        grew = bool(more)
        found |= more
    return [r for r in rings if r.id in found]


def _keep(work: Work, row: PackageRow, one: Counted) -> None:
    kept = work.session.scalar(
        select(CountedRow).where(CountedRow.package == row.id, CountedRow.measure == one.measure)
    )
    if kept is None:
        kept = CountedRow(
            id=new_id(), agency=row.agency, mark=Mark(row.mark), package=row.id, kind=row.kind,
            measure=one.measure,
        )  # fmt: skip
        work.session.add(kept)
    kept.created_at = work.now
    kept.first, kept.at = one.first.isoformat(), one.at
    kept.own, kept.expected = list(one.own), list(one.expected)
    untold = isinstance(one.figure, Untold)
    kept.figure = None if untold else figure_values(one.figure)
    kept.why = one.figure.why if isinstance(one.figure, Untold) else ""
    work.session.flush()


def _figure(row: CountedRow) -> Figure:
    if row.figure is None:
        return Untold(row.why)
    told = dict(row.figure)
    told["high"] = float("inf") if told["high"] is None else told["high"]
    told["weeks"] = (told["weeks"][0], told["weeks"][1])
    told["parts"] = tuple(Part(**p) for p in told["parts"])
    return Effect(**told)


def _of(row: PackageRow, kept: CountedRow) -> Counted:
    return Counted(
        row.id, row.name, Kind(row.kind), kept.measure, date.fromisoformat(kept.first), kept.at,
        tuple(kept.own), tuple(kept.expected), _figure(kept),
    )  # fmt: skip
