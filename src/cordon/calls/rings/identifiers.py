"""What complaints and payments tie to a ring: accounts, wallets, handles, pages."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls.rings.uses import Uses

if TYPE_CHECKING:
    from cordon.calls.detectors.data import CallData
    from cordon.calls.rings.search import Group
    from cordon.calls.survey.near import Near

COLUMNS = {
    "suspect_account": "account",
    "suspect_wallet": "wallet",
    "suspect_handle": "handle",
    "suspect_url": "url",
}
_MOST_LINES = 200  # that one identifier is complained of with: more is a bank's or a platform's
_BEFORE = timedelta(days=14)  # within which a call can be what a complaint is of
_PASSED_ON = timedelta(hours=48)  # money of a fraud does not rest
_TWO = 2  # of the ring's accounts that pay into one, to tie it to the ring
_HUB = 50  # accounts that pay into one that everybody pays into, as a shop's


@dataclass(frozen=True, slots=True)
class Link:
    """What is tied to what.

    Attributes:
        a, b: `type:id`. reason: see `rings.links`. times: records that say so.
        weight: nats that somebody else is seldom tied to `b`: logarithm of how many could be, for
            each who is.
    """

    a: str
    b: str
    reason: str
    times: int
    weight: float


@dataclass(frozen=True, slots=True)
class Cut:
    """A hub that ties nothing.

    Attributes:
        subject: `type:id`. people: others who share it. why: `paid_into`, `served`, `used`.
    """

    subject: str
    people: int
    why: str


def rarity(others: int, of: int) -> float:
    """Nats that it is rare to share a thing: `others` who do, of so many who could."""
    return round(math.log((of + 2) / (others + 1)), 2)


@dataclass(frozen=True, slots=True)
class Tied:
    """What is tied to a ring.

    Attributes:
        subjects: `type:id`, sorted. complaints: ids of those that were taken, sorted.
        hubs: accounts that were left out because many others pay into them too.
        links: what of it is tied to which number or account.
    """

    subjects: tuple[str, ...]
    complaints: tuple[str, ...]
    hubs: tuple[Cut, ...]
    links: tuple[Link, ...] = ()


def tied(data: CallData, group: Group, own: Uses) -> Tied:
    """Identifiers of the complaints of a ring, and accounts that its accounts pay into.

    A complaint is of the ring where it names one of its numbers; or where it names none, and the
    victim was in touch with the ring within two weeks before.
    """
    table = data.complaints
    if table is None:
        return Tied((), (), ())
    names = [data.near.numbers[i] for i in group.members]
    numbers = set(names)
    called = _first_calls(data, own)
    taken: list[str] = []
    pairs: Counter[tuple[str, str, str]] = Counter()
    rest: dict[str, set[str]] = {}  # who else each identifier is named with
    suspects: set[str] = set()
    for row in table.to_pylist():
        named, victim = row["suspect_number"], row["victim_number"]
        said = [f"{kind}:{row[c]}" for c, kind in COLUMNS.items() if row[c]]
        if named:
            suspects.add(named)
        if named not in numbers:
            for subject in said if named else ():
                rest.setdefault(subject, set()).add(named)
            if named or victim not in called:
                continue
            after = row["received"].timestamp() * 1e6 - called[victim][0]
            if not 0 <= after <= _BEFORE.total_seconds() * 1e6:
                continue
        taken.append(row["complaint_id"])
        line, reason = (named, "complaint") if named else (names[called[victim][1]], "victim")
        pairs.update((f"number:{line}", subject, reason) for subject in said)
    links = [
        Link(a, b, reason, times, rarity(len(rest.get(b, ())), len(suspects)))
        for (a, b, reason), times in pairs.items()
    ]
    subjects = {b for _, b, _ in pairs}
    accounts = {s.partition(":")[2] for s in subjects if s.startswith("account:")}
    further, hubs = _paid_into(data, accounts)
    links += further
    subjects |= {link.b for link in further}
    return Tied(tuple(sorted(subjects)), tuple(sorted(taken)), tuple(hubs), tuple(links))


def _first_calls(data: CallData, own: Uses) -> dict[str, tuple[int, int]]:
    """When (µs) each other was first in touch with the ring, and with which of its members."""
    order = np.lexsort((own.of, own.us, own.other))
    first = order[np.flatnonzero(np.diff(own.other[order], prepend=-1))]
    names = [data.near.numbers[other] for other in own.other[first].tolist()]
    return dict(
        zip(names, zip(own.us[first].tolist(), own.of[first].tolist(), strict=True), strict=True)
    )


def complained_together(
    near: Near, at: NDArray[np.int64], complaints: pa.Table | None
) -> list[tuple[int, int]]:
    """Pairs of lines that complaints name with one account, wallet, handle or address.

    Args:
        at: positions of the lines in `near.numbers`.

    Returns:
        Pairs of places in `at`, each identifier's lines in a chain.
    """
    if complaints is None:
        return []
    place = {near.numbers[i]: n for n, i in enumerate(at.tolist())}
    by_identifier: dict[tuple[str, str], set[int]] = {}
    for row in complaints.select(["suspect_number", *COLUMNS]).to_pylist():
        line = place.get(row["suspect_number"], -1)
        for column in COLUMNS:
            if line >= 0 and row[column]:
                by_identifier.setdefault((column, row[column]), set()).add(line)
    pairs: set[tuple[int, int]] = set()
    for lines in by_identifier.values():
        if len(lines) <= _MOST_LINES:
            pairs.update(pairwise(sorted(lines)))
    return sorted(pairs)


def _paid_into(data: CallData, accounts: set[str]) -> tuple[list[Link], list[Cut]]:
    """Accounts that several of these pay into soon after they were paid; hubs among them."""
    paid = data.paid_by_named
    if paid is None or not accounts:
        return [], []
    known = pa.array(sorted(accounts), pa.string())
    came = paid.came.filter(pc.is_in(paid.came["to_account"], known))
    went = paid.went.filter(pc.is_in(paid.went["from_account"], known))
    last: dict[str, list[float]] = {}
    for account, at in zip(came["to_account"].to_pylist(), came["at"].to_pylist(), strict=True):
        last.setdefault(account, []).append(at.timestamp())
    paying: dict[str, Counter[str]] = {}
    for source, to, at in zip(
        went["from_account"].to_pylist(),
        went["to_account"].to_pylist(),
        went["at"].to_pylist(),
        strict=True,
    ):
        moment = at.timestamp()
        soon = any(0 <= moment - t <= _PASSED_ON.total_seconds() for t in last.get(source, ()))
        if soon and to not in accounts:
            paying.setdefault(to, Counter())[source] += 1
    several = {to for to, sources in paying.items() if len(sources) >= _TWO}
    some = pa.array(sorted(several), pa.string())
    into = paid.further.filter(pc.is_in(paid.further["to_account"], some))
    senders: Counter[str] = Counter()
    for _, to in set(
        zip(into["from_account"].to_pylist(), into["to_account"].to_pylist(), strict=True)
    ):
        senders[to] += 1
    links, hubs = [], []
    for to in sorted(several):
        others = senders[to] - len(paying[to])
        if senders[to] > _HUB:
            hubs.append(Cut(f"account:{to}", others, "paid_into"))
            continue
        weight = rarity(others, data.payers)
        links += [
            Link(f"account:{source}", f"account:{to}", "payment", times, weight)
            for source, times in paying[to].items()
        ]
    return links, hubs
