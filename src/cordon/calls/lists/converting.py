"""The columns of a list as those of the plain format; a row without its time is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls import casting
from cordon.calls.casting import Reasons
from cordon.calls.lists import values
from cordon.calls.lists.headings import Head, Headings
from cordon.calls.model import Refusal

TIMES: Mapping[str, Mapping[str, bool]] = {
    "sessions": {"start": False, "end": False},
    "complaints": {"received": True, "occurred": True},
    "subscribers": {"activated": True},
}
"""Times of each kind of list; True where a date alone is one."""
MUST: Mapping[str, tuple[str, ...]] = {"sessions": ("start", "end"), "complaints": ("received",)}
"""Those that a row must tell so that they can be read, where it tells them at all."""
_DAY = 86_400_000_000  # µs
# what a cell's own columns say is kept where it lies within these, and else left out
_BOUNDS = {
    "azimuth_deg": (0.0, 360.0), "beamwidth_deg": (0.001, 360.0), "range_m": (0.001, 200_000.0),
}  # fmt: skip
_PARTS = ("area", "plmn", "mcc", "mnc", "enodeb", "sector", "holder")
_WHOLE = ("cell", "complaint_id")
"""What names a row: where a spreadsheet has shortened it, it names others too."""

Columns = dict[str, pa.Array]


class Converting:
    """Converts blocks of a list.

    Args:
        order: of day and month; empty where dates that need one are left out.
        zone: the clock by which times are told that name none; zones: those of fields whose heading
            names one.
        notes: added to: what was left out of rows that were taken, and how often.
    """

    def __init__(
        self,
        headings: Headings,
        head: Head,
        order: str,
        zone: str,
        zones: Mapping[str, str],
        notes: Counter[str],
    ) -> None:
        self._headings, self._head, self._order = headings, head, order
        self._zone, self._zones, self._notes = zone, zones, notes
        self._must = MUST.get(headings.form, ())

    def converted(
        self, table: pa.Table, numbers: NDArray[np.int64]
    ) -> tuple[pa.Table, NDArray[np.int64], list[Refusal]]:
        """Rows in the columns of the plain format, their numbers, and those refused.

        Args:
            table: columns of text by the fields that they hold. numbers: of the rows.
        """
        found = {n: values.bare(table[n]) for n in table.column_names}
        refused = Reasons(len(table))
        columns = self._timed(found, refused, len(table))
        columns |= self._spoken(found, refused, len(table))
        keep = refused.codes == 0
        odd = [
            Refusal(int(numbers[n]), refused.reasons[refused.codes[n]])
            for n in np.flatnonzero(~keep)
        ]
        return pa.table(columns).filter(pa.array(keep)), numbers[keep], odd

    def _timed(self, found: Columns, refused: Reasons, rows: int) -> Columns:
        """The times as moments; their columns are taken out of those found."""
        done: Columns = {}
        for what, days in TIMES.get(self._headings.form, {}).items():
            own = {n: found.pop(n) for n in (what, f"{what}_date", f"{what}_time") if n in found}
            if not own:
                continue
            if not self._order:
                self._notes[f"{what} was left out: day or month may come first"] += rows
                continue
            zone = next((self._zones[n] for n in own if n in self._zones), self._zone)
            dates, times = _dates_and_times(what, own, done.get("start"), zone)
            moment, wrong, unclear = values.instants(dates, times, self._order, zone, days=days)
            said = np.asarray(pc.is_valid(dates).to_numpy(zero_copy_only=False), bool)
            if what in self._must:
                refused.where(wrong & (said | (what == "start")), f"{what} is no date and time")
                refused.where(
                    unclear, f"the clocks were changed: {what} stands twice that night, or never"
                )
            elif (wrong & said).any():
                self._notes[f"{what} was left out: it is no date"] += int((wrong & said).sum())
            if list(own) == [f"{what}_time"]:
                moment = _after(done["start"], moment)
            done[what] = moment
        if self._headings.form == "sessions" and "start" in done:
            done["end"] = _ends(done, found.pop("duration_s", None))
        if "activated" in done:
            done["activated"] = done["activated"].cast(pa.date32(), safe=False)
        return done

    def _spoken(self, found: Columns, refused: Reasons, rows: int) -> Columns:
        """What is no time, as the plain format writes it."""
        for name in _WHOLE:
            if name in found:
                casting.accounts(found[name], name, refused)
        if self._headings.form == "cells":
            _placed(found, refused, rows)
        for name, (least, most) in _BOUNDS.items():
            if name in found:
                unit = self._head.units.get(name, 1)
                found[name] = self._noted(name, *values.measured(found[name], least, most, unit))
        if self._headings.form == "sessions":
            self._addressed(found, rows)
        if self._headings.form == "complaints":
            self._complained(found)
        for name, words in self._headings.words.items():
            if name in found:
                found[name] = values.meanings(found[name], words)
        return found

    def _addressed(self, found: Columns, rows: int) -> None:
        """Addresses and ports: of either version, together or apart, translated or not."""
        for name in ("bytes_up", "bytes_down"):
            if name in found:
                unit = self._head.units.get(name, 1)
                found[name] = self._noted(name, *values.volumes(found[name], unit))
        if "area" in found and "cell" in found:
            found["cell"] = values.identities(found, rows)
        for name in _PARTS:
            found.pop(name, None)
        nothing = pa.nulls(rows, pa.string())
        for side in ("public", "source", "remote"):
            six = found.pop(f"{side}_ipv6", None)
            if six is not None:
                found[f"{side}_ip"] = pc.coalesce(found.get(f"{side}_ip", nothing), six)
            if f"{side}_ip" not in found:
                continue
            port = found.get(f"{side}_port", nothing)
            found[f"{side}_ip"], port = values.with_ports(found[f"{side}_ip"], port)
            found[f"{side}_port"], lost = values.ports(port)
            self._note(f"{side}_port was left out: it is no single port", lost)
        if "source_ip" in found:
            _seen_outside(found, rows)
        if "imei" in found:  # who reads a fixed line's records finds its modem there
            found["imei"] = values.no_mac(found["imei"])

    def _complained(self, found: Columns) -> None:
        """Numbers, of which people write several in one place, and amounts."""
        for name in ("victim_number", "suspect_number"):
            if name in found:
                found[name], more = values.first_numbers(found[name])
                self._note(f"{name} holds several numbers; the first was taken", more)
        if "loss_amount" in found:
            found["loss_amount"] = values.amounts(found["loss_amount"])

    def _noted(self, name: str, column: pa.Array, lost: int) -> pa.Array:
        self._note(f"{name} was left out: it is no number, or out of bounds", lost)
        return column

    def _note(self, phrase: str, times: int) -> None:
        if times:
            self._notes[phrase] += times


def _placed(found: Columns, refused: Reasons, rows: int) -> None:
    """Which cell it is, and where it stands, from the columns that tell parts of it."""
    found["cell"] = values.identities(found, rows)
    for name in _PARTS:
        found.pop(name, None)
    if "position" in found:
        lat, lon = values.places(found.pop("position"))
        found["lat"] = pc.coalesce(found["lat"], lat) if "lat" in found else lat
        found["lon"] = pc.coalesce(found["lon"], lon) if "lon" in found else lon
    for name in ("lat", "lon"):
        if name in found:
            found[name] = values.angles(found[name])
    nowhere = [pc.match_substring_regex(found[n], "^[+-]?0+(?:[.]0*)?$") for n in ("lat", "lon")]
    refused.where(pc.and_(*nowhere), "it stands at 0, 0, where lists put what has no position")


def _dates_and_times(
    what: str, own: Columns, start: pa.Array | None, zone: str
) -> tuple[pa.Array, pa.Array]:
    """A time's date and its time of day, from the one column or the two that tell it."""
    if what in own:
        return values.dates_and_times(own[what])
    date, time = own.get(f"{what}_date"), own[f"{what}_time"]
    if date is None:  # what began on a day ended on it, or on the next
        assert start is not None
        local = pc.local_timestamp(start.cast(pa.timestamp("us", zone)))
        date = pc.if_else(pc.is_valid(time), pc.strftime(local, format="%Y-%m-%d"), None)
    return date, time


