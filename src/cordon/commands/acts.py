"""What commands do to the node as a whole."""

from cordon.kernel.access.model import Act

ACTS = (
    Act("node.files.check", "Read every kept file back and compare it with its SHA-256."),
    Act("node.backup", "Copy the node's data to another folder."),
    Act("node.officers", "Add or change officers and units from the node's own machine."),
)
