"""Lines that a system prints around records are told from records, also where nearly all are."""

from __future__ import annotations

import pytest

from cordon.calls.layouts.lines import is_furniture, without_furniture

RECORD = b"923001234567,923217654321,13/06/2026,10:00:00,65,410-01-3448-59151,352099001761481,OUT\n"
SAYS = [
    "14 rows selected.", "(14 rows)", "Total records: 14", "No. of records : 14", "Records: 14",
    "Grand Total,,,650", "Rows returned: 14", "Signature and seal", "Page 3 of 7", "-----  -----",
    "Nodal Officer, Some Operator,,,Sd/-", '"Certificate u/s 65B of the Act, 1872"',
    "Authorised Signatory", "*** End of Report ***", "This is a system generated report",
]  # fmt: skip
RECORDS = [
    "14,rows,of,names,a,b", "923001234567,0300,1", "Signatures Ltd,923001234567,1",
    "Officer,923001234567", "Page\n923001234567,0300", "Records:\n9230,0300", "2026-06-13,Records",
]  # fmt: skip


@pytest.mark.parametrize("line", SAYS)
def test_what_is_printed_below_a_report(line: str) -> None:
    assert is_furniture(line)


@pytest.mark.parametrize("line", RECORDS)
def test_a_record_is_none(line: str) -> None:
    assert not is_furniture(line)


@pytest.mark.parametrize("line", SAYS)
@pytest.mark.parametrize("begins", [b"", b"Lahore,", b'"'], ids=["digits", "letters", "quotes"])
def test_it_is_emptied_among_records_of_any_kind(line: str, begins: bytes) -> None:
    block = (begins + RECORD) * 300
    given = block + b"\n" + line.encode() + b"\n\n" + block
    assert without_furniture(given) == block + b"\n\n\n" + block
    # where lines end in two characters, too
    given = given.replace(b"\n", b"\r\n")
    assert without_furniture(given).split(b"\n")[301].strip() == b""
    assert without_furniture(given).count(b"\n") == given.count(b"\n")


def test_short_records_are_looked_at_as_long_ones() -> None:
    block = b"0300,0321,65\n" * 3_000
    assert without_furniture(block + b"14 rows selected.\n") == block + b"\n"
    assert without_furniture(block) == block
    assert without_furniture(b"") == b""
