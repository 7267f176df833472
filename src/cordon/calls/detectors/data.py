"""What a detector over calls is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls import forwarding
from cordon.calls.rings.ground import Ground, by_code, ground, networks
from cordon.calls.rings.lines import Usual, usual
from cordon.calls.survey import Census, Engine, Near
from cordon.calls.survey.profiles import Profiles, profiles
from cordon.calls.survey.sessions import SessionFiles

if TYPE_CHECKING:
    from cordon.calls.rings.search import Search

Stage = Callable[[str, float], None]
"""Told what is being done, and the share of it that is done (0 to 1)."""


@dataclass(frozen=True, slots=True)
class PaidByNamed:
    """Payments that have to do with the accounts that complaints name, in their order.

    Attributes:
        came, went: to them, and from them. further: of anybody to the accounts that they pay into.
    """

    came: pa.Table
    went: pa.Table
    further: pa.Table


@dataclass
class CallData:
    """One set of calls, counted once for all detectors.

    Attributes:
        engine: answers SQL over all the calls; see `survey.Engine`.
        census: plain counts of everybody. near: the calls of those who could matter.
        holders: kind of holder by number (E.164); empty where no file was given.
        cells, complaints: tables of these formats, or None where no file was given.
        paid: of payments who paid whom and when (`at`, `from_account`, `to_account`), or None;
            waited for where the file is still being read.
        region: ISO 3166 code of the calls' country.
        utc_offset_s: seconds that local time is ahead of UTC, for days and hours of day.
        given: parameters set by the reader, over the cards' defaults.
        left_out: the detector adds a sentence for each thing that it could not use.
        stage: told how far it is.
        search: the groups of lines, once a detector asked for them (`rings.search.searched`).
        told: positions in `near.numbers` of those that stand in a ring or box already told.
        sessions: files of internet sessions, or None; waited for as what `paid` gives.
        bound: told numbers, gives each account that is bound to one of them with its number.
        forwards: which number sent a call on to which, in `forwarding.SCHEMA`; each call once.
        activated: day on which a number (E.164) was activated, from 1970-01-01; empty where no
            file tells it.
    """

    engine: Engine
    census: Census
    near: Near
    holders: Mapping[str, str] = field(default_factory=dict)
    cells: pa.Table | None = None
    complaints: pa.Table | None = None
    paid: Callable[[], pa.Table | None] = lambda: None
    region: str = "PK"
    utc_offset_s: int = 0
    given: Mapping[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    stage: Stage = lambda _what, _share: None
    search: Search | None = None
    told: list[NDArray[np.int64]] = field(default_factory=list)
    sessions: Callable[[], SessionFiles | None] = lambda: None
    bound: Callable[[Sequence[str]], Iterable[tuple[str, str]]] = lambda _numbers: ()
    forwards: pa.Table = field(default_factory=forwarding.none)
    activated: Mapping[str, int] = field(default_factory=dict)

    @property
    def payments(self) -> pa.Table | None:
        """The table that `paid` gives."""
        return self.paid()

    @cached_property
    def profiles(self) -> Profiles:
        """What each number's own calls say of it."""
        return profiles(self.near, self.utc_offset_s)

    @cached_property
    def usual(self) -> Usual:
        """What a sample of everybody does."""
        return usual(self.near, self.profiles)

    @cached_property
    def ground(self) -> Ground:
        """Where the cells are."""
        near = self.near
        network = by_code(near.cells)
        if network is None:
            of = np.concatenate([near.caller, near.callee]).astype(np.int64)
            cell = np.concatenate([near.caller_cell, near.callee_cell]).astype(np.int64)
            network = networks(near.cells, of, cell)
        return ground(near.cells, self.cells, network)

    @cached_property
    def payers(self) -> int:
        """How many accounts pay at all."""
        paid = self.payments
        return 0 if paid is None else int(pc.count_distinct(paid["from_account"]).as_py())

    @cached_property
    def paid_by_named(self) -> PaidByNamed | None:
        """Payments beside complaints' accounts, of which a nation's file has few."""
        paid, said = self.payments, self.complaints
        if paid is None or said is None:
            return None
        named = said["suspect_account"].unique()
        went = paid.filter(pc.is_in(paid["from_account"], named))
        into = went["to_account"].unique()
        return PaidByNamed(
            paid.filter(pc.is_in(paid["to_account"], named)),
            went,
            paid.filter(pc.is_in(paid["to_account"], into)),
        )

    @cached_property
    def abroad(self) -> NDArray[np.bool_]:
        """For each number of `near`, whether it is of another country."""
        code = f"+{phonenumbers.country_code_for_region(self.region)}"
        numbers = self.near.numbers
        return np.array([n.startswith("+") and not n.startswith(code) for n in numbers], bool)
