"""The tracker beside Stone Soup: reports a second and GOSPA on the same plots.

Stone Soup's own pieces: a Kalman filter of constant velocity, global nearest neighbour by
assignment with gates by KD-tree, tracks begun by three plots and ended after six scans without.
Its noise of acceleration is the best of four for its GOSPA on another seed of the same scene.
Reports are plots given to a tracker, clutter among them. GOSPA (p 2, cutoff 100 m) is the mean
over scans; on a part of the scene it is computed by Stone Soup's own metric too, and both must
agree. Of 2,000 craft Stone Soup is given the first scans alone, and is compared on those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from bench.measuring import by_turns, row
from bench.scenes import CENTRE, Floats, Gospa, Scene, gospa, lat_lon, metres, scene
from cordon.picture.tracking import Sensor, Tracker
from cordon.picture.tracks import Batch

CUTOFF_M = 100.0
WARM_SCANS = 10  # not counted: tracks need some scans to be confirmed
NOISES = (0.05, 0.2, 1.0, 4.0)  # m²/s³, tried for Stone Soup


def batches(one: Scene) -> list[Batch]:
    """A scene's scans as batches of plots that name nobody."""
    out = []
    for t, plots in zip(one.times, one.plots, strict=True):
        lat, lon = lat_lon(plots)
        n, zero, nan = len(plots), np.zeros(len(plots), np.int64), np.full(len(plots), np.nan)
        out.append(
            Batch(
                sha256="",
                subjects=["plot:radar"],
                sources=["radar"],
                subject=zero,
                source=zero,
                t=np.full(n, t),
                lat=lat,
                lon=lon,
                speed=nan,
                course=nan,
                heading=nan,
                accuracy=np.full(n, one.error),
                kind=np.ones(n, np.int64),
                row=np.arange(n),
            )
        )
    return out


def sensor(one: Scene) -> Sensor:
    """The radar of a scene; how dense clutter is it does not know better than by its kind."""
    return Sensor("radar", "radar", lat=CENTRE[0], lon=CENTRE[1], revisit_s=one.scan_s)


def run_ours(one: Scene, given: list[Batch], places: list[Floats]) -> None:
    """Cordon, scan by scan; where tracks are after each is written to `places`."""
    tracker = Tracker([sensor(one)], lag_s=10.0)
    for batch in given:
        tracker.take([batch])
        tracker.tick()
        states = tracker.states()
        places.append(metres(states.lat, states.lon))


def run_peer(one: Scene, scans: int, noise: float, places: list[Floats]) -> None:
    """Stone Soup, scan by scan; where tracks are after each is written to `places`."""
    from stonesoup.buffered_generator import BufferedGenerator
    from stonesoup.dataassociator.tree import DetectionKDTreeGNN2D
    from stonesoup.deleter.time import UpdateTimeStepsDeleter
    from stonesoup.hypothesiser.distance import DistanceHypothesiser
    from stonesoup.initiator.simple import MultiMeasurementInitiator
    from stonesoup.measures import Mahalanobis
    from stonesoup.models.measurement.linear import LinearGaussian
    from stonesoup.models.transition.linear import (
        CombinedLinearGaussianTransitionModel,
        ConstantVelocity,
    )
    from stonesoup.predictor.kalman import KalmanPredictor
    from stonesoup.reader.base import DetectionReader
    from stonesoup.tracker.simple import MultiTargetTracker
    from stonesoup.types.detection import Detection
    from stonesoup.types.state import GaussianState
    from stonesoup.updater.kalman import KalmanUpdater

    measured = LinearGaussian(4, (0, 2), np.eye(2) * one.error**2)

    class Plots(DetectionReader):  # type: ignore[misc]
        @BufferedGenerator.generator_method  # type: ignore[untyped-decorator]
        def detections_gen(self) -> Iterator[tuple[datetime, set[Detection]]]:
            for t, plots in zip(one.times[:scans], one.plots[:scans], strict=True):
                at = datetime.fromtimestamp(t, UTC).replace(tzinfo=None)
                yield (
                    at,
                    {
                        Detection(p[:, None], timestamp=at, measurement_model=measured)
                        for p in plots
                    },
                )

    moving = CombinedLinearGaussianTransitionModel([ConstantVelocity(noise)] * 2)
    predictor, updater = KalmanPredictor(moving), KalmanUpdater(measured)
    hypothesiser = DistanceHypothesiser(predictor, updater, Mahalanobis(), missed_distance=3.7)
    associator = DetectionKDTreeGNN2D(
        hypothesiser, predictor, updater, number_of_neighbours=5, max_distance=400.0
    )
    deleter = UpdateTimeStepsDeleter(6)
    start = datetime.fromtimestamp(one.times[0], UTC).replace(tzinfo=None)
    prior = GaussianState([0, 0, 0, 0], np.diag([0, 8.0**2, 0, 8.0**2]), timestamp=start)
    initiator = MultiMeasurementInitiator(
        prior,
        UpdateTimeStepsDeleter(3),
        associator,
        updater,
        measured,
        min_points=3,
    )
    tracker = MultiTargetTracker(initiator, deleter, Plots(), associator, updater)
    for _, tracks in tracker:
        means = [track.state_vector[[0, 2], 0] for track in tracks]
        places.append(np.array(means, dtype=float).reshape(-1, 2))


