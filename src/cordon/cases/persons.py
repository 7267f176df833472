"""Which of what a case holds is personal data, and of which kind (as authorities name kinds)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cordon.kernel.access.model import Thing
from cordon.kernel.work import Sight, View, personal_data

_DATA_OF_ROOM = {"picture": None, "exercise": None, "calls": "calls", "money": "payments"}


def data_of_finding(kind: str) -> str | None:
    """Kind of personal data in the raw files of a finding's kind (`calls.fan`), or None.

    A room that is not known here is taken to hold persons: that errs on the side of the law.
    """
    return _DATA_OF_ROOM.get(kind.split(".", 1)[0], "persons")


def personal_subjects(subjects: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Those of the subjects (`type:id`) that are personal, each with its kind of data."""
    for subject in subjects:
        if (data := personal_data(subject)) is not None:
            yield data, subject


def sights(view: View, act: str, thing: Thing, subjects: Iterable[str]) -> dict[str, Sight]:
    """What of the personal subjects may be seen, by kind of data; what is shown is recorded."""
    by_data: dict[str, list[str]] = {}
    for data, subject in personal_subjects(subjects):
        by_data.setdefault(data, []).append(subject)
    return {data: view.sight(act, thing, data, those) for data, those in by_data.items()}
