"""Finds rings of lines that work like an illegal call centre: see the card beside this file."""

from __future__ import annotations

from collections.abc import Iterator

from cordon.calls.detectors.data import CallData
from cordon.calls.detectors.ringcards import BOXES
from cordon.calls.rings.bound import bound
from cordon.calls.rings.forwarded import forwarded
from cordon.calls.rings.identifiers import tied
from cordon.calls.rings.judging import is_box, is_ring
from cordon.calls.rings.links import linked
from cordon.calls.rings.search import searched
from cordon.calls.rings.weighing import Facts, confidence
from cordon.calls.rings.wording import extra, finding, subjects, told
from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding

CARD = load_card(__file__)


def find(data: CallData, card: Card = CARD) -> Iterator[Finding]:
    """Findings over the calls, one a ring.

    Args:
        data: the calls and what is known beside them. card: the parameters' defaults.
    """
    values = card.values(data.given)
    boxes = BOXES.values(data.given)
    search = searched(data, values)
    _say_what_is_missing(data)
    for group in sorted(search.groups, key=lambda g: (-g.nats, g.members.tolist())):
        if not is_ring(group, values) or is_box(group, boxes):
            continue
        data.told.append(group.members)
        seen = told(data, group)
        sure = confidence(group.nats, -(values["evidence"] - 2))
        ties = tied(data, group, seen.uses)
        names = [*subjects(data, group, seen.uses), *ties.subjects]
        links = linked(data, group, seen.uses, names, ties)
        sent, held = forwarded(data, group), bound(data, group)
        more = {
            **extra(seen),
            "complaints": list(ties.complaints),
            "hubs": sorted(cut.subject for cut in ties.hubs),
            "beside": [f"number:{data.near.numbers[i]}" for i in group.beside],
            **links.told([*sent.links, *held.links]),
        }
        tied_too = (*ties.subjects, *links.subjects, *held.subjects)
        usual = _usual(data, group.facts)
        yield finding(
            data,
            card,
            group,
            seen,
            group.signs,
            sure,
            more,
            usual,
            tied_too,
            (*sent.reasons, *held.reasons),
        )


def _usual(data: CallData, facts: Facts) -> dict[str, str]:
    beside = data.usual
    told = {
        "called_back": f"{beside.back:.0%}",
        "sims_a_handset": "1",
        "turnover": "1",
    }
    if facts.age is not None:
        told["new_sims"] = f"{facts.age.usual:.0%}"
    if facts.tie is not None:
        told["address"] = f"{facts.tie.others:,} of {facts.tie.everybody:,} other numbers"
    return told


def _say_what_is_missing(data: CallData) -> None:
    near = data.near
    if data.complaints is None:
        data.left_out.append(
            "No complaints were given: a ring that nobody's complaint points at is told by its "
            "lines alone."
        )
    if data.cells is None:
        data.left_out.append(
            "No cells file was given: rings are gathered by cells' names, and nothing can say "
            "where on the ground they are."
        )
    if len(near.us) and not (near.caller_cell >= 0).any():
        data.left_out.append(
            "The calls hold no cells: lines that move cannot be told from lines in a room."
        )
    if len(near.us) and not (near.caller_imei >= 0).any():
        data.left_out.append(
            "The calls hold no handsets (IMEI): lines are gathered by place and hours alone."
        )
