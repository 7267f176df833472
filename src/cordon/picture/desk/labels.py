"""Names, sources and types of what the live picture shows, by the index of its frames.

A frame holds no text. What a page needs beside it, which indexes are own units or sensors, which
are on the watch list and which fit a name or source, is answered from here; the labels are kept
up by asking the live picture only for what changed since the last time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from cordon.picture.live import HEADER, LivePicture

EVERY_S = 2.0  # labels older than this are brought up to date when asked for
MOST_SOURCES = 200
_TYPES = {"unit": "units", "sensor": "sensors", "drone": "drones"}


class Label(NamedTuple):
    """What is known of one index."""

    subject: str
    name: str
    source: str
    sought: str  # what words are looked for in


class Labels:
    """Labels of the live picture; every method may be called from any thread."""

    def __init__(self, picture: LivePicture) -> None:
        self._picture = picture
        self._lock = threading.Lock()
        self._labels: dict[int, Label] = {}
        self._by_subject: dict[str, int] = {}
        self._seq = 0
        self._at = -EVERY_S

    def _fresh(self, now: datetime) -> dict[int, Label]:
        with self._lock:
            moment = time.monotonic()
            if moment - self._at < EVERY_S:
                return self._labels
            labels, since = dict(self._labels), self._seq
            if len(labels) > 2 * len(self._picture) + 1000:  # most of them were let go of
                labels, since = {}, 0
            seq, changed = _changed(self._picture, since, now)
            for index, told in self._picture.names(changed).items():
                subject, name = told["subject"], told["name"]
                sought = f"{subject}\n{name}".casefold()
                labels[index] = Label(subject, name, told["source"], sought)
            self._labels, self._seq, self._at = labels, seq, moment
            self._by_subject = {label.subject: i for i, label in labels.items()}
            return labels

    def marks(
        self, now: datetime, listed: Collection[str], *, name: str = "", source: str = ""
    ) -> dict[str, Any]:
        """What a page needs beside the frames.

        Args:
            listed: subjects that the reader may know to be on the watch list.
            name, source: words that must stand in a subject's name or id, and its source.

        Returns:
            indexes of `units`, `sensors`, `drones` and `listed`; `matching`: those that fit name
            and source, or None where neither is asked for; `sources`: all there are.
        """
        labels = self._fresh(now)
        found: dict[str, Any] = {kind: [] for kind in _TYPES.values()}
        sources = set()
        for index, label in labels.items():
            sources.add(label.source)
            kind = _TYPES.get(label.subject.partition(":")[0])
            if kind is not None:
                found[kind].append(index)
        found["listed"] = sorted(self._by_subject[s] for s in listed if s in self._by_subject)
        found["matching"] = self._matching(labels, name, source)
        found["sources"] = sorted(sources)[:MOST_SOURCES]
        return found

    def _matching(self, labels: dict[int, Label], name: str, source: str) -> list[int] | None:
        name, source = name.strip().casefold(), source.strip()
        if not name and not source:
            return None
        return [
            index
            for index, label in labels.items()
            if (not name or name in label.sought) and (not source or source == label.source)
        ]

    def of(self, now: datetime) -> dict[int, Label]:
        """Every label by index."""
        return self._fresh(now)


def _changed(picture: LivePicture, since: int, now: datetime) -> tuple[int, list[int]]:
    """The picture's sequence number, and the indexes of what changed after another one."""
    frame = picture.frame(since_seq=since, now=now)
    _magic, _version, head, count, seq, *_rest = HEADER.unpack_from(frame)
    indexes = np.frombuffer(frame, dtype="<u4", count=count, offset=head + 16 * count)
    return int(seq), [int(i) for i in indexes]