def _after(start: pa.Array, end: pa.Array) -> pa.Array:
    """Ends that are told by their time of day, the next day's where they would lie before."""
    early = pc.fill_null(pc.less(end, start), False)
    return pc.if_else(early, pc.add(end.cast(pa.int64()), _DAY).cast(end.type), end)


def _ends(done: Mapping[str, pa.Array], duration: pa.Array | None) -> pa.Array:
    """When sessions ended: as told, or by how long they lasted, or when they began."""
    start = done["start"]
    ended = done.get("end", pa.nulls(len(start), start.type))
    if duration is not None:
        lasted = np.nan_to_num(values.seconds(duration)) * 1e6
        by_length = pc.add(start.cast(pa.int64()), pa.array(lasted.astype(np.int64)))
        ended = pc.coalesce(ended, by_length.cast(start.type))
    return pc.coalesce(ended, start)


def _seen_outside(found: Columns, rows: int) -> None:
    """An address that nobody translated is the one that the outside saw."""
    nothing = pa.nulls(rows, pa.string())
    own, port = found.pop("source_ip"), found.pop("source_port", nothing)
    told = found.get("public_ip", nothing)
    # asked of those alone that need it, because each takes its time
    alone = pa.array(values.is_public(pc.if_else(pc.is_null(told), own, None)))
    found["public_ip"] = pc.if_else(alone, own, told)
    found["public_port"] = pc.if_else(alone, port, found.get("public_port", nothing))
