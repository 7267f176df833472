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

from cordon.exercise.model import Inputs, Truth, write_truths
from cordon.exercise.worlds.coast import Coast, Harbour, Planted
from cordon.exercise.worlds.people import Census, Towns, write_calls, write_subscribers
from cordon.exercise.worlds.radio import (
    Heard,
    Receivers,
    reports_around,
    write_ais,
    write_positions,
)
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


def generate(
    seed: int, days: float, scale: float, out: Path, *, start: datetime | None = None
) -> Inputs:
    """Write the world's inputs and truth into a folder; see `model.World`.

    Lines that call out in a fan need two days to stand out; a coast needs one.
    """
    if not 0.05 <= days <= 366 or not 0.01 <= scale <= 1000:
        raise BadInput(
            f"The world {NAME} got {days:g} days at scale {scale:g}.",
            advice="It takes 0.05 to 366 days and a scale from 0.01 to 1000.",
        )
    data = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    begins = as_utc(start) if start is not None else parse_time(data["start"])
    begins = begins.replace(microsecond=0)
    span = days * 86400.0
    # each part draws from a stream of its own, so that a change in one leaves the others alone
    afloat, ears, ashore, sending = (
        np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4)
    )
    out.mkdir(parents=True, exist_ok=True)
    coast = Harbour(data["coast"], afloat, span, scale).build()
    receivers = Receivers(data["coast"], ears, span)
    heard = [receivers.hear(v) for v in coast.vessels]
    local = begins.astimezone(ZoneInfo(data["zone"]))
    local_s = local.hour * 3600.0 + local.minute * 60.0 + local.second
    towns = Census(data["people"], ashore, span, scale, local_s).build()
    files = {
        "positions": out / "positions.csv",
        "ais": out / "ais.nmea",
        "zones": out / "zones.geojson",
        "calls": out / "calls.csv",
        "subscribers": out / "subscribers.csv",
        "truth": out / "truth.jsonl",
    }
    truths = [*_afloat(coast, heard, begins), *_ashore(towns, begins)]
    truths.sort(key=lambda t: (t.start, t.kind, t.subjects))
    rows = {
        "positions": write_positions(files["positions"], heard, receivers.names, begins),
        "ais": write_ais(files["ais"], heard, receivers.names, begins, data["coast"], sending),
        "zones": _zones(files["zones"], data["coast"]["zones"]),
        "calls": write_calls(files["calls"], towns, begins),
        "subscribers": write_subscribers(files["subscribers"], towns),
        "truth": len(truths),
    }
    with written_whole(files["truth"]) as partial:
        partial.write_bytes(b"".join(write_truths(truths)))
    return Inputs(out, files, rows, begins, begins + timedelta(seconds=span))


def _afloat(coast: Coast, heard: Sequence[Heard], begins: datetime) -> list[Truth]:
    """The truths at sea, by what was received: what nobody could hear is not asked for."""
    truths = []
    for planted in coast.planted:
        own = [h for h in heard if h.vessel.mmsi == planted.mmsi and len(h.t)]
        if not own:
            continue
        if planted.until_heard:
            first, last = reports_around(iter(own), planted.start, planted.end)
        else:
            first, last = planted.start, planted.end
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
    with written_whole(path) as partial:
        whole = {"type": "FeatureCollection", "features": features}
        partial.write_bytes(orjson.dumps(whole, option=orjson.OPT_INDENT_2))
    return len(features)
