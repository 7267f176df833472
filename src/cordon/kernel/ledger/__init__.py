"""The ledger: an append-only record of who did what, on what, under which authority."""

from cordon.kernel.ledger.audit import verify_rows
from cordon.kernel.ledger.export import export, export_slice
from cordon.kernel.ledger.keys import load_key
from cordon.kernel.ledger.log import Ledger
from cordon.kernel.ledger.model import Entry, NewEntry
from cordon.kernel.ledger.notes import Verifier
from cordon.kernel.ledger.report import Problem, Report
from cordon.kernel.ledger.verify import verify_export

__all__ = [
    "Entry",
    "Ledger",
    "NewEntry",
    "Problem",
    "Report",
    "Verifier",
    "export",
    "export_slice",
    "load_key",
    "verify_export",
    "verify_rows",
]
