"""Cordon: a shared working system for those who guard a border and a coast."""

__version__ = "0.1.0"
