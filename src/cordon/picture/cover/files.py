"""Files in, cover out: without a node, on nothing but these files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding
from cordon.picture.cover.cover import Cover
from cordon.picture.cover.model import Means
from cordon.picture.cover.signs import Signs
from cordon.picture.cover.uncovered import CARD, cover_of, findings_of
from cordon.picture.feeds.readers import open_positions
from cordon.picture.feeds.seen import Seen
from cordon.picture.tracks import Batch, Tracks
from cordon.picture.zones import read_zones


@dataclass(frozen=True, slots=True)
class FilesCover:
    """What files tell of cover: the cover itself, and its findings."""

    cover: Cover
    findings: tuple[Finding, ...]


def cover_of_files(
    positions: Iterable[Path],
    zones: Path,
    means: Means,
    *,
    at: datetime | None = None,
    base_time: datetime | None = None,
) -> FilesCover:
    """The cover of the zones' patrol sectors by these positions and means.

    Args:
        at: as it was known at this moment; when the data end where absent.

    Raises:
        BadInput: a file cannot be used, or `at` lies before the data.
    """
    known = read_zones(Path(zones))
    seen = Seen()
    batches: list[Batch] = []
    for path in sorted({Path(p).resolve() for p in positions}):
        batches += open_positions(path, base_time=base_time, seen=seen).batches()
    tracks = Tracks.build(batches)
    batches.clear()
    signs = Signs.of_tracks(tracks)
    if at is not None:
        if at.timestamp() <= signs.begin:
            raise BadInput("The moment asked for lies before anything was heard.")
        signs = signs.until(at.timestamp())
    cover = cover_of(known, means, signs, CARD.values())
    return FilesCover(cover, tuple(findings_of(cover)))
