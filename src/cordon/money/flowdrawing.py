"""Draws where money went from hop to hop, as bands between columns of accounts.

A column is a hop; a node is an account there, or a way by which the money left or came in. The
height of a node and the width of a band are amounts. Small ones of a column are drawn as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cordon.money.model import ENTRIES, EXITS

MOST_NODES = 12  # of a column; the rest is one node
WIDTH, HEIGHT, BAR, GAP, PAD = 980.0, 420.0, 9.0, 9.0, 16.0
OTHERS = "…"


@dataclass(frozen=True, slots=True)
class Node:
    """An account in a column, or a way out or in. Sizes in px.

    Attributes:
        kind: `account`, `way` (money left or came in by it), `beyond`, or `others`.
        name: the account in clear, or the channel's word. amount: what goes through it.
    """

    key: str
    kind: str
    name: str
    column: int
    x: float
    y: float
    height: float
    amount: Decimal
    at_end: bool


@dataclass(frozen=True, slots=True)
class Band:
    """Money from one node to another: `path` of its middle line, its width (px).

    `hop`, `giver` and `taker` say which payments it is made of; a giver or taker that is none
    alone is empty.
    """

    path: str
    width: float
    amount: Decimal
    payments: int
    hop: int
    giver: str
    taker: str
    channel: str
    source: Node
    target: Node


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole of it, of one currency. `hops` are those of the columns between nodes."""

    width: float
    height: float
    nodes: Sequence[Node]
    bands: Sequence[Band]
    columns: int


@dataclass(slots=True)
class _Flow:
    hop: int
    start: tuple[int, str, str]  # column, kind, name
    end: tuple[int, str, str]
    amount: Decimal
    payments: int
    giver: str
    taker: str
    channel: str


def drawn(flows: Sequence[Mapping[str, Any]], currency: str, way: str, hops: int) -> Picture | None:
    """The picture of a trace's flows in one currency; None where nothing moved.

    Args:
        flows: as `traceparts.detail` tells them. way: `forward` or `back`. hops: followed.
    """
    mine = [f for f in flows if f["currency"] == currency and f["hop"] >= 0]
    mine = [f for f in mine if Decimal(f["amount"]) > 0]
    if not mine:
        return None
    last = max(f["hop"] for f in mine)
    placed = [_placed(f, way, hops, last) for f in mine]
    placed = _gathered(placed)
    totals: dict[tuple[int, str, str], list[Decimal]] = {}
    for flow in placed:
        totals.setdefault(flow.start, [Decimal(0), Decimal(0)])[1] += flow.amount
        totals.setdefault(flow.end, [Decimal(0), Decimal(0)])[0] += flow.amount
    size = {key: max(pair) for key, pair in totals.items()}
    columns = sorted({key[0] for key in size})
    nodes = _laid(size, columns)
    scale = _scale(size, columns)
    bands = _bands(placed, nodes, scale)
    height = max(n.y + n.height for n in nodes.values()) + PAD
    return Picture(WIDTH, round(max(height, 60.0), 1), list(nodes.values()), bands, len(columns))


def _placed(flow: Mapping[str, Any], way: str, hops: int, last: int) -> _Flow:
    hop, channel = flow["hop"], flow["channel"]
    giver, taker = flow["from"], flow["to"]
    if way == "forward":
        start, end = (hop, "account", giver), (hop + 1, "account", taker)
        if hop > 0 and channel in EXITS:
            end = (hop + 1, "way", channel)
        elif hop > hops:
            end = (hop + 1, "beyond", "")
    else:  # the asked payments stand last
        start, end = (last - hop, "account", giver), (last - hop + 1, "account", taker)
        if hop > 0 and channel in ENTRIES:
            start = (last - hop, "way", channel)
        elif hop > hops:
            start = (last - hop, "beyond", "")
    return _Flow(
        hop, start, end, Decimal(flow["amount"]), flow["payments"],
        giver if start[1] == "account" else "", taker if end[1] == "account" else "", channel,
    )  # fmt: skip


