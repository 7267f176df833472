"""Rules of the chain of custody, as pure functions over its entries.

The chain-of-custody record of ISO/IEC 27037:2012 (clause 6.1) lets a court follow an exhibit
from its receipt to now: who had it, when, where, who had access, and why. These rules find
where such a record does not hold. They never repair it: a break is named and stays in the
record, and people explain it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cordon.cases.model import CustodyAct, CustodyEvent
from cordon.kernel.clock import format_time

TRANSFERS = frozenset({CustodyAct.MOVED, CustodyAct.RELEASED, CustodyAct.RETURNED})
"""Acts that hand an exhibit from one holder to the next."""
GIVEN = TRANSFERS | {CustodyAct.DISPOSED}
"""Acts that go from the present holder."""
_ACCESS = frozenset({CustodyAct.EXAMINED, CustodyAct.COPIED, CustodyAct.SEALED})
_OPENING = frozenset({CustodyAct.EXAMINED, CustodyAct.COPIED})


class Rule(StrEnum):
    """What a chain of custody must keep."""

    NO_RECEIPT = "no_receipt"  # it must begin with the receipt
    RECEIVED_TWICE = "received_twice"  # one receipt; later ones are transfers
    NO_RECEIVER = "no_receiver"  # receipt and transfer name who has it next
    GAP = "gap"  # each transfer goes from the present holder
    NOT_HOLDER = "not_holder"  # what an officer holds, others neither open nor give away
    NO_REASON = "no_reason"  # whoever moves what a third party holds, to another, says why
    TIME_BACK = "time_back"  # entries stand in the order of their times
    AFTER_DISPOSAL = "after_disposal"  # nothing comes after disposal
    NO_SEAL_NUMBER = "no_seal_number"  # a seal has a number
    SEAL_DIFFERS = "seal_differs"  # the seal found is the seal that was put on
    AFTER_END = "after_end"  # nothing is later than the record itself


@dataclass(frozen=True, slots=True)
class Break:
    """A place where a chain does not hold.

    Attributes:
        exhibit: id of the exhibit. event: id of the entry, or None where none is there.
        rule: which rule. at: time of the entry, or None. says: one sentence; it names
            holders and times, so it is for the case's readers and not for logs.
    """

    exhibit: str
    event: str | None
    rule: Rule
    at: datetime | None
    says: str


@dataclass(frozen=True, slots=True)
class Custody:
    """Where an exhibit is: its one holder, since when, where, under which seal.

    Attributes:
        holder: `kind:name`, or None before receipt and after disposal.
        since: when that holder got it. seal: number of the unbroken seal, or None.
        latest: time of the newest entry.
    """

    holder: str | None = None
    since: datetime | None = None
    place: str | None = None
    seal: str | None = None
    latest: datetime | None = None
    received: bool = False
    disposed: bool = False


def check(
    events: Iterable[CustodyEvent],
    *,
    exhibits: Iterable[str] = (),
    until: datetime | None = None,
) -> list[Break]:
    """All breaks in the chains of one or many exhibits, in the order of the entries.

    Args:
        events: entries in the order in which they were written.
        exhibits: ids of exhibits that must have a chain; one without any entry is a break.
        until: the moment of the record; a later entry is a break.
    """
    now: dict[str, Custody] = {}
    breaks: list[Break] = []
    for event in events:
        before = now.get(event.exhibit, Custody())
        breaks.extend(_breaks(before, event, until))
        now[event.exhibit] = _after(before, event)
    for exhibit in exhibits:
        if exhibit not in now:
            says = "The exhibit has no entry of custody at all: nobody wrote down its receipt."
            breaks.append(Break(exhibit, None, Rule.NO_RECEIPT, None, says))
    return breaks


def custody_of(events: Iterable[CustodyEvent]) -> Custody:
    """Where one exhibit is after its entries, taking them at their word."""
    now = Custody()
    for event in events:
        now = _after(now, event)
    return now


def would_break(events: Sequence[CustodyEvent], event: CustodyEvent) -> list[Break]:
    """The breaks that one more entry would bring into its exhibit's chain."""
    mine = (e for e in events if e.exhibit == event.exhibit)
    return list(_breaks(custody_of(mine), event, None))


