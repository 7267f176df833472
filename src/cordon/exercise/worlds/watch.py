"""The world “watch”: a night watch over a coast, and the calls of the towns behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import yaml

from cordon.exercise.model import PLAYED, Inputs, Played, Truth, write_truths
from cordon.exercise.worlds.folder import written_together
from cordon.exercise.worlds.harbour import Harbour, Planted
from cordon.exercise.worlds.people import Census, Towns, write_calls, write_subscribers
from cordon.exercise.worlds.radio import (
    Heard,
    Receivers,
    reports_around,
    write_ais,
    write_positions,
)
from cordon.exercise.worlds.telling import tellable
from cordon.kernel.clock import as_utc, parse_time
from cordon.kernel.errors import BadInput
from cordon.kernel.geo import point
from cordon.kernel.store.files import written_whole

NAME = "watch"
SAYS = (
    "A night watch over a coast: lanes, fishing fleets, a ferry and an anchorage, with gaps, "
    "entries into restricted zones and impossible moves among them; and the calls of three "
    "towns, with lines that call out in a fan."
)
_FILES = {
    "positions": "positions.csv",
    "ais": "ais.nmea",
    "zones": "zones.geojson",
    "calls": "calls.csv",
    "subscribers": "subscribers.csv",
    "world": PLAYED,
    "truth": "truth.jsonl",
}


def generate(
    seed: int, days: float, scale: float, out: Path, *, start: datetime | None = None
) -> Inputs:
    """Write the world's inputs and truth into a folder; see `model.World`.

    Lines that call out in a fan need two days to stand out; a coast needs one.
    """
    data = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    begins = as_utc(start) if start is not None else parse_time(data["start"])
    begins = begins.replace(microsecond=0)
    _check(seed, days, scale, begins)
    span = days * 86400.0
    ends = begins + timedelta(seconds=span)
    # each part draws from a stream of its own, so that a change in one leaves the others alone
    afloat, ears, ashore, sending = (
        np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4)
    )
    coast = Harbour(data["coast"], afloat, span, scale).build()
    receivers = Receivers(data["coast"], ears, span)
    events, heard = tellable(coast.planted, [receivers.hear(v) for v in coast.vessels])
    local = begins.astimezone(ZoneInfo(data["zone"]))
    local_s = local.hour * 3600.0 + local.minute * 60.0 + local.second
    towns = Census(data["people"], ashore, span, scale, local_s).build()
    truths = [*_afloat(events, heard, begins, span), *_ashore(towns, begins)]
    truths.sort(key=lambda t: (t.start, t.kind, t.subjects))
    with written_together(out) as made:
        files = {name: made / file for name, file in _FILES.items()}
        rows = {
            "positions": write_positions(files["positions"], heard, receivers.names, begins),
            "ais": write_ais(files["ais"], heard, receivers.names, begins, data["coast"], sending),
            "zones": _zones(files["zones"], data["coast"]["zones"]),
            "calls": write_calls(files["calls"], towns, begins),
            "subscribers": write_subscribers(files["subscribers"], towns),
            "truth": len(truths),
        }
        _put(files["world"], Played(NAME, seed, days, scale, begins, ends).to_bytes())
        _put(files["truth"], b"".join(write_truths(truths)))
    return Inputs(out, {name: out / file for name, file in _FILES.items()}, rows, begins, ends)


def _check(seed: int, days: float, scale: float, begins: datetime) -> None:
    if not 0.05 <= days <= 366 or not 0.01 <= scale <= 1000:
        raise BadInput(
            f"The world {NAME} got {days:g} days at scale {scale:g}.",
            advice="It takes 0.05 to 366 days and a scale from 0.01 to 1000.",
        )
    if not 0 <= seed < 2**63:
        raise BadInput(
            f"The world {NAME} got the seed {seed}.", advice="It takes a whole number from 0 up."
        )
    if not 1970 <= begins.year < 2200:
        raise BadInput(
            f"The world {NAME} got the year {begins.year}.", advice="It takes 1970 to 2199."
        )


def _afloat(
    events: Sequence[Planted], heard: Sequence[Heard], begins: datetime, span: float
) -> list[Truth]:
    """The truths at sea, their spans by what was received."""
    truths = []
    for planted in events:
        own = [h for h in heard if h.vessel.mmsi == planted.mmsi]
        first, last = planted.start, min(planted.end, span)
        if planted.until_heard:
            first, last = reports_around(iter(own), first, last)
        subjects = [f"mmsi:{planted.mmsi}"] + ([f"zone:{planted.zone}"] if planted.zone else [])
        truths.append(
            Truth(
                planted.kind,
                tuple(sorted(subjects)),
                begins + timedelta(seconds=round(first)),
                begins + timedelta(seconds=round(last)),
                _place(planted, own),
                planted.note,
            )
        )
    return truths


def _place(planted: Planted, heard: Sequence[Heard]) -> dict[str, Any]:
    way = heard[-1].vessel.way
    lat, lon = way.at(np.array([planted.start]))
    return point(float(lat[0]), float(lon[0]))


def _ashore(towns: Towns, begins: datetime) -> list[Truth]:
    return [
        Truth(
            "calls.out_fan",
            (f"number:{number}",),
            begins + timedelta(seconds=first),
            begins + timedelta(seconds=last),
            None,
            "A line that called strangers all day.",
        )
        for number, first, last in towns.planted
    ]


def _zones(path: Path, zones: Sequence[dict[str, Any]]) -> int:
    features = []
    for zone in zones:
        south, west, north, east = zone["box"]
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        properties = {k: zone[k] for k in ("id", "name", "kind")}
        features.append(
            {
                "type": "Feature",
                "id": zone["id"],
                "properties": properties,
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )
    whole = {"type": "FeatureCollection", "features": features}
    _put(path, orjson.dumps(whole, option=orjson.OPT_INDENT_2))
    return len(features)


def _put(path: Path, data: bytes) -> None:
    with written_whole(path) as partial:
        partial.write_bytes(data)
