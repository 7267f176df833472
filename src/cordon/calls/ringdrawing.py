"""The members of a ring as its page draws them: a link chart, and bars over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cordon.calls import names
from cordon.kernel.masking import Masker

_MOST_NUMBERS, _MOST_NAMED = 48, 20  # of a chart
_MOST_ADDRESSES, _MOST_HUBS = 8, 6
_LONGEST = 15  # signs of an address that is written whole: those of IPv4


@dataclass(frozen=True, slots=True)
class Member:
    """A number of a ring as it may be shown; `href` is its page, by pseudonym."""

    number: str
    href: str
    handsets: tuple[tuple[str, str], ...]
    more_handsets: int
    first: datetime
    last: datetime
    calls: int
    made: int
    people: int


@dataclass(frozen=True, slots=True)
class Named:
    """What belongs to a ring beside its numbers: an account, handle, wallet or page.

    Attributes:
        value: in clear where covered, else its pseudonym. by: `complaint`, `payment` (its
            accounts pay into it) or `bound` (to a number of it). times: that complaints name it.
        numbers: (number as it may be shown, its page) that it is named with or bound to.
    """

    type: str
    value: str
    by: str
    times: int
    bank: str
    numbers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Address:
    """An internet address as it may be shown, and the pages of the numbers that it ties."""

    text: str
    numbers: tuple[str, ...]


def graph(
    masker: Masker,
    detail: Mapping[str, Any],
    members: Sequence[Member],
    named: Sequence[Named],
    addresses: Sequence[Address] = (),
    hubs: Sequence[str] = (),
) -> dict[str, Any]:
    """The link chart: the site, its handsets, their numbers, what complaints name and what they
    reach; hubs that were cut hang from the site by an edge that is marked so.

    Those numbers first that complaints name, then those with the most calls: a chart of hundreds
    shows nothing.
    """
    told = {n: one for one in detail.get("named", ())[:_MOST_NAMED] for n in one["numbers"]}
    hrefs = {names.address(masker, f"number:{n}") for n in told}
    ranked = sorted(members, key=lambda m: (m.href not in hrefs, -m.calls, m.href))
    known = {m.href: m for m in ranked[:_MOST_NUMBERS]}
    nodes: list[dict[str, Any]] = [{"id": "site", "kind": "site", "label": ""}]
    edges: list[dict[str, Any]] = []
    shown = {href: text for m in known.values() for text, href in m.handsets}
    sims: dict[str, set[str]] = {}
    linked: set[str] = set()
    for link in detail.get("links", ()):
        handset = names.address(masker, f"imei:{link['imei']}")
        if handset not in shown:
            continue
        sims.setdefault(handset, set()).add(link["number"])
        number = names.address(masker, f"number:{link['number']}")
        if number in known:
            edges.append({"from": handset, "to": number, "weight": link["calls"]})
            linked.add(number)
    for member in known.values():
        nodes.append(
            {"id": member.href, "kind": "number", "label": _short(member.number),
             "href": member.href, "weight": member.calls}
        )  # fmt: skip
    for href, text in shown.items():
        label = f"{_short(text)} ×{len(sims.get(href, ()))}"
        nodes.append({"id": href, "kind": "handset", "label": label, "href": href})
        edges.append({"from": "site", "to": href, "weight": 1})
    edges += [{"from": "site", "to": n, "weight": 1} for n in known if n not in linked]
    for at, one in enumerate(named[:_MOST_NAMED]):
        id_, weight = f"named-{at}", max(one.times, 1)
        nodes.append({"id": id_, "kind": one.type, "label": _short(one.value), "weight": weight})
        hrefs_of_it = {names.address(masker, f"number:{n}") for n in detail["named"][at]["numbers"]}
        held_by = sorted(hrefs_of_it & known.keys()) or ["site"]
        edges += [{"from": href, "to": id_, "weight": weight} for href in held_by]
    for at, reached in enumerate(addresses[:_MOST_ADDRESSES]):
        id_ = f"address-{at}"
        nodes.append({"id": id_, "kind": "address", "label": _end(reached.text)})
        tied = [n for n in reached.numbers if n in known] or ["site"]
        edges += [{"from": href, "to": id_, "weight": 1} for href in tied]
    for at, hub in enumerate(hubs[:_MOST_HUBS]):
        nodes.append({"id": f"hub-{at}", "kind": "hub", "label": _end(hub)})
        edges.append({"from": "site", "to": f"hub-{at}", "weight": 1, "cut": True})
    return {"nodes": nodes, "edges": edges}


def _short(text: str) -> str:
    """The end of a value, for the label of a chart; of a pseudonym its letters' beginning."""
    if text.startswith("~"):
        return text[:5] + "…" + (text.partition("·")[2] and "·" + text.partition("·")[2])
    return text if len(text) <= 9 else "…" + text[-7:]


def _end(text: str) -> str:
    """The same of an internet address, which is told whole where it is in clear."""
    return _short(text) if text.startswith("~") or len(text) > _LONGEST else text


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of the timeline, in percent of the ring's span. `href` is its number's page."""

    text: str
    href: str
    begin: float
    length: float
    first: datetime
    last: datetime
    calls: int


def bars(members: Sequence[Member]) -> tuple[Bar, ...]:
    """When each number was at work, the first one first."""
    if not members:
        return ()
    begin = min(m.first for m in members)
    length = max((max(m.last for m in members) - begin).total_seconds(), 1.0)
    some = sorted(members, key=lambda m: (m.first, m.last, m.href))
    return tuple(
        Bar(
            m.number,
            m.href,
            round(100 * (m.first - begin).total_seconds() / length, 2),
            round(max(100 * (m.last - m.first).total_seconds() / length, 0.4), 2),
            m.first,
            m.last,
            m.calls,
        )
        for m in some
    )