def _after(before: Custody, event: CustodyEvent) -> Custody:
    """Take the entry at its word, so that one gap is named once and not at every later entry."""
    act, seal, holder, since = event.act, before.seal, before.holder, before.since
    if act is CustodyAct.SEALED:
        seal = event.seal_number
    elif act in _OPENING:
        seal = None  # whoever looks inside breaks the seal
    elif event.seal_number is not None:
        seal = event.seal_number
    if act is CustodyAct.RECEIVED or act in TRANSFERS:
        holder = event.to_holder or holder
    elif act in _ACCESS and holder is None:
        holder = event.from_holder or event.to_holder
    disposed = before.disposed or act is CustodyAct.DISPOSED
    if disposed:
        holder = seal = None
    return Custody(
        holder=holder,
        since=since if holder == before.holder else event.at,
        place=event.place or before.place,
        seal=seal,
        latest=event.at if before.latest is None else max(before.latest, event.at),
        received=True,
        disposed=disposed,
    )


def _breaks(before: Custody, event: CustodyEvent, until: datetime | None) -> Iterable[Break]:
    def broken(rule: Rule, says: str) -> Break:
        return Break(event.exhibit, event.id, rule, event.at, says)

    act, at = event.act, format_time(event.at)
    if before.latest is not None and event.at < before.latest:
        yield broken(
            Rule.TIME_BACK,
            f"It was {act} at {at}, written after an entry of {format_time(before.latest)}.",
        )
    if until is not None and event.at > until:
        yield broken(
            Rule.AFTER_END, f"It was {act} at {at}, later than the record of {format_time(until)}."
        )
    if before.disposed:
        yield broken(Rule.AFTER_DISPOSAL, f"It was {act} at {at}, after it had been disposed of.")
        return
    if not before.received and act is not CustodyAct.RECEIVED:
        yield broken(Rule.NO_RECEIPT, f"The chain begins at {at} with “{act}”: no receipt.")
    if before.received and act is CustodyAct.RECEIVED:
        yield broken(Rule.RECEIVED_TWICE, f"It was received at {at}, but was in custody already.")
    yield from (broken(rule, says) for rule, says in _holder_breaks(before, event))
    yield from (broken(rule, says) for rule, says in _seal_breaks(before, event))


def _holder_breaks(before: Custody, event: CustodyEvent) -> Iterable[tuple[Rule, str]]:
    act, at = event.act, format_time(event.at)
    moves = act is CustodyAct.RECEIVED or act in TRANSFERS
    if moves and event.to_holder is None:
        yield Rule.NO_RECEIVER, f"It was {act} at {at}, and nobody is named who has it since."
    if before.holder is None or act is CustodyAct.RECEIVED:
        return
    held = f"{before.holder} had held it"
    if before.since is not None:
        held += f" since {format_time(before.since)}"
    if act in GIVEN:
        if event.from_holder != before.holder:
            giver = event.from_holder or "nobody named"
            yield (
                Rule.GAP,
                f"{held}, but at {at} it was {act} from {giver}: "
                "who had it in between is not written down.",
            )
        else:
            yield from _giving_breaks(before.holder, held, event)
        return
    named = {event.from_holder, event.to_holder} - {None, before.holder}
    if before.holder.startswith("officer:") and event.by != before.holder.removeprefix("officer:"):
        named.add(f"officer:{event.by}")
    if named:
        others = " and ".join(sorted(str(n) for n in named))
        yield Rule.NOT_HOLDER, f"{held}, but at {at} it was {act} by {others}."


def _giving_breaks(holder: str, held: str, event: CustodyEvent) -> Iterable[tuple[Rule, str]]:
    """An officer's word on giving something is good where they gave or got it themselves."""
    by, at = f"officer:{event.by}", format_time(event.at)
    if by == holder or (event.act in TRANSFERS and by == event.to_holder):
        return
    if holder.startswith("officer:"):
        yield (
            Rule.NOT_HOLDER,
            f"{held}, but at {at} it was {event.act} by {by}, who neither gave nor received it.",
        )
    elif not event.note.strip():
        yield (
            Rule.NO_REASON,
            f"{held}, but at {at} it was {event.act} by {by}, and its note does not say why.",
        )


def _seal_breaks(before: Custody, event: CustodyEvent) -> Iterable[tuple[Rule, str]]:
    act, at = event.act, format_time(event.at)
    if act is CustodyAct.SEALED:
        if not event.seal_number:
            yield Rule.NO_SEAL_NUMBER, f"It was sealed at {at} under a seal without a number."
    elif event.seal_number is not None and before.received and event.seal_number != before.seal:
        was = f"seal {before.seal}" if before.seal else "no unbroken seal"
        yield (
            Rule.SEAL_DIFFERS,
            f"It was {act} at {at} with seal {event.seal_number} on it, "
            f"but {was} was last written down.",
        )
