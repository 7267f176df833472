"""All acts and all policies of the node, gathered from the kernel, the rooms and the shell."""

from __future__ import annotations

from importlib import import_module
from importlib.resources import files

from cordon.kernel.access.gate import Gate
from cordon.kernel.access.model import Act

PARTS = (
    "cordon.kernel.access",
    "cordon.picture",
    "cordon.calls",
    "cordon.money",
    "cordon.money.disruption",
    "cordon.operations",
    "cordon.cases",
    "cordon.sharing",
    "cordon.sharing.deconfliction",
    "cordon.exercise",
    "cordon.oversight",
    "cordon.commands",
    "cordon.web",
)


def acts(parts: tuple[str, ...] = PARTS) -> tuple[Act, ...]:
    """Every act that a part of the node declares in its `acts.py`."""
    return tuple(act for part in parts for act in import_module(f"{part}.acts").ACTS)


def texts(parts: tuple[str, ...] = PARTS) -> dict[str, str]:
    """The Cedar file of each part, by the part's name."""
    return {part: files(part).joinpath("policy.cedar").read_text("utf-8") for part in parts}


def gate(parts: tuple[str, ...] = PARTS) -> Gate:
    """The gate with the policies as they are installed."""
    return Gate(texts(parts), acts(parts))
