"""Rings: lines that one fraud works with, gathered from what they share."""