def quality(one: Scene, places: list[Floats], warm: int = WARM_SCANS) -> Gospa:
    """Mean GOSPA of the scans after the first `warm`."""
    each = [gospa(a, b, CUTOFF_M) for a, b in zip(places, one.truth, strict=False)][warm:]
    return Gospa(
        *(float(np.mean([getattr(g, part) for g in each])) for part in Gospa.__annotations__)
    )


def check_metric(one: Scene, places: list[Floats], scans: int = 5) -> None:
    """Compute GOSPA of some scans by Stone Soup as well; it must be what ours is."""
    from stonesoup.metricgenerator.ospametric import GOSPAMetric
    from stonesoup.types.state import State

    metric = GOSPAMetric(p=2, c=CUTOFF_M)
    at = datetime(2026, 1, 1)  # noqa: DTZ001 (Stone Soup's times name no zone)
    for k in range(len(places) - scans, len(places)):
        tracks, truth = (
            [State(p[:, None], timestamp=at) for p in some] for some in (places[k], one.truth[k])
        )
        theirs = metric.compute_gospa_metric(tracks, truth)[0].value["distance"]
        ours = gospa(places[k], one.truth[k], CUTOFF_M).distance
        if not np.isclose(ours, theirs, rtol=1e-6):
            raise AssertionError(f"GOSPA of scan {k} is {ours} here and {theirs} by Stone Soup")


def tuned(craft: int, scans: int, side: float, clutter: float) -> float:
    """The noise of acceleration with which Stone Soup does best on a scene of another seed."""
    one = scene(craft, scans, seed=99, side=side, clutter=clutter)
    found = {}
    for noise in NOISES:
        places: list[Floats] = []
        run_peer(one, scans, noise, places)
        found[noise] = quality(one, places).distance
    return min(found, key=lambda noise: found[noise])


