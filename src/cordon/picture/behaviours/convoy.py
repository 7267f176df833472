"""Movers that keep company over distance and time, where chance hardly brings them together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import point
from cordon.picture.behaviours import false_position
from cordon.picture.model import Zone
from cordon.picture.shared.cotravel import Runs, runs_of
from cordon.picture.shared.crafts import Trade, crafts_of
from cordon.picture.shared.doubles import doubles_of
from cordon.picture.shared.evidence import spread_records
from cordon.picture.shared.numbering import different
from cordon.picture.shared.sameparty import unnamed_of
from cordon.picture.shared.samples import paths_of
from cordon.picture.tracks import Bools, Floats, Ints, Tracks, moment

CARD = load_card(__file__)
_RECORDS_EACH = 8
_MATES = 3  # of those that a mover is near, so many may be of its own company


@dataclass(frozen=True, slots=True)
class _Company:
    """Some movers that went together.

    Attributes:
        members: subjects, sorted. rows: their runs. hulls: how many movers they are, at least.
        t0, t1: s. way_m: how far they went. chance: how likely chance brought them together.
    """

    members: tuple[int, ...]
    rows: Ints
    hulls: int
    t0: float
    t1: float
    way_m: float
    chance: float


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each company that is long and far enough and that chance does not explain."""
    if len(tracks) < 2:
        return
    runs = runs_of(tracks, values)
    false = false_position.untrue_of(tracks, zones)
    untrue = false.during(runs.one, runs.t0, runs.t1) | false.during(runs.two, runs.t0, runs.t1)
    for company in _companies(tracks, runs, ~untrue, values):
        sea = bool(crafts_of(tracks).sea[list(company.members)].all())
        least_min = values["sea_min"] if sea else values["land_min"]
        least_km = values["sea_km"] if sea else values["land_km"]
        pair = company.hulls == 2
        most = values["most_chance"] * (values["pair_share"] if pair else 1.0)
        times = 2.0 if pair else 1.0
        if company.t1 - company.t0 < times * least_min * 60:
            continue
        if company.way_m < times * least_km * 1000 or company.chance > most:
            continue
        if company.hulls <= values["most_members"]:
            yield _finding(tracks, runs, company, most, sea=sea, values=values)


def _companies(
    tracks: Tracks, runs: Runs, true: Bools, values: Mapping[str, float]
) -> Iterator[_Company]:
    """Runs that hang together by a mover and in time, put together.

    Args:
        true: which runs are of positions that are not told to be false.
    """
    same, serves = _one_hull(tracks, runs, values), _serves(tracks, runs)
    # each track stands for the mover that it is of
    mover = _movers(len(tracks.subjects), runs, same)
    # who passes by others is near each for a while, and each such while is likely
    alone = runs.chance * np.maximum(1, runs.partners - _MATES) <= values["link_chance"]
    kept = np.flatnonzero(true & alone & ~same & ~serves & (mover[runs.one] != mover[runs.two]))
    for rows in _together(runs, kept, values["pause_min"] * 60):
        members = different(np.concatenate((runs.one[rows], runs.two[rows])))
        t0, t1 = float(runs.t0[rows].min()), float(runs.t1[rows].max())
        # the way of the longest, and on at its pace where others carry on
        longest = rows[int(np.argmax(runs.way_m[rows]))]
        pace = runs.way_m[longest] / max(runs.t1[longest] - runs.t0[longest], 1.0)
        hulls, chance = _hulls_and_chance(runs, rows, mover)
        beside = np.flatnonzero(same & (runs.t0 <= t1) & (runs.t1 >= t0))
        beside = beside[np.isin(runs.one[beside], members) | np.isin(runs.two[beside], members)]
        members = different(np.concatenate((members, runs.one[beside], runs.two[beside])))
        yield _Company(
            tuple(members.tolist()), rows, hulls, t0, t1, float(pace * (t1 - t0)), chance
        )


def _one_hull(tracks: Tracks, runs: Runs, values: Mapping[str, float]) -> Bools:
    """Which runs are of one mover that two eyes see, or of a set and the radar that sees it."""
    crafts, double, unnamed = crafts_of(tracks), doubles_of(tracks), unnamed_of(tracks)
    one, two = runs.one, runs.two
    same = (double[one] == two) | (double[two] == one)
    other_eye = crafts.family[one] != crafts.family[two]
    beside = runs.apart_m + runs.spread_m <= values["one_hull_m"]
    return np.asarray(same | (other_eye & beside & (unnamed[one] | unnamed[two])))


def _serves(tracks: Tracks, runs: Runs) -> Bools:
    """Which runs are of a pilot, a tug or the like, which go with others by trade."""
    trade = crafts_of(tracks).trade
    return np.asarray((trade[runs.one] == Trade.SERVICE) | (trade[runs.two] == Trade.SERVICE))


