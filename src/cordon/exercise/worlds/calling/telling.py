"""What was planted, as truths: only numbers that the rows can tell."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from cordon.exercise.model import Truth
from cordon.exercise.worlds.calling.boxes import Boxes
from cordon.exercise.worlds.calling.centres import Centre
from cordon.exercise.worlds.calling.drawing import Flags, Ints
from cordon.exercise.worlds.calling.land import Land
from cordon.exercise.worlds.calling.lines import Handsets, Lines
from cordon.exercise.worlds.calling.people import People
from cordon.exercise.worlds.calling.rows import Rows
from cordon.kernel.geo import point

LEAST = 3  # calls or messages of a number within the span, to be planted


class Telling:
    """Makes the truths once all rows are written."""

    def __init__(self, lines: Lines, sets: Handsets, land: Land, rows: Rows) -> None:
        self.lines, self.land, self.rows = lines, land, rows
        self.numbers = lines.number_strings().to_pylist()
        self.imsis, self.imeis = lines.imsi_strings(), sets.imei_strings()

    def centres(self, centres: list[Centre]) -> list[Truth]:
        """One truth for each place of a centre that used a number often enough."""
        told: list[Truth] = []
        index: dict[int, int] = {}
        for centre in sorted(centres, key=lambda c: (c.begin, c.index)):
            enough = self.rows.made[centre.cards] >= LEAST
            if centre.own["inbound"]:
                enough |= self.rows.taken[centre.cards] >= LEAST
                # cards that only wrote to people, for them to call, are the centre's as well
                enough |= self.rows.wrote[centre.cards] >= LEAST
            used = centre.cards[enough]
            if not len(used):
                continue
            note = f"{centre.own['says']} {centre.seats} seats."
            if centre.earlier in index:
                note += f" The people of truth {index[centre.earlier]}, raided, with new cards."
            index[centre.index] = len(told)
            told.append(self._truth("calls.call_centre", used, [], centre.spot, note))
        return told

    def boxes(self, boxes: Boxes) -> list[Truth]:
        """One truth for each box: numbers, cards and handsets."""
        told = []
        for box in boxes.boxes:
            cards = np.unique(box.card)
            used = cards[self.rows.made[cards] >= LEAST]
            if not len(used):
                continue
            more = [f"imsi:{i}" for i in self.imsis.take(used).to_pylist()]
            handsets = self.rows.handsets_of(used)
            more += [f"imei:{i}" for i in self.imeis.take(handsets).to_pylist()]
            note = f"A SIM box of {len(box.life)} slots that brings calls from abroad."
            told.append(self._truth("calls.simbox", used, more, int(box.spots[0]), note))
        return told

    def successions(self, people: People, renumbered: Flags) -> list[Truth]:
        """One truth for each person whose number changed, where both numbers called enough."""
        told = []
        for who in np.flatnonzero(renumbered):
            old, new = int(people.line[who]), int(people.new_line[who])
            if min(self.rows.made[old], self.rows.made[new]) < LEAST:
                continue
            both = people.new_set[who] != people.set[who]
            note = "A person took another number" + (" and another handset." if both else ".")
            told.append(
                Truth(
                    "calls.number_succession",
                    tuple(sorted((f"number:{self.numbers[old]}", f"number:{self.numbers[new]}"))),
                    self._time(self.rows.last[old]),
                    self._time(max(self.rows.first[new], self.rows.last[old] + 1)),
                    None,
                    note,
                )
            )
        return told

    def _truth(self, kind: str, used: Ints, more: list[str], spot: int, note: str) -> Truth:
        first, last = self.rows.first[used].min(), self.rows.last[used].max()
        subjects = [f"number:{self.numbers[i]}" for i in used] + more
        return Truth(
            kind,
            tuple(sorted(set(subjects))),
            self._time(first),
            self._time(last),
            point(float(self.land.lat[spot]), float(self.land.lon[spot])),
            note,
        )

    def _time(self, seconds: float) -> datetime:
        return self.rows.midnight + timedelta(seconds=int(seconds))
