"""A group as a finding: subjects, place, reasons with numbers, records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cordon.calls.rings.locating import Region, locate
from cordon.calls.rings.search import Group
from cordon.calls.rings.uses import Uses, uses
from cordon.calls.rings.weighing import Sign
from cordon.calls.rings.working import Working, working
from cordon.calls.survey.distinct import distinct
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import point

if TYPE_CHECKING:
    from cordon.calls.detectors.data import CallData
    from cordon.kernel.cards import Card

Ints = NDArray[np.int64]
MOST_RECORDS = 1000
"""Pointers that a finding holds; how many there are stands in its reason `calls`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_USED = 2  # calls from a handset that are more than trying a SIM in it
_CELL_SHARE = 0.05  # of a group's calls, that makes a cell one of its subjects

_SAYS = {
    "sims_a_handset": "{v:.1f} SIMs a handset, where a subscriber has one",
    "handsets_a_sim": "each SIM went round among {v:.1f} handsets that the others use too",
    "turnover": "{v:.1f} lines were used up for each at work on a median day",
    "complaints": "{v:.0f} complaints name one of its numbers",
    "victims": "{v:.0f} of the people it dealt with complained within 14 days, of nobody else",
    "abroad": "{v:.0%} of the people called live in another country",
    "new_sims": "{v:.0%} of its SIMs were new when they were first at work",
    "still": "{v:.0%} of a line's calls came from the one place",
    "talk": "the median answered call lasted {v:.0f} s",
    "called_back": "{v:.0%} of the people called ever called it",
    "returned": "{v:.0%} of the people it spoke with it spoke with on more days",
    "registered": "{v:.1f} exempt lines at the same place for each of its own",
    "business": "{v:.0%} of its lines are held by a business",
    "address": "{v:.0%} of its lines with internet sessions reach one address of their own",
    "lines": "{v:.0f} lines were gathered",
    "people_a_day": "a line dealt with {v:.0f} different people on a median day",
    "hours": "it was at work in {v:.0f} hours of the day",
    "identities": "each SIM showed {v:.1f} handset identities",
    "incoming_share": "{v:.1%} of its calls were incoming",
    "again": "each person was called {v:.1f} times",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A group's own calls and what is read off them.

    Attributes:
        uses: of the members. region: where it is, or None where no cell is known.
        working: hours and seats.
    """

    uses: Uses
    region: Region | None
    working: Working


def told(data: CallData, group: Group) -> Told:
    """Read place and hours off a group's calls."""
    own = uses(data.near, group.members)
    cells, calls = np.unique(own.cell[own.cell >= 0], return_counts=True)
    region = locate(cells, calls.astype(float), data.ground)
    when = working(own.us, data.near.duration[own.call], own.imei, data.utc_offset_s)
    return Told(own, region, when)


def subjects(data: CallData, group: Group, own: Uses) -> list[str]:
    """Numbers, SIMs, handsets and cells of a group as `type:id`."""
    near = data.near
    names = [f"number:{near.numbers[i]}" for i in group.members]
    names += [f"imsi:{near.imsis[i]}" for i in distinct(own.imsi[own.imsi >= 0])]
    imei, often = np.unique(own.imei[own.imei >= 0], return_counts=True)
    names += [f"imei:{near.imeis[i]}" for i in imei[often >= _USED]]
    cell, often = np.unique(own.cell[own.cell >= 0], return_counts=True)
    share = often / max(often.sum(), 1)
    names += [f"cell:{near.cells[i]}" for i in cell[share >= _CELL_SHARE]]
    return names


def reasons(signs: list[Sign], usual: dict[str, str]) -> list[Reason]:
    """Signs in words, each beside what is usual where that is known."""
    made = []
    for sign in signs:
        words = _SAYS[sign.name].format(v=sign.value)
        if sign.name in usual:
            words += f"; usual is {usual[sign.name]}"
        way = "for" if sign.nats >= 0 else "against"
        words += f" ({abs(sign.nats):.1f} nats {way} it)"
        made.append(Reason(sign.name, round(sign.value, 4), sign.unit, sign.threshold, words))
    return made


def finding(
    data: CallData,
    card: Card,
    group: Group,
    seen: Told,
    signs: list[Sign],
    confidence: float,
    extra: dict[str, Any],
    usual: dict[str, str],
    more: Iterable[str] = (),
    also: Iterable[Reason] = (),
) -> Finding:
    """One finding of a group.

    Args:
        more: subjects beside those that its calls tell. also: reasons beside its signs.
    """
    own, near = seen.uses, data.near
    calls = distinct(own.call)
    refs = near.every_record(calls[:MOST_RECORDS])
    why = reasons(signs, usual)
    why.append(
        Reason(
            "calls",
            float(len(calls)),
            "1",
            None,
            f"{len(calls):,} calls with {group.facts.people:,} people; this finding points at "
            f"{len(refs):,} of their records",
        )
    )
    if len(group.beside):
        why.append(
            Reason(
                "beside",
                float(len(group.beside)),
                "1",
                None,
                f"{len(group.beside):,} lines at the same place were left out: they keep their "
                "handsets, were there all along, are held by a business, and no complaint names "
                "them",
            )
        )
    why += also
    duration = np.nan_to_num(near.duration[calls])
    ends = near.us[calls] + (duration * 1e6).astype(np.int64)
    made = Finding.make(
        kind=card.kind,
        subjects=[*subjects(data, group, own), *more],
        start=_moment(int(near.us[calls].min())),
        end=_moment(int(ends.max())),
        place=None if seen.region is None else point(seen.region.lat, seen.region.lon),
        radius_m=None if seen.region is None else round(seen.region.radius_90_m),
        confidence=confidence,
        reasons=why,
        records=refs,
        detector=card.name,
        version=card.version,
    )
    made.extra.update(extra)
    return made


def extra(seen: Told) -> dict[str, Any]:
    """What a finding says beyond the common shape: regions, hours, seats."""
    w = seen.working
    more: dict[str, Any] = {
        "seats": {"estimate": w.seats, "least": w.seats_least, "most": w.seats_most},
        "hours": {"opens": w.opens, "closes": w.closes % 24, "closed": list(w.closed)},
        "days": w.days,
    }
    if seen.region is not None:
        more["regions"] = seen.region.outlines
        more["radius_50_m"] = round(seen.region.radius_50_m)
    return more


def _moment(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)
