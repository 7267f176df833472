"""Findings of sectors that were uncovered for longer than their plans allow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.picture.cover.cover import Cover, SectorCover, Spell
from cordon.picture.cover.drawing import rounded, uncovered_shape
from cordon.picture.cover.model import Fault, Means
from cordon.picture.cover.sectors import sectors_of
from cordon.picture.cover.signs import Signs
from cordon.picture.cover.telling import SpellTold, told_of
from cordon.picture.model import Zone
from cordon.picture.tracks import Tracks, moment

CARD = load_card(__file__)
STREAMED = False  # a node reckons cover itself: it knows its feeds and sensors (`watching.py`)
OPEN = "still_uncovered"
"""The reason of a finding that lasts: without it, the sector was covered again."""


def find(
    tracks: Tracks,
    zones: Sequence[Zone],
    values: Mapping[str, float],
    means: Means | None = None,
) -> Iterator[Finding]:
    """A finding for each time that a sector with a plan was uncovered longer than it allows.

    Args:
        means: what sensors there are and which patrols are planned; without it, sensors are the
            sources of the reports, as far as these tell.
    """
    sectors = [s for s in sectors_of(zones, CARD, values) if s.plan_min > 0]
    if sectors:
        yield from findings_of(
            Cover.of(zones, sectors, means or Means(), Signs.of_tracks(tracks), values)
        )


def fit_zones(zones: Sequence[Zone], where: str) -> None:
    """Refuse sectors whose plan asks for what there is not; BadInput names the feature."""
    sectors_of(zones, CARD, CARD.values(), where)


def with_means(means: Means) -> Any:
    """This behaviour with the sensors and patrols that are known, for `detect`."""

    def find_with(
        tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]
    ) -> Iterator[Finding]:
        return find(tracks, zones, values, means)

    return SimpleNamespace(CARD=CARD, find=find_with)


def cover_of(
    zones: Sequence[Zone],
    means: Means,
    signs: Signs,
    values: Mapping[str, float],
    faults: Iterable[Fault] = (),
    since: float | None = None,
) -> Cover:
    """The cover of all sectors, those without a plan too; see `Cover.of`."""
    return Cover.of(zones, sectors_of(zones, CARD, values), means, signs, values, faults, since)


def findings_of(cover: Cover) -> Iterator[Finding]:
    """What of a cover is a finding."""
    for sector in cover.sectors:
        plan = sector.sector.plan_min
        if plan <= 0 or not sector.known:
            continue
        for spell in sector.spells():
            if spell.minutes > plan:
                yield _finding(cover, sector, spell)


def _finding(cover: Cover, sector: SectorCover, spell: Spell) -> Finding:
    told = told_of(cover, sector, spell)
    zone = sector.sector.zone
    return Finding.make(
        kind=CARD.kind,
        subjects=[f"zone:{zone.id}"],
        start=moment(spell.start),
        end=moment(spell.end),
        place=rounded(uncovered_shape(sector, told.step), sector.cells.size_m),
        radius_m=round(sector.cells.size_m),
        confidence=_confidence(sector, told, spell),
        reasons=_reasons(sector, spell, told),
        records=_records(cover, told),
        detector=CARD.name,
        version=CARD.version,
    )


def _reasons(sector: SectorCover, spell: Spell, told: SpellTold) -> list[Reason]:
    name, plan = sector.sector.zone.name, sector.sector.plan_min
    lasts = "" if spell.open else " It was then covered again."
    reasons = [
        Reason(
            "max_uncovered_min",
            round(spell.minutes, 1),
            "min",
            plan,
            f"So long {name} was uncovered; its plan allows {plan:g} min.{lasts}",
        ),
        Reason(
            "covered_share" if sector.sector.covered_share > 0 else "of_usual",
            round(told.share, 3),
            "1",
            round(told.wanted, 3) if math.isfinite(told.wanted) else None,
            f"This part of it was seen, {told.for_what}.",
        ),
        Reason(
            "sensors_down",
            len(told.down),
            "1",
            None,
            f"Sensors that gave nothing: {told.down_words}." if told.down else told.no_sensor_words,
        ),
    ]
    if spell.open:
        reasons.append(Reason(OPEN, 1, "1", None, "It is still uncovered."))
    if told.unit:
        reasons.append(
            Reason("nearest_unit_nm", round(told.unit_nm, 1), "nm", None, told.unit_words)
        )
    if told.patrol_min is not None:
        reasons.append(
            Reason("next_patrol_min", round(told.patrol_min), "min", None, told.patrol_words)
        )
    return reasons


def _confidence(sector: SectorCover, told: SpellTold, spell: Spell) -> float:
    """0.9 where outages are known of; less where they are learned, or the data begin in them."""
    confidence = 0.9
    if not told.eyes and not sector.patrols and not bool((sector.who >= 0).any()):
        confidence -= 0.3  # nobody was ever seen to watch it: perhaps by means that nobody told
    if told.down and not all(down.sure for _, down in told.down):
        confidence -= 0.15
    if told.by_reports_alone:
        confidence -= 0.15
    if not told.units_heard:
        confidence -= 0.1  # patrols may go unheard
    if spell.i == 0:
        confidence -= 0.05
    return max(0.3, confidence)


def _records(cover: Cover, told: SpellTold) -> list[RecordRef]:
    """The last report of each sensor that fell silent, and of the nearest unit."""
    rows = sorted({down.row for _, down in told.down if down.row >= 0})
    found = [cover.signs.record(row) for row in rows]
    if told.unit is not None:
        found.append(cover.signs.way_record(told.unit.row))
    kept = {(r.sha256, r.row): r for r in found if r is not None}
    return [kept[key] for key in sorted(kept)]
