"""Suspicious-transaction reports in the style of goAML, as XML by a schema that is shipped here."""

from cordon.money.reporting.building import Party, Report, Transaction, report_of, trace_of
from cordon.money.reporting.xml import as_xml

__all__ = ["Party", "Report", "Transaction", "as_xml", "report_of", "trace_of"]
