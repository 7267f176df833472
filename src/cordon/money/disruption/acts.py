"""What can be done about a ring and its money."""

from cordon.kernel.access.model import Act

ACTS = (
    Act("money.package.view", "See packages and how far they have come, masked where needed."),
    Act(
        "money.package.draft", "Draft a package under a legal authority that covers what it names."
    ),
    Act("money.package.approve", "Approve, as a second officer, a package that another drafted."),
    Act("money.package.send", "Send an approved package; from then on it cannot be changed."),
    Act("money.package.answer", "Write down what the addressee answered, and that it is done."),
    Act("money.package.withdraw", "Withdraw a package that was not sent."),
    Act("money.package.export", "Take a package out as PDF, JSON or CSV."),
    Act("money.effect.view", "See what came back after disruptions; it names nobody."),
    Act("money.effect.count", "Count what came back after a disruption, under its authority."),
    Act("money.recovery.view", "See what may be returned to victims, masked where needed."),
    Act("money.recovery.count", "Work out what may be returned to victims, under an authority."),
    Act("money.recovery.export", "Take out letters to banks and notices to victims."),
)
