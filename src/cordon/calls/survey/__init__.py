"""Heavy passes over calls, written once for every engine, and what they leave in memory."""

from cordon.calls.survey.census import Census, count_by_page, count_everybody
from cordon.calls.survey.choosing import engine_over
from cordon.calls.survey.engine import DuckEngine, Engine, Sources
from cordon.calls.survey.near import Near, gather

__all__ = [
    "Census",
    "DuckEngine",
    "Engine",
    "Near",
    "Sources",
    "count_by_page",
    "count_everybody",
    "engine_over",
    "gather",
]
