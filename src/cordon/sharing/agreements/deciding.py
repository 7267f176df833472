"""What an agreement's Cedar text says to a question; nothing is permitted that nothing permits.

A text is parsed once. Cedar passes over a policy that it cannot evaluate, so an answer with an
error in it is a no.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cedarpy

from cordon.sharing.agreements.clauses import cedar, clauses, each
from cordon.sharing.agreements.grades import UNGRADED
from cordon.sharing.agreements.model import Answer, Question, Terms


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether an agreement was signed by all, and ended by one, when it is asked."""

    signed: bool = True
    ended: bool = False


def decide(terms: Terms, question: Question, standing: Standing) -> Answer:
    """What one agreement says, with the clauses that say no."""
    return decide_all(terms, [question], standing)[0]


def decide_all(
    terms: Terms, questions: Sequence[Question], standing: Standing, *, reasons: bool = True
) -> list[Answer]:
    """What one agreement says to each question.

    Args:
        reasons: whether answers of no name their clauses, which costs a second evaluation.
    """
    whole, single = _parsed(terms)
    entities, requests = _asked(questions, standing)
    held = cedarpy.Entities.from_json_str(json.dumps(entities))
    said = cedarpy.is_authorized_batch(requests, whole, held)
    allowed = [bool(one.allowed) and not one.diagnostics.errors for one in said]
    if not reasons:
        return [Answer(yes, terms.id if yes else None) for yes in allowed]
    refused = [place for place, yes in enumerate(allowed) if not yes]
    why: dict[int, tuple[str, ...]] = {}
    if refused:
        every = [c.id for c in clauses(terms)]
        again = cedarpy.is_authorized_batch([requests[i] for i in refused], single, held)
        for place, one in zip(refused, again, strict=True):
            kept = set(one.diagnostics.id_annotations_by_reason.values())
            why[place] = tuple(c for c in every if c not in kept)
    return [
        Answer(yes, terms.id if yes else None, why.get(place, ()))
        for place, yes in enumerate(allowed)
    ]


@lru_cache(maxsize=256)
def _parsed(terms: Terms) -> tuple[cedarpy.PolicySet, cedarpy.PolicySet]:
    return cedarpy.PolicySet.from_str(cedar(terms)), cedarpy.PolicySet.from_str(each(terms))


def _asked(
    questions: Sequence[Question], standing: Standing
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Entities, each once, and requests that point at them."""
    desks: dict[object, dict[str, Any]] = {}
    things: dict[object, dict[str, Any]] = {}
    requests = []
    for q in questions:
        who = (q.agency, q.roles)
        if who not in desks:
            desks[who] = _entity("Desk", len(desks), agency=q.agency, roles=sorted(q.roles))
        what = (
            q.giver, q.originator, q.class_, q.purpose, q.mark, q.handling, q.caveats, q.grade
        )  # fmt: skip
        if what not in things:
            source, credibility = UNGRADED if q.grade is None else q.grade.ranks
            things[what] = _entity(
                "Thing", len(things), giver=q.giver, originator=q.originator, purpose=q.purpose,
                mark=q.mark.rank, handling=sorted(q.handling), caveats=sorted(q.caveats),
                source=source, credibility=credibility, **{"class": q.class_},
            )  # fmt: skip
        requests.append(
            {
                "principal": desks[who]["uid"],
                "action": {"type": "Action", "id": q.doing.value},
                "resource": things[what]["uid"],
                "context": {
                    "now": int(q.at.timestamp()), "days": q.days, "permitted": q.permitted,
                    "signed": standing.signed, "ended": standing.ended,
                },
            }
        )  # fmt: skip
    return [*desks.values(), *things.values()], requests


def _entity(type_: str, number: int, **attributes: Any) -> dict[str, Any]:
    return {"uid": {"type": type_, "id": str(number)}, "attrs": attributes, "parents": []}
