"""Handling marks of STIX objects: which TLP mark its marking definitions make of an object.

An object takes the strictest of its marks, those on parts of it (granular markings) too. A
marking definition that is not known, or that says something else than TLP or a statement, has
an audience that nobody here knows: the object is then for nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cordon.kernel.access.model import Mark
from cordon.sharing.model import HIDDEN

TLP: Mapping[str, int] = {
    # STIX 2.1, §7.2.1.4: TLP 1.0
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": Mark.CLEAR.rank,
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": Mark.GREEN.rank,
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": Mark.AMBER.rank,
    "marking-definition--5e57c739-391a-4eb3-b6be-7da15ca92ed5": Mark.RED.rank,
    # OASIS CTI TC, extension definition for TLP 2.0
    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": Mark.CLEAR.rank,
    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": Mark.GREEN.rank,
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": Mark.AMBER.rank,
    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": Mark.AMBER_STRICT.rank,
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": Mark.RED.rank,
}
"""Ranks of the marking definitions that the standards fix."""

TLP_2 = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_WORDS = {
    "white": Mark.CLEAR, "clear": Mark.CLEAR, "green": Mark.GREEN, "amber": Mark.AMBER,
    "amber+strict": Mark.AMBER_STRICT, "red": Mark.RED,
}  # fmt: skip
NO_LIMIT = -1
"""What a statement (a copyright, terms of use) says of the audience: nothing."""


def refs_of(thing: Mapping[str, Any]) -> list[str]:
    """Ids of the marking definitions that an object or a part of it carries."""
    refs = list(thing.get("object_marking_refs") or ())
    refs += [
        ref
        for granular in thing.get("granular_markings") or ()
        if (ref := granular.get("marking_ref")) is not None
    ]
    return refs


def said_by(definition: Mapping[str, Any]) -> int:
    """The rank that a marking definition sets; `NO_LIMIT`, or `HIDDEN` where it is not known."""
    if (fixed := TLP.get(str(definition.get("id")))) is not None:
        return fixed
    extensions = definition.get("extensions")
    if isinstance(extensions, Mapping) and extensions:
        told = extensions.get(TLP_2)
        word = told.get("tlp_2_0") if isinstance(told, Mapping) else None
        mark = _WORDS.get(word.lower()) if isinstance(word, str) and len(extensions) == 1 else None
        return mark.rank if mark is not None else HIDDEN
    kind, said = definition.get("definition_type"), definition.get("definition")
    if kind == "statement":
        return NO_LIMIT
    word = said.get("tlp") if kind == "tlp" and isinstance(said, Mapping) else None
    mark = _WORDS.get(word.lower()) if isinstance(word, str) else None
    return mark.rank if mark is not None else HIDDEN


def rank_of(refs: Iterable[str], known: Mapping[str, int], without: int) -> tuple[int, list[str]]:
    """The rank of an object's marks, and the definitions that are not there.

    Args:
        known: ranks of the definitions that are there, beside those that standards fix.
        without: rank of an object that no mark limits.
    """
    strictest, waits = NO_LIMIT, []
    for ref in refs:
        rank = TLP.get(ref)
        if rank is None:
            rank = known.get(ref)
        if rank is None:
            rank = HIDDEN
            waits.append(ref)
        strictest = max(strictest, rank)
    return (without if strictest == NO_LIMIT else strictest), waits
