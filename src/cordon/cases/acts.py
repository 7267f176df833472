"""What can be done in the room of cases."""

from cordon.kernel.access.model import Act

ACTS: tuple[Act, ...] = (
    Act("cases.case.view", "Read a case: its exhibits, their custody, its findings and bundles."),
    Act("cases.case.open", "Open a case, from nothing or from findings and alerts."),
    Act("cases.case.take", "Take a case on and become its lead officer."),
    Act("cases.case.link", "Link a finding or an alert to a case."),
    Act("cases.case.name", "Name an officer on a case, or take the name off again."),
    Act("cases.case.close", "Close a case with a reason, or ask a second officer to."),
    Act("cases.case.countersign", "Agree or disagree, as a second officer, to closing a case."),
    Act("cases.exhibit.add", "Add an exhibit to a case and write down its receipt."),
    Act("cases.exhibit.custody", "Write an entry into an exhibit's chain of custody."),
    Act("cases.bundle.seal", "Seal all that a case holds into a signed bundle for court."),
    Act("cases.bundle.take_out", "Take a sealed bundle out of the node."),
)
