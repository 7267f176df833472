"""Readers of positions as they come: AIS logs, tables, and what tells them apart."""

from cordon.picture.feeds.readers import PositionReader, open_positions

__all__ = ["PositionReader", "open_positions"]
