"""An exercise's feed in the order of its time, for playing on the production path."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cordon.exercise.worlds.radio import tag_time
from cordon.kernel.errors import BadInput


def play(
    folder: Path, *, since: datetime | None = None, until: datetime | None = None
) -> Iterator[tuple[datetime, str]]:
    """Lines of the folder's `ais.nmea` with the time at which each was received.

    Lines come as they stand, broken ones too, because real feeds have them; a line without a
    time goes with the one before it.

    Args:
        since, until: only lines received in [since, until), where given (aware).

    Raises:
        BadInput: there is no `ais.nmea` in the folder.
    """
    path = folder / "ais.nmea"
    if not path.is_file():
        raise BadInput(
            f"{folder.name} holds no ais.nmea.", advice="Make one: cordon exercise generate watch."
        )
    at: datetime | None = None
    with path.open(encoding="ascii", errors="replace", newline="") as lines:
        for line in lines:
            stamp = tag_time(line)
            if stamp is not None:
                moment = datetime.fromtimestamp(stamp, UTC)
                # a broken stamp must not send a player back, or far ahead
                if at is None or 0 <= (moment - at).total_seconds() < 86_400:
                    at = moment
            if at is None or (since is not None and at < since):
                continue
            if until is not None and at >= until:
                return
            yield at, line.rstrip("\r\n")
