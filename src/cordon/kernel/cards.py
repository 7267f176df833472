"""Detector cards: what a detector looks for, its parameters with unit and source, what fools it.

A card is the YAML file beside the detector's module, with the same name. The reference page
for detectors is made from the cards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from cordon.kernel.errors import BadInput


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting of a detector.

    Attributes:
        name: as it stands in reasons and in a zone's own parameters.
        unit: unit symbol; `1` for a pure number.
        default: value where nothing else is set, in `unit`.
        least, most: bounds that a set value must keep, or None.
        says: one sentence.
        source: where the default comes from: a publication, a standard, or the measurement.
    """

    name: str
    unit: str
    default: float
    least: float | None
    most: float | None
    says: str
    source: str


@dataclass(frozen=True, slots=True)
class Card:
    """What is said of a detector beside its code.

    Attributes:
        kind: the kind of finding that it returns.
        name: its name in findings (`picture.gap`), version: raised with each change of outcome.
        title: a few words for a queue; looks_for: a paragraph.
        seriousness: `notice`, `serious` or `grave`: how an alert of this kind starts.
        parameters: by name. fooled_by: innocent things that look alike.
        takes: the kinds of data it reads (for the test that no protected attribute is among them).
    """

    kind: str
    name: str
    version: str
    title: str
    looks_for: str
    seriousness: str
    parameters: Mapping[str, Parameter]
    fooled_by: tuple[str, ...]
    takes: tuple[str, ...]

    def values(self, given: Mapping[str, Any] | None = None) -> dict[str, float]:
        """Each parameter's value: the given one where there is one, else the default.

        Unknown names in `given` are passed over (a zone's properties hold other things too);
        a value that is no number or out of bounds raises BadInput naming the parameter.
        """
        values = {name: p.default for name, p in self.parameters.items()}
        for name, raw in (given or {}).items():
            parameter = self.parameters.get(name)
            if parameter is None:
                continue
            try:
                value = float(raw)
            except (TypeError, ValueError):
                value = float("nan")
            low = parameter.least if parameter.least is not None else float("-inf")
            high = parameter.most if parameter.most is not None else float("inf")
            if not low <= value <= high:
                raise BadInput(
                    f"Parameter {name} of {self.name} got {str(raw)[:40]!r}; it takes a number "
                    f"from {low:g} to {high:g} ({parameter.unit})."
                )
            values[name] = value
        return values


# Every command reads every card as it starts: the safe loader in C, where PyYAML was built with it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SERIOUSNESS = ("notice", "serious", "grave")


def load_card(module_file: str) -> Card:
    """The card beside a detector's module: `load_card(__file__)` reads `<module>.yaml`."""
    path = Path(module_file).with_suffix(".yaml")
    data = yaml.load(path.read_text("utf-8"), Loader=_LOADER)  # noqa: S506 -- a safe one
    try:
        parameters = {
            name: Parameter(
                name=name,
                unit=str(p["unit"]),
                default=float(p["default"]),
                least=p.get("least"),
                most=p.get("most"),
                says=str(p["says"]),
                source=str(p["source"]),
            )
            for name, p in data["parameters"].items()
        }
        card = Card(
            kind=data["kind"],
            name=data["name"],
            version=str(data["version"]),
            title=data["title"],
            looks_for=data["looks_for"].strip(),
            seriousness=data["seriousness"],
            parameters=MappingProxyType(parameters),
            fooled_by=tuple(data["fooled_by"]),
            takes=tuple(data["takes"]),
        )
    except KeyError as missing:
        raise BadInput(f"The card {path.name} has no {missing}.") from None
    if card.seriousness not in SERIOUSNESS:
        raise BadInput(f"The card {path.name} has seriousness {card.seriousness!r}.")
    return card


def card_for(cards: Mapping[str, Card], detector: str, kind: str) -> Card | None:
    """The card of a finding's detector; several detectors may return findings of one kind.

    Args:
        cards: by a detector's name, or by a kind that one detector alone returns.
    """
    return cards.get(detector) or cards.get(kind)
