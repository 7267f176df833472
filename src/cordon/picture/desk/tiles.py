"""The operator's own map tiles: one PMTiles file, which the node serves by byte ranges.

PMTiles 3 (Protomaps' specification) is a single file with a directory of its tiles; the page asks
for the ranges that it needs. Which file it is, a setting says; nothing is asked of another host.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cordon.kernel.errors import NotFound, WrongSetting

_MAGIC = b"PMTiles"
_HEAD = 127
_KINDS = {1: "vector", 2: "png", 3: "jpeg", 4: "webp", 5: "avif"}
_PACKED = {1: "none", 2: "gzip"}


@dataclass(frozen=True, slots=True)
class Tiles:
    """A PMTiles file.

    Attributes:
        kind: `vector`, or the format of its pictures. version: changes with the file.
    """

    path: Path
    kind: str
    version: str


def open_tiles(path: Path) -> Tiles:
    """Look at a PMTiles file's head.

    Raises:
        WrongSetting: it cannot be read, is no PMTiles 3, or is packed as no page can unpack it.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        told = path.stat()
    except OSError as wrong:
        raise WrongSetting(f"The tiles {path} cannot be read: {wrong.strerror}.") from None
    if len(head) < _HEAD or not head.startswith(_MAGIC) or head[7] != 3:
        raise WrongSetting(f"The tiles {path} are no PMTiles file of version 3.")
    inner, packed, kind = head[97], head[98], head[99]
    if inner not in _PACKED or packed not in _PACKED:
        raise WrongSetting(
            f"The tiles {path} are packed in a way that browsers cannot unpack.",
            advice="Write them with gzip, or not packed.",
        )
    if kind not in _KINDS:
        raise WrongSetting(f"The tiles {path} hold a kind of tile that is not known.")
    return Tiles(path, _KINDS[kind], f"{told.st_size:x}-{told.st_mtime_ns:x}")


def tiles_at(tiles: Tiles | None) -> Tiles:
    """The tiles, or NotFound where the settings name none."""
    if tiles is None:
        raise NotFound("The settings of this node name no tiles.")
    return tiles
