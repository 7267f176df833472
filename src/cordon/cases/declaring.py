"""Breaks of custody that the officer who seals knows of, and explains to the court."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from cordon.cases.bundle import DeclaredBreak
from cordon.cases.custody import Break, Rule, check
from cordon.cases.reading import chain_of, exhibit_of, exhibits_of
from cordon.cases.writing import line
from cordon.kernel.errors import BadInput

LONGEST_EXPLANATION = 500
_DECLARATION = re.compile(r"\s*([A-Za-z]{1,3}-[0-9]{1,6}):([a-z_]+)\s*=\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What an officer says of the breaks of one rule in one exhibit's chain.

    Attributes:
        label: of the exhibit, like `E-1`. explanation: one line of at most 500 characters.
    """

    label: str
    rule: Rule
    explanation: str

    @classmethod
    def parse(cls, text: str) -> Declaration:
        """Read `E-1:rule=explanation`; raises BadInput where it is not written so."""
        match = _DECLARATION.fullmatch(text)
        if match is None or match[2] not in list(Rule):
            raise BadInput(
                "That declares no break of custody.",
                advice='Write it like E-1:gap="reason", the rule as the case\'s page names it.',
            )
        explanation = line(match[3], "explanation", LONGEST_EXPLANATION)
        return cls(match[1].upper(), Rule(match[2]), explanation)

    def __str__(self) -> str:
        return f"{self.label}:{self.rule}={self.explanation}"


def declared_breaks(
    session: Session, case: str, said: Iterable[Declaration]
) -> list[DeclaredBreak]:
    """Every break in a case's chains, each with what the officer says of it.

    Raises:
        BadInput: a break is not declared or not explained, or what is declared is none.
    """
    explained: dict[tuple[str, Rule], str] = {}
    for one in said:
        if explained.setdefault((one.label, one.rule), one.explanation) != one.explanation:
            raise BadInput(f"{one.label}:{one.rule} is explained in two ways.")
    declared: list[DeclaredBreak] = []
    missing: list[str] = []
    used: set[tuple[str, Rule]] = set()
    for label, rule, found in _breaks(session, case):
        explanation = explained.get((label, rule), "")
        used.add((label, rule))
        if explanation:
            declared.append(DeclaredBreak(found.exhibit, found.event, rule, explanation))
        elif f"{label}:{rule}" not in missing:
            missing.append(f"{label}:{rule}")
    if missing:
        raise BadInput(
            "Custody is broken, and whoever seals must declare it: " + ", ".join(missing) + ".",
            advice=f'Explain each on the case\'s page, or with --declare {missing[0]}="reason".',
        )
    if surplus := explained.keys() - used:
        named = ", ".join(sorted(f"{label}:{rule}" for label, rule in surplus))
        raise BadInput(
            f"There is no such break of custody in this case: {named}.",
            advice="Declare the breaks that the case's page names.",
        )
    return declared


def _breaks(session: Session, case: str) -> Iterator[tuple[str, Rule, Break]]:
    exhibits = [exhibit_of(row) for row in exhibits_of(session, case)]
    labels = {e.id: e.label for e in exhibits}
    for found in check(chain_of(session, labels), exhibits=labels):
        yield labels[found.exhibit], found.rule, found
