"""Finds SIM boxes: see the card beside this file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from cordon.calls.detectors.data import CallData
from cordon.calls.detectors.ringcards import RINGS
from cordon.calls.rings.judging import EQUIPMENT, ONE, is_box
from cordon.calls.rings.search import Group, Search, searched
from cordon.calls.rings.weighing import Facts, Sign, confidence, signs
from cordon.calls.rings.wording import extra, finding, told
from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding

CARD = load_card(__file__)
_SHARED = 0.2  # of the handset identities of the smaller box
_CARRIED = -3.0  # nats against, at most, of a sign of the room
_SIGNS = (*EQUIPMENT, "still", "lines")


def find(data: CallData, card: Card = CARD) -> Iterator[Finding]:
    """Findings over the calls, one a box.

    Args:
        data: the calls and what is known beside them. card: the parameters' defaults.
    """
    values = card.values(data.given)
    search = searched(data, RINGS.values(data.given))
    boxes = [g for g in search.groups if is_box(g, values)]
    for group in sorted(joined(data, search, boxes), key=lambda g: (-g.nats, g.members.tolist())):
        told_of = box_signs(group, values)
        nats = sum(s.nats for s in told_of)
        if group.facts.lines < values["lines"] or nats < values["evidence"]:
            continue
        if not brings_calls_in(group.facts, told_of, values):
            continue
        data.told.append(group.members)
        seen = told(data, group)
        sure = confidence(nats, -(values["evidence"] - 2))
        yield finding(data, card, group, seen, told_of, sure, extra(seen), {})


def box_signs(group: Group, values: Mapping[str, float]) -> list[Sign]:
    """What speaks for a box: around the clock, silent, and the signs of used-up SIMs."""
    f = group.facts
    identities = f.handsets / max(f.lines, 1)
    own = [
        Sign(
            "hours",
            f.hours,
            values["hours"],
            "1",
            float(np.clip(f.hours - values["hours"] + 1, 0, 5)),
        ),
        Sign(
            "incoming_share",
            f.incoming,
            values["incoming_share"],
            "1",
            float(np.clip(40 * (values["incoming_share"] - f.incoming), -4, 3)),
        ),
        Sign(
            "again",
            f.again,
            values["again"],
            "1",
            float(np.clip(2 * np.log2(f.again / values["again"]), 0, 3)),
        ),
        Sign(
            "identities",
            identities,
            values["identities"],
            "1",
            float(np.clip(3 * np.log2(max(identities, 0.01) / values["identities"]), 0, 5)),
        ),
    ]
    # a box may be carried about, which a room cannot
    shared = [replace(s, nats=max(s.nats, _CARRIED)) for s in group.signs if s.name in _SIGNS]
    return sorted([*own, *shared], key=lambda s: (-abs(s.nats), s.name))


def brings_calls_in(facts: Facts, told_of: list[Sign], values: Mapping[str, float]) -> bool:
    """Whether something speaks for a box beyond the clock and silence, which machines share.

    That is how it uses SIMs and handset identities, or else many SIMs on which people converse:
    what announces codes and bills calls day and night too, from a few SIMs, and for seconds.
    """
    if any(s.nats >= ONE for s in told_of if s.name in (*EQUIPMENT, "identities")):
        return True
    talks = facts.talk_s is not None and facts.talk_s >= values["talk"]
    return talks and facts.lines >= values["steady_sims"]


def joined(data: CallData, search: Search, boxes: list[Group]) -> list[Group]:
    """Boxes that use each other's handset identities, as one.

    A gateway may send from slots at several cells. That two call the same people says little:
    the kin of those who work abroad are called through all gateways.
    """
    left = sorted(boxes, key=lambda g: (-len(g.members), g.members.tolist()))
    used = [_handsets(search, g) for g in left]
    values = RINGS.values(data.given)
    done: list[Group] = []
    while left:
        group, own = left.pop(0), used.pop(0)
        for at in reversed(range(len(left))):
            if len(own & used[at]) < max(1.0, _SHARED * min(len(own), len(used[at]))):
                continue
            other, more = left.pop(at), used.pop(at)
            core = np.unique(np.concatenate([group.core, other.core]))
            facts = search.measuring.facts(core)
            members = np.unique(np.concatenate([group.members, other.members]))
            group, own = Group(members, core, facts, signs(facts, values)), own | more
        done.append(group)
    return done


def _handsets(search: Search, group: Group) -> set[int]:
    own = search.uses
    entries = own.entries(group.core)
    imei = own.imei[entries]
    return set(np.unique(imei[imei >= 0]).tolist())
