"""Values to PDF by the templates of `money/printed/`; how it is done stands in the kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cordon.kernel import printing


def pdf(template: str, values: Mapping[str, Any]) -> bytes:
    """The PDF of a template of `money/printed/` with these values (JSON's types)."""
    return printing.pdf("cordon.money", template, values)


def png(template: str, values: Mapping[str, Any], *, ppi: int = 96) -> list[bytes]:
    """Its pages as pictures, for whoever wants to look at them."""
    return printing.png("cordon.money", template, values, ppi=ppi)
