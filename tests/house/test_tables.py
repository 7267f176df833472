"""Every row knows its agency and its handling mark, or is part of one that does."""

from __future__ import annotations

from cordon import schema
from cordon.kernel.store import Base

schema.load_tables()

PARTS = {
    "alert_escalations",
    "alert_findings",
    "alert_subjects",
    "authority_history",
    "case_links",
    "case_members",
    "custody_events",
    "finding_subjects",
    "lead_looks",
    "money_package_items",
    "money_package_steps",
    "operations_field_fixes",
    "sharing_objects",
    "sharing_planned_act_checks",
    "sharing_planned_act_tokens",
    "sharing_rights",
    "tasking_steps",
}
"""Tables whose rows are parts of another table's row, and so are handled as that one is."""

OF_THE_NODE = {
    "case_counters",
    "event_cursors",
    "ledger_cosigned",
    "ledger_head",
    "ledger_nodes",
    "pseudonyms",
    "sharing_planned_act_parties",
}
"""The node's own machinery: it says nothing of anything. A pseudonym in an address leads to a
page, and the page passes the gate."""


def test_every_row_knows_its_agency_and_its_mark() -> None:
    without = {
        table.name
        for table in Base.metadata.sorted_tables
        if not {"agency", "mark"} <= set(table.columns.keys())
    }
    assert without - OF_THE_NODE <= PARTS, without - OF_THE_NODE - PARTS


def test_a_part_names_what_it_is_part_of() -> None:
    for table in Base.metadata.sorted_tables:
        if table.name in PARTS and {"agency", "mark"} - set(table.columns.keys()):
            assert table.foreign_keys, f"{table.name} points at nothing"


def test_ids_are_global() -> None:
    """An owned row's id is a UUIDv7 as text, under its agency."""
    for table in Base.metadata.sorted_tables:
        if {"agency", "mark", "id"} <= set(table.columns.keys()):
            assert table.columns["id"].type.length == 36, table.name
