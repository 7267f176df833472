"""What can be done with payments on a node."""

from cordon.kernel.access.model import Act

ACTS = (
    Act("money.record.import", "Bring in a file of payments under a legal authority."),
    Act("money.record.search", "Look for patterns over payments under a legal authority."),
    Act("money.record.view", "Read one payment under a legal authority that covers it."),
    Act("money.account.view", "See what payments say of an account, by an authority."),
    Act("money.trace.make", "Follow money through payments under a legal authority."),
    Act("money.trace.view", "See where money went and came from, masked where needed."),
    Act("money.finding.view", "See what detectors found in payments, masked where needed."),
)
