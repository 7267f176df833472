"""The room of exercises. What others may call:"""

from cordon.exercise.crews.model import Rule
from cordon.exercise.model import Inputs, Truth, World, read_truths, write_truths
from cordon.exercise.score import KindScore, Score, score
from cordon.exercise.service import Exercise, Plan, Run
from cordon.exercise.worlds import world, worlds

__all__ = [
    "Exercise",
    "Inputs",
    "KindScore",
    "Plan",
    "Rule",
    "Run",
    "Score",
    "Truth",
    "World",
    "read_truths",
    "score",
    "world",
    "worlds",
    "write_truths",
]
