"""The facts of each group of lines, counted from its calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.calls.model import EXEMPT, SubscriberKind
from cordon.calls.rings.addresses import tie
from cordon.calls.rings.ages import Ages
from cordon.calls.rings.complaining import complaints
from cordon.calls.rings.lines import Lines
from cordon.calls.rings.naming import Naming
from cordon.calls.rings.sharing import staying
from cordon.calls.rings.sites import Sites
from cordon.calls.rings.uses import Uses
from cordon.calls.rings.weighing import Facts
from cordon.calls.survey.distinct import distinct
from cordon.calls.survey.near import Near
from cordon.calls.survey.profiles import Profiles
from cordon.calls.survey.sessions import Reach

Ints = NDArray[np.int64]
_DAY, _HOUR = 86_400_000_000, 3_600_000_000
_SHARE_OF_HOUR = 0.015
_IMEI_KNOWN = 0.5  # share of uses whose handset is recorded, below which nothing is said of it
_MOSTLY = 0.5  # of a group's calls, from handsets that several of its SIMs use
# days on which somebody is spoken with, who is no stranger any more: in a week, and in more
_RETURNED_SOON, _RETURNED, _SOON = 2, 3, 7
_EXEMPT = frozenset(k.value for k in EXEMPT)


@dataclass(frozen=True, slots=True)
class Known:
    """What other files say.

    Attributes:
        holders: kind of holder by number. activated: day on which it was activated, by number.
        population: numbers in the calls at all.
        complaints: table of the format `complaints`, or None where none was given.
        abroad: for each number of `Near.numbers`, whether it is of another country.
    """

    holders: Mapping[str, str]
    activated: Mapping[str, int]
    population: int
    complaints: pa.Table | None
    abroad: NDArray[np.bool_]


class Measuring:
    """Counts facts of groups over one set of lines.

    Args:
        offset_s: seconds that local time is ahead of UTC.

    Attributes:
        reach: internet addresses of the lines, once they are known; None without sessions.
    """

    def __init__(
        self,
        near: Near,
        profiles: Profiles,
        lines: Lines,
        uses: Uses,
        sites: Sites,
        known: Known,
        offset_s: int,
    ) -> None:
        self.near, self.profiles, self.lines, self.uses = near, profiles, lines, uses
        self.sites, self.known, self.offset = sites, known, offset_s
        self.reach: Reach | None = None
        kinds = [known.holders.get(near.numbers[i], "") for i in lines.at]
        self.exempt = np.array([k in _EXEMPT for k in kinds], bool)
        self.business = np.array([k == SubscriberKind.BUSINESS for k in kinds], bool)
        self.age = Ages(near, lines, uses, known.activated)
        self.complaints = complaints(near, known.complaints)
        self.named = None if self.complaints is None else self.complaints.named
        self.hurt = None if self.complaints is None else self.complaints.hurt
        self.naming = (
            None
            if self.hurt is None
            else Naming(self.hurt, near, profiles, lines, uses, self.exempt, known.population)
        )

    def facts(self, members: Ints) -> Facts:
        """Facts of the lines at these positions of the list of lines."""
        p, uses = self.profiles, self.uses
        at = self.lines.at[members]
        entries = uses.entries(members)
        of, us = uses.of[entries], uses.us[entries]
        imei = uses.imei[entries]
        held = imei >= 0
        sims = handsets_each = None
        several = turns = slots = 0
        handsets = distinct(imei[held])
        if held.sum() >= _IMEI_KNOWN * len(entries):
            pairs, often = np.unique(of[held] * (1 << 32) + imei[held], return_counts=True)
            sims = len(pairs) / max(len(handsets), 1)
            # a SIM tried in the handsets of strangers, as a repair shop does, goes about in none
            shared, lines_in = np.unique(pairs & 0xFFFFFFFF, return_counts=True)
            used = pairs[often > 1]
            by_handset, sims_of_it = np.unique(used & 0xFFFFFFFF, return_counts=True)
            several = int((sims_of_it > 1).sum())
            moment = us[held] + self.offset * 1_000_000
            turns, slots = staying(of[held], imei[held], moment, used, by_handset[sims_of_it > 1])
            common = np.isin(pairs & 0xFFFFFFFF, shared[lines_in > 1]) & (often > 1)
            mostly = often[common].sum() >= _MOSTLY * often.sum()
            handsets_each = (
                float(common.sum()) / max(len(distinct(pairs >> 32)), 1) if mostly else 1.0
            )
        day = (us + self.offset * 1_000_000) // _DAY
        line_days = distinct(of * (1 << 20) + day - day.min())
        working = np.bincount(line_days & ((1 << 20) - 1))
        hour = np.bincount(((us + self.offset * 1_000_000) // _HOUR) % 24, minlength=24)
        others = uses.other[entries]
        people = distinct(others)
        outside = ~np.isin(others, at)
        voice = self.near.voice[uses.call[entries]]
        spoken = outside & voice if voice.any() else outside
        calling = self.lines.calling[members]
        out = at[calling]
        heard = np.where(calling, p.people[at], p.callers[at])
        days = np.maximum(np.where(calling, p.days[at], p.taken_days[at]), 1)
        talk = np.where(calling, p.talk[at], p.taken_talk[at])
        still = self.sites.still[members]
        returned, by_chance = self._returned(entries, day)
        called = distinct(others[uses.made[entries]])
        return Facts(
            lines=len(members),
            handsets=len(handsets),
            shared=several,
            turns=turns,
            slots=slots,
            sims_a_handset=sims,
            handsets_a_sim=handsets_each,
            turnover=len(members) / max(float(np.median(working[working > 0])), 1.0),
            span_days=float(us.max() - us.min()) / _DAY,
            people=len(people),
            calls=len(entries),
            people_a_day=float(np.median(heard / days)),
            back_share=(
                float(p.back[out].sum() / max(p.people[out].sum(), 1)) if len(out) else None
            ),
            still=None if np.isnan(still).all() else float(np.nanmedian(still)),
            talk_s=None if np.isnan(talk).all() else float(np.nanmedian(talk)),
            hours=int((hour >= _SHARE_OF_HOUR * hour.sum()).sum()),
            returned=returned,
            returned_by_chance=by_chance,
            again=int(outside.sum()) / max(len(np.setdiff1d(people, at)), 1),
            incoming=float((~uses.made[entries])[spoken].mean()) if spoken.any() else 0.0,
            named=None if self.named is None else int(self.named[at].sum()),
            hurt=None if self.hurt is None else int(self.hurt[at].sum()),
            named_by_chance=0.0 if self.naming is None else self.naming.by_chance(members),
            victims=None,  # which depends on whom other groups reached: `rings.complaining`
            victims_by_chance=0.0,
            registered=self._beside(members) * self.near.exempt_one_in / len(members),
            business=float(self.business[members].mean()),
            abroad=float(self.known.abroad[called].mean()) if len(called) else 0.0,
            age=self.age.of(members),
            tie=None if self.reach is None else tie(self.reach, members, self.exempt),
        )

    def _returned(self, entries: Ints, day: Ints) -> tuple[float, float]:
        """Share of the people spoken with who were on some days or more, and that by chance.

        Args:
            entries: of the lines, in `Uses`. day: local day of each, from the epoch.
        """
        calls = self.uses.call[entries]
        spoken = self.near.voice[calls] & ~(self.near.duration[calls] == 0)
        who = self.uses.other[entries][spoken]
        pairs = distinct(who * (1 << 20) + day[spoken] - day.min())
        days = np.bincount(np.unique(pairs >> 20, return_inverse=True)[1])
        if not len(days):
            return 0.0, 0.0
        least = _RETURNED if np.ptp(day) >= _SOON else _RETURNED_SOON
        # strangers called at random are called again too, where there are few
        mean = max(len(pairs) / max(self.known.population, 1), 1e-6)
        fewer = np.exp(-mean) * (mean + (mean**2 / 2 if least > _RETURNED_SOON else 0.0))
        by_chance = max(0.0, 1 - fewer / -np.expm1(-mean))
        return float((days >= least).mean()), float(by_chance)

    def _beside(self, members: Ints) -> int:
        """Exempt lines at the place of these."""
        if not self.exempt.any():
            return 0
        s = self.sites
        rest = np.flatnonzero(self.exempt)
        own = s.cells[members].mean(axis=0)
        root = np.sqrt(np.asarray(own).ravel())
        other = s.cells[rest].copy()
        other.data = np.sqrt(other.data)
        return int((np.asarray(other @ root).ravel() >= 0.5).sum())