def beside(
    craft: int, scans: int, peer_scans: int, noise: float, rounds: int
) -> list[dict[str, Any]]:
    """Speed and GOSPA of both on one scene."""
    one = scene(craft, scans, seed=1, side=20_000 * (craft / 50) ** 0.5, clutter=0.4 * craft)
    given = batches(one)
    ours: list[Floats] = []
    theirs: list[Floats] = []

    def run_here() -> None:
        ours.clear()  # of the round before
        run_ours(one, given, ours)

    def run_there() -> None:
        theirs.clear()
        run_peer(one, peer_scans, noise, theirs)

    taken = by_turns(rounds, ours=run_here, peer=run_there)
    check_metric(one, theirs)
    check_metric(one, ours)
    part = sum(len(p) for p in one.plots[:peer_scans])
    ours_rate = taken["ours"].rate(one.count)
    peer_rate = taken["peer"].rate(part)
    what = f"{craft:,} craft, {scans} scans, {one.count:,} plots"
    warm = min(WARM_SCANS, peer_scans // 2)
    a, b = quality(one, ours[:peer_scans], warm), quality(one, theirs, warm)
    if peer_scans < scans:
        what += f" (peer: the first {peer_scans} scans)"
    return [
        row(
            f"{what}; {ours_rate / peer_rate:,.0f} times as many",
            ours_rate,
            peer_rate,
            "reports/s",
            taken["ours"],
            goal="≥ 20 × the peer" if craft == 50 else None,
        ),
        row(
            f"the same, GOSPA of scans {warm + 1} to {peer_scans}, "
            f"of which missed {a.missed / 5000:.1f} and {b.missed / 5000:.1f} craft a scan, "
            f"false {a.false / 5000:.1f} and {b.false / 5000:.1f}",
            a.distance,
            b.distance,
            "m",
            taken["ours"],
            goal="≤ the peer",
        ),
    ]


def spoken(live: int, each: int, ticks: int) -> list[Batch]:
    """AIS reports of `live` vessels by turns, `each` of them a second."""
    rng = np.random.default_rng(live)
    side = 1000.0 * (live / 0.05) ** 0.5
    place, velocity = rng.uniform(0, side, (live, 2)), rng.normal(0, 5, (live, 2))
    names = [f"mmsi:{200_000_000 + k}" for k in range(live)]
    turn, out = rng.permutation(live), []
    for tick in range(ticks):
        who = turn[np.arange(tick * each, (tick + 1) * each) % live]
        at = place[who] + tick * velocity[who] + rng.normal(0, 5, (each, 2))
        speed, course = np.hypot(*velocity[who].T), np.arctan2(*velocity[who].T)
        nan, zero = np.full(each, np.nan), np.zeros(each, np.int64)
        out.append(
            Batch(
                sha256="",
                subjects=[names[k] for k in who],
                sources=["rx"],
                subject=np.arange(each),
                source=zero,
                t=np.full(each, 1.7672256e9 + tick),
                lat=20.0 + at[:, 1] / 110_700.0,
                lon=60.0 + at[:, 0] / 104_600.0,
                speed=speed * 3600.0 / 1852.0,
                course=np.degrees(course) % 360.0,
                heading=nan,
                accuracy=np.full(each, 5.0),
                kind=zero + 1,
                row=np.arange(each),
            )
        )
    return out


def growth(*, quick: bool) -> list[dict[str, Any]]:
    """What a report costs with more and more living tracks; the same number of reports a tick."""
    sizes = (1_000, 10_000) if quick else (1_000, 10_000, 100_000)
    each, rounds, ticks = 1_000, 3 if quick else 7, 20
    works: dict[str, Callable[[], object]] = {}
    for live in sizes:
        warm = 2 * live // each
        given = spoken(live, each, warm + rounds * ticks)
        tracker = Tracker(lag_s=10.0)
        for batch in given[:warm]:
            tracker.take([batch])
            tracker.tick()
        if len(tracker) != live:
            raise AssertionError(f"{len(tracker)} tracks live, not {live}")
        rest = iter(given[warm:])

        def work(tracker: Tracker = tracker, rest: Iterator[Batch] = rest) -> None:
            for _ in range(ticks):
                tracker.take([next(rest)])
                tracker.tick()

        works[str(live)] = work
    taken = by_turns(rounds, **works)
    least = min(t.wall for t in taken.values())
    return [
        row(
            f"a report of {int(live):,} vessels by AIS, {each:,} reports a tick; "
            f"{t.wall / least:.2f} × the least of these",
            t.wall / (each * ticks) * 1e6,
            None,
            "µs",
            t,
            goal="flat",
        )
        for live, t in taken.items()
    ]


def run(*, quick: bool) -> list[dict[str, Any]]:
    """All rows of this part."""
    scans = 25 if quick else 100
    warm = scene(50, 3, seed=2, side=20_000, clutter=20)
    run_ours(warm, batches(warm), [])  # the first run compiles
    noise = 0.2 if quick else tuned(50, scans, 20_000, 20)
    rows = beside(50, scans, scans, noise, 1 if quick else 3)
    if not quick:
        rows += beside(2_000, 50, 24, noise, 1)
    return rows + growth(quick=quick)
