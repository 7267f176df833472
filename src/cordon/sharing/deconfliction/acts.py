"""What can be done with planned acts and their conflicts."""

from cordon.kernel.access.model import Act

ACTS: tuple[Act, ...] = (
    Act("sharing.planned_act.view", "See the agency's own planned acts and their conflicts."),
    Act("sharing.planned_act.add", "Enter a planned act, which other agencies are asked about."),
    Act("sharing.planned_act.change", "Move a planned act, or change whom and what it concerns."),
    Act(
        "sharing.planned_act.check", "Ask other agencies again whether a planned act meets theirs."
    ),
    Act("sharing.planned_act.end", "Cancel a planned act, or say that it is over."),
    Act("sharing.planned_act.go", "Let a planned act begin, once it was checked with everybody."),
    Act(
        "sharing.conflict.find", "Keep that a planned act meets another agency's, and wake a watch."
    ),
    Act("sharing.conflict.own", "Take a conflict upon oneself until it is solved."),
    Act("sharing.conflict.solve", "Say how a conflict was solved with the other agency."),
    Act("sharing.conflict.override", "Go ahead over an open conflict or check, with a reason."),
)
