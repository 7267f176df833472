"""Admiralty grades: how reliable a source is (A to F), and how credible what it says (1 to 6).

The scales are those of NATO STANAG 2511 (AJP-2.1) and of the intelligence model of the police:
the two are judged apart. F and 6 say that it cannot be judged, and stand last.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cordon.kernel.errors import BadInput

SOURCES = "ABCDEF"
CREDIBILITIES = "123456"


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade: `source` of A to F, `credibility` of 1 to 6; BadInput for anything else."""

    source: str
    credibility: str

    def __post_init__(self) -> None:
        if (self.source not in tuple(SOURCES)) or (self.credibility not in tuple(CREDIBILITIES)):
            raise BadInput(
                "A grade is a letter of A to F and a digit of 1 to 6.",
                advice="B2: usually reliable, probably true. Without a judgement: F6, or none.",
            )

    @classmethod
    def read(cls, text: object) -> Grade | None:
        """The grade that is written `B2`, or None of nothing; BadInput."""
        if text is None or text == "":
            return None
        if not isinstance(text, str) or len(text) != len("B2"):
            return cls("", "")
        return cls(text[0].upper(), text[1])

    @property
    def ranks(self) -> tuple[int, int]:
        """Places of the letter and of the digit on their scales, 0 the best."""
        return SOURCES.index(self.source), CREDIBILITIES.index(self.credibility)

    def __str__(self) -> str:
        return f"{self.source}{self.credibility}"


UNGRADED = (len(SOURCES), len(CREDIBILITIES))
"""Ranks of what nobody judged: behind every grade, so that no clause on grades lets it go."""


def lowest(grades: Iterable[Grade | None]) -> Grade | None:
    """The grade of a whole: the worst letter and the worst digit of its parts that have one."""
    held = [g for g in grades if g is not None]
    if not held:
        return None
    return Grade(max(g.source for g in held), max(g.credibility for g in held))
