"""Packages that ask others to act against a ring, and what became of them."""

from cordon.money.disruption.acts import ACTS
from cordon.money.disruption.model import Kind, Package, State

__all__ = ["ACTS", "Kind", "Package", "State"]
