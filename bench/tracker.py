"""The tracker beside Stone Soup: updates a second and GOSPA on the same plots.

Stone Soup's own pieces: a Kalman filter of constant velocity, global nearest neighbour by
assignment with gates by KD-tree, tracks begun by three plots and ended after six scans without.
Its noise of acceleration is the best of four for its GOSPA on another seed of the same scene.
An update is a plot given to a tracker, clutter among them. Of many craft Stone Soup is given the
first scans alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
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


def run_ours(one: Scene, given: list[Batch], places: list[Floats] | None) -> None:
    """Cordon, scan by scan; where tracks are after each is written to `places`."""
    tracker = Tracker([sensor(one)], lag_s=10.0)
    for batch in given:
        tracker.take([batch])
        tracker.tick()
        if places is not None:
            states = tracker.states()
            places.append(metres(states.lat, states.lon))


def run_peer(one: Scene, scans: int, noise: float, places: list[Floats] | None) -> None:
    """Stone Soup, scan by scan; where tracks are after each is written to `places`."""
    from stonesoup.dataassociator.tree import DetectionKDTreeGNN2D
    from stonesoup.deleter.time import UpdateTimeStepsDeleter
    from stonesoup.reader.base import DetectionReader
    from stonesoup.buffered_generator import BufferedGenerator
    from stonesoup.hypothesiser.distance import DistanceHypothesiser
    from stonesoup.initiator.simple import MultiMeasurementInitiator
    from stonesoup.measures import Mahalanobis
    from stonesoup.models.measurement.linear import LinearGaussian
    from stonesoup.models.transition.linear import (
        CombinedLinearGaussianTransitionModel,
        ConstantVelocity,
    )
    from stonesoup.predictor.kalman import KalmanPredictor
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
        if places is not None:
            means = [track.state_vector[[0, 2], 0] for track in tracks]
            places.append(np.array(means, dtype=float).reshape(-1, 2))


def quality(one: Scene, places: list[Floats]) -> Gospa:
    """Mean GOSPA of the scans after the first."""
    each = [
        gospa(found, truth, CUTOFF_M)
        for found, truth in list(zip(places, one.truth[: len(places)], strict=True))[WARM_SCANS:]
    ]
    return Gospa(
        *(float(np.mean([getattr(g, part) for g in each])) for part in Gospa.__annotations__)
    )
