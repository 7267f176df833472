"""Files in, findings out: the behaviours over positions, without a node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding
from cordon.picture.behaviours import Behaviour, behaviours, fit_behaviours
from cordon.picture.cover import uncovered
from cordon.picture.cover.model import Means
from cordon.picture.feeds.readers import open_positions
from cordon.picture.feeds.seen import Seen
from cordon.picture.misspelt import misspelt
from cordon.picture.model import Counts, Refusal, Zone
from cordon.picture.tracks import Batch, Tracks
from cordon.picture.zones import read_zones

Progress = Callable[[str, int], None]
"""Called with what is being done (a file's or a behaviour's name) and rows or findings so far."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """What was read of one file. `refusals` holds the first 10,000; `counts` counts all.

    Attributes:
        broken: a sentence that says where the file breaks off, or empty.
    """

    path: Path
    sha256: str
    form: str
    counts: Counts
    refusals: tuple[Refusal, ...]
    broken: str = ""


@dataclass(frozen=True, slots=True)
class DetectResult:
    """Findings, in order of start, kind and subjects, and what was read for them.

    Attributes:
        remarks: sentences of what was mended in zones and what in them may be misspelt.
    """

    findings: tuple[Finding, ...]
    files: tuple[FileResult, ...]
    remarks: tuple[str, ...] = ()

    @property
    def counts(self) -> Counts:
        """Over all files."""
        return sum((f.counts for f in self.files), Counts())


def detect(
    paths: Iterable[Path],
    zones_path: Path | None = None,
    *,
    chosen: Sequence[Behaviour] | None = None,
    values: Mapping[str, Mapping[str, float]] | None = None,
    base_time: datetime | None = None,
    progress: Progress | None = None,
    on_refusal: Callable[[Path, Refusal], None] | None = None,
    means: Means | None = None,
) -> DetectResult:
    """Run behaviours over files of positions.

    The result is the same for the same content, whatever the files' order; a position that
    stands in two files counts as repeated in the later one.

    Args:
        chosen: behaviours; all where absent. values: parameters by behaviour's name.
        base_time: when AIS logs without times begin, aware; see `open_positions`.
        on_refusal: called with each refused row; else the first 10,000 of a file are kept.
        means: sensors and planned patrols, for sectors that are uncovered.

    Raises:
        BadInput: a file cannot be read or nothing in it can, or a zone or parameter is wrong.
    """
    zones = read_zones(Path(zones_path)) if zones_path is not None else []
    fit_behaviours(zones, Path(zones_path).name if zones_path is not None else "The zones")
    tracks, files = read_files(paths, base_time=base_time, progress=progress, on_refusal=on_refusal)
    some = list(behaviours() if chosen is None else chosen)
    if means is not None:
        some = [uncovered.with_means(means) if b is uncovered else b for b in some]
    found = tuple(find(tracks, zones, some, values, progress))
    return DetectResult(found, files, remarks_on(zones))


def remarks_on(zones: Sequence[Zone]) -> tuple[str, ...]:
    """Sentences of what was mended in zones when they were read, and what may be misspelt."""
    mended = [f"Zone “{z.id[:60]}”: {z.mended}." for z in zones if z.mended]
    return (*mended, *map(str, misspelt(zones)))


def read_files(
    paths: Iterable[Path],
    *,
    base_time: datetime | None = None,
    progress: Progress | None = None,
    on_refusal: Callable[[Path, Refusal], None] | None = None,
) -> tuple[Tracks, tuple[FileResult, ...]]:
    """The tracks of all subjects in files of positions, and what was read of each file.

    Arguments and errors as for `detect`.
    """
    seen = Seen()
    batches: list[Batch] = []
    files: list[FileResult] = []
    for path in sorted({Path(p).resolve() for p in paths}):
        tell = (lambda r, path=path: on_refusal(path, r)) if on_refusal is not None else None
        reader = open_positions(path, base_time=base_time, seen=seen, on_refusal=tell)
        for batch in reader.batches():
            batches.append(batch)
            if progress is not None:
                progress(path.name, reader.counts.read)
        files.append(
            FileResult(
                path,
                reader.sha256,
                reader.form,
                reader.counts,
                tuple(reader.refusals),
                reader.broken,
            )
        )
    if not files:
        raise BadInput("No file of positions was given.", advice="Name at least one.")
    return Tracks.build(batches), tuple(files)


def find(
    tracks: Tracks,
    zones: Sequence[Zone],
    chosen: Sequence[Behaviour] | None = None,
    values: Mapping[str, Mapping[str, float]] | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """Findings of behaviours over tracks, in order of start, kind and subjects."""
    found: list[Finding] = []
    for behaviour in behaviours() if chosen is None else chosen:
        card = behaviour.CARD
        found.extend(behaviour.find(tracks, zones, card.values((values or {}).get(card.name))))
        if progress is not None:
            progress(card.name, len(found))
    return sorted(found, key=lambda f: (f.start, f.kind, f.subjects, f.id))
