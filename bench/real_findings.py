"""Every behaviour over the real logs of vessels, to be looked at by eye.

`python -m bench.real_findings` prints each finding with its reasons; what was seen of them stands
in docs/picture-on-real-logs.md. The logs come without zones, so that no port, anchorage, ground
or shore is known: what needs them is silent, and what they would have kept quiet is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from bench.measuring import real_data
from bench.real_tracks import Log, real_logs
from cordon.kernel.errors import BadInput
from cordon.kernel.findings import RecordRef
from cordon.picture.detect import find
from cordon.picture.feeds.readers import open_positions
from cordon.picture.model import Position
from cordon.picture.tracks import Tracks


def positions(log: Log) -> Iterator[Position]:
    """A log's rows as positions."""
    for n in range(len(log.t)):
        yield Position(
            at=datetime.fromtimestamp(float(log.t[n]), UTC),
            source=log.name,
            subject=f"mmsi:{int(log.who[n]):09d}",
            lat=float(log.lat[n]),
            lon=float(log.lon[n]),
            speed_kn=None if np.isnan(log.speed[n]) else float(log.speed[n]),
            course_deg=None if np.isnan(log.course[n]) else float(log.course[n]) % 360,
            kind="vessel",
            record=RecordRef("0" * 64, n + 1),
        )


def main() -> None:
    for log in real_logs():
        _tell(log.name, Tracks.build(positions(log)))
    folder = real_data()
    for path in sorted((folder / "ais").iterdir()) if folder is not None else []:
        try:
            reader = open_positions(path, base_time=datetime(2019, 2, 16, tzinfo=UTC))
            tracks = Tracks.build(reader.batches())
        except BadInput as wrong:
            print(f"{path.name}: {wrong}")
            continue
        _tell(path.name, tracks)


def _tell(name: str, tracks: Tracks) -> None:
    found = find(tracks, [])
    print(f"{name}: {len(tracks):,} positions of {len(tracks.subjects):,}; {len(found)} findings")
    for f in found:
        said = "; ".join(f"{r.name} {r.value} {r.unit}" for r in f.reasons[:5])
        at = f.place["coordinates"] if f.place else None
        print(f"  {f.kind} {', '.join(f.subjects)} {f.start:%d %H:%M} to {f.end:%d %H:%M} {at}")
        print(f"    {f.confidence:.2f} {said}")


if __name__ == "__main__":
    main()