def _gathered(flows: list[_Flow]) -> list[_Flow]:
    """The flows with the small nodes of each column as one, and equal ones added up."""
    totals: dict[tuple[int, str, str], Decimal] = {}
    for flow in flows:
        for end in (flow.start, flow.end):
            totals[end] = totals.get(end, Decimal(0)) + flow.amount
    kept: set[tuple[int, str, str]] = set()
    for column in {key[0] for key in totals}:
        some = sorted((k for k in totals if k[0] == column), key=lambda k: (-totals[k], k))
        few = MOST_NODES if len(some) <= MOST_NODES else MOST_NODES - 1
        kept |= {k for i, k in enumerate(some) if i < few or k[1] != "account"}
    together: dict[Any, _Flow] = {}
    for flow in flows:
        if flow.start not in kept:
            flow.start, flow.giver = (flow.start[0], "others", OTHERS), ""
        if flow.end not in kept:
            flow.end, flow.taker = (flow.end[0], "others", OTHERS), ""
        known = together.get((flow.start, flow.end))
        if known is None:
            together[(flow.start, flow.end)] = flow
        else:
            known.amount += flow.amount
            known.payments += flow.payments
            known.channel = known.channel if known.channel == flow.channel else ""
    return list(together.values())


def _scale(size: Mapping[tuple[int, str, str], Decimal], columns: Sequence[int]) -> float:
    """px of one unit of money: the fullest column fills the height."""
    scales = []
    for column in columns:
        mine = [float(v) for k, v in size.items() if k[0] == column]
        room = HEIGHT - 2 * PAD - GAP * (len(mine) - 1)
        scales.append(max(room, 60.0) / max(sum(mine), 1e-9))
    return min(scales)


def _laid(
    size: Mapping[tuple[int, str, str], Decimal], columns: Sequence[int]
) -> dict[tuple[int, str, str], Node]:
    scale = _scale(size, columns)
    step = (WIDTH - 2 * PAD - BAR) / max(len(columns) - 1, 1)
    nodes: dict[tuple[int, str, str], Node] = {}
    for place, column in enumerate(columns):
        # the most first, what is gathered last
        some = sorted(
            (k for k in size if k[0] == column), key=lambda k: (k[1] == "others", -size[k], k)
        )
        y = PAD
        for key in some:
            # a name of 11 px has to fit beside its node
            height = max(float(size[key]) * scale, 3.0)
            nodes[key] = Node(
                f"{place}-{len(nodes)}", key[1], key[2], place, round(PAD + place * step, 1),
                round(y, 1), round(height, 1), size[key], place == len(columns) - 1,
            )  # fmt: skip
            y += max(height, 5.0) + GAP
    return nodes


def _bands(
    flows: list[_Flow], nodes: Mapping[tuple[int, str, str], Node], scale: float
) -> list[Band]:
    left: dict[str, float] = {}
    right: dict[str, float] = {}
    drawn_: dict[int, tuple[float, float, float]] = {}
    order = sorted(range(len(flows)), key=lambda i: nodes[flows[i].end].y)
    for i in order:  # leave a node in the order in which they arrive
        flow = flows[i]
        width = float(flow.amount) * scale
        start = nodes[flow.start]
        y = start.y + right.get(start.key, 0.0) + width / 2
        right[start.key] = right.get(start.key, 0.0) + width
        drawn_[i] = (y, 0.0, width)
    for i in sorted(range(len(flows)), key=lambda i: nodes[flows[i].start].y):
        flow = flows[i]
        end = nodes[flow.end]
        y, _, width = drawn_[i]
        drawn_[i] = (y, end.y + left.get(end.key, 0.0) + width / 2, width)
        left[end.key] = left.get(end.key, 0.0) + width
    bands = []
    for i, flow in enumerate(flows):
        start, end = nodes[flow.start], nodes[flow.end]
        y0, y1, width = drawn_[i]
        x0, x1 = start.x + BAR, end.x
        bend = (x1 - x0) / 2
        turns = f"{x0 + bend:.1f} {y0:.1f} {x1 - bend:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"
        path = f"M{x0:.1f} {y0:.1f}C{turns}"
        bands.append(
            Band(
                path,
                round(max(width, 1.0), 2),
                flow.amount,
                flow.payments,
                flow.hop,
                flow.giver,
                flow.taker,
                flow.channel,
                start,
                end,
            )
        )
    return sorted(bands, key=lambda b: -b.width)
