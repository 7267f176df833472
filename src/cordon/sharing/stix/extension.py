"""The extension under which goes what STIX has no word for, and the grade that stands in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cordon.kernel.errors import BadInput
from cordon.sharing.agreements.grades import Grade
from cordon.sharing.stix.checking import Wrong

EXTENSION = "extension-definition--3c59f0a1-6f0e-5a7f-8b0d-9d2b1f6c4e57"
ADMIRALTY = "admiralty"


def grade_of(thing: Mapping[str, Any]) -> Grade | None:
    """The Admiralty grade of an object, or None where nobody judged it.

    Raises:
        Wrong: what stands there is no grade; it names the property, not what it says.
    """
    said = (thing.get("extensions") or {}).get(EXTENSION)
    if not isinstance(said, Mapping) or ADMIRALTY not in said:
        return None
    try:
        grade = Grade.read(said[ADMIRALTY])
    except BadInput:
        grade = None
    if grade is None:  # nothing written under the name is no grade either
        raise Wrong(
            f"extensions.{EXTENSION}.{ADMIRALTY}",
            "is no Admiralty grade: a letter of A to F and a digit of 1 to 6",
        )
    return grade
