"""Measures: how long it takes from a sensor's first sign to a unit on scene."""