def _movers(count: int, runs: Runs, same: Bools) -> Ints:
    """For each subject the least of those that are tracks of the same mover."""
    mover = np.arange(count)
    for n in np.flatnonzero(same).tolist():
        a, b = mover[runs.one[n]], mover[runs.two[n]]
        if a != b:
            mover[mover == max(a, b)] = min(a, b)
    return mover


def _together(runs: Runs, kept: Ints, pause_s: float) -> list[Ints]:
    """Groups of runs that share a mover while they last, or one after the other without a pause."""
    parent = {n: n for n in kept.tolist()}

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    latest: dict[int, list[int]] = {}
    for n in kept.tolist():  # by begin
        for mover in (int(runs.one[n]), int(runs.two[n])):
            held = latest.setdefault(mover, [])
            held[:] = [m for m in held if runs.t1[m] + pause_s >= runs.t0[n]]
            for m in held:
                parent[root(n)] = root(m)
            held.append(n)
    groups: dict[int, list[int]] = {}
    for n in kept.tolist():
        groups.setdefault(root(n), []).append(n)
    return [np.array(g) for g in groups.values()]


def _hulls_and_chance(runs: Runs, rows: Ints, mover: Ints) -> tuple[int, float]:
    """How many movers were together at once, at most; and how likely chance brought them together.

    Each that joins the others does so by its best run, and independently: the likelihoods of
    the best runs that hold all together are multiplied.
    """
    one, two = mover[runs.one], mover[runs.two]
    most = 2
    for t in different(runs.t0[rows]):
        now = rows[(runs.t0[rows] <= t) & (runs.t1[rows] >= t)]
        most = max(most, len(different(np.concatenate((one[now], two[now])))))
    members = different(np.concatenate((one[rows], two[rows])))
    joined: set[int] = set()
    chance, links = 1.0, 0
    for n in rows[np.argsort(runs.chance[rows], kind="stable")].tolist():
        pair = {int(one[n]), int(two[n])}
        if links < most - 1 and not pair <= joined:
            # who meets many on the way has as many chances; those of the company are none
            others = max(1, int(runs.partners[n]) - (len(members) - 1))
            chance *= min(1.0, float(runs.chance[n]) * others)
            links += 1
            joined |= pair
    return most, chance


def _finding(
    tracks: Tracks,
    runs: Runs,
    company: _Company,
    most: float,
    *,
    sea: bool,
    values: Mapping[str, float],
) -> Finding:
    rows = company.rows
    minutes = (company.t1 - company.t0) / 60
    kilometres = company.way_m / 1000
    names = [tracks.subjects[m] for m in company.members]
    first = rows[int(np.argmin(runs.t0[rows]))]
    reasons = (
        Reason(
            "members",
            company.hulls,
            "1",
            2,
            f"{company.hulls} movers went the same way together for {minutes:.0f} min and "
            f"{kilometres:.1f} km, at {kilometres / max(minutes, 1e-9) * 60:.0f} km/h.",
        ),
        Reason(
            "sea_min" if sea else "land_min",
            round(minutes, 1),
            "min",
            values["sea_min"] if sea else values["land_min"],
            "So long did they keep company.",
        ),
        Reason(
            "sea_km" if sea else "land_km",
            round(kilometres, 1),
            "km",
            values["sea_km"] if sea else values["land_km"],
            "So far did they go together.",
        ),
        Reason(
            "most_chance",
            float(f"{company.chance:.2g}"),
            "1",
            float(f"{most:.2g}"),
            "So likely would others that go there stay so together, by how their speeds differ "
            "and how many they meet.",
        ),
        Reason(
            "near_m",
            round(float(np.median(runs.apart_m[rows]))),
            "m",
            None,
            "So far apart were two of them in the middle; one was ahead of the other by "
            f"{np.median(runs.spread_m[rows]):.0f} m more or less.",
        ),
    )
    where = paths_of(tracks).at(np.array([int(runs.one[first])]), np.array([company.t0]))
    sure = 0.5 + 0.08 * min(company.hulls - 2, 3) + 0.1 * min(1.0, -np.log10(company.chance) / 5)
    sure += 0.1 * min(1.0, minutes / 180)
    found = Finding.make(
        kind=CARD.kind,
        # its id is that of the two that were first together, and stays when others join
        subjects=[tracks.subjects[int(runs.one[first])], tracks.subjects[int(runs.two[first])]],
        start=moment(company.t0),
        end=moment(company.t1),
        place=_place(where),
        radius_m=round(float(np.median(runs.apart_m[rows]) + values["near_m"])),
        confidence=float(min(0.95, sure)),
        reasons=reasons,
        records=[
            r
            for m in company.members
            for r in spread_records(tracks, m, company.t0, company.t1, _RECORDS_EACH)
        ],
        detector=CARD.name,
        version=CARD.version,
    )
    return replace(found, subjects=tuple(sorted(names)))


def _place(where: tuple[Floats, Floats]) -> dict[str, object] | None:
    lat, lon = float(where[0][0]), float(where[1][0])
    return point(lat, lon) if np.isfinite(lat) else None
