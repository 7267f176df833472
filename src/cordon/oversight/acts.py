"""What can be done in the room of oversight. Taking out and verifying the ledger are the
kernel's own acts (`ledger.export`, `ledger.verify`), because commands do them too."""

from cordon.kernel.access.model import Act

ACTS: tuple[Act, ...] = (
    Act(
        "oversight.report.view",
        "See how authorities are used, which leads nobody answered, and why others were closed.",
    ),
    Act("oversight.ledger.view", "Read the ledger's pages and prove an entry of it."),
)
