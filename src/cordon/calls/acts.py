"""What can be done with call records."""

from cordon.kernel.access.model import Act

ACTS = (
    Act("calls.record.import", "Bring in a file of call records under a legal authority."),
    Act("calls.record.search", "Look for patterns over call records under a legal authority."),
    Act("calls.record.view", "Read one call record under a legal authority that covers it."),
    Act("calls.finding.view", "See what detectors found in call records, masked where needed."),
)
