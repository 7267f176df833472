"""What can be done in the exercise."""

from cordon.kernel.access.model import Act

ACTS = (
    Act("exercise.run.view", "See the exercises that were played here, and how they scored."),
    Act("exercise.run.start", "Play a world with known truth on this node."),
    Act("exercise.run.stop", "Stop an exercise that is playing."),
    Act("exercise.crews.view", "See which units the exercise plays, and how they were dispatched."),
    Act("exercise.crews.play", "Let the exercise play the crews of units."),
    Act("exercise.crews.stop", "Stop the crews that the exercise plays."),
)
