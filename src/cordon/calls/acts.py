"""What can be done with call records."""

from cordon.kernel.access.model import Act

ACTS = (
    Act("calls.record.import", "Bring in a file of call records under a legal authority."),
    Act("calls.record.search", "Look for patterns over call records under a legal authority."),
    Act("calls.record.view", "Read one call record under a legal authority that covers it."),
    Act("calls.ring.view", "See rings that searches found and what became of them."),
    Act("calls.profile.view", "See what calls say of a number, handset or cell, by an authority."),
    Act("calls.layout.view", "See by which layouts operators' files are read."),
    Act("calls.layout.change", "Learn a layout from a file, keep it, or take it out again."),
    Act("calls.finding.view", "See what detectors found in call records, masked where needed."),
)
