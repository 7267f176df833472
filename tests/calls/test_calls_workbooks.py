"""Workbooks as operators send them: each trap is a workbook made here."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from cordon.calls import workbook, xlsx
from cordon.calls.forms import CELLS, PAYMENTS
from cordon.calls.model import Counts
from cordon.calls.plain import read_plain
from cordon.calls.reading import Reading, read_calls
from cordon.calls.registers import read_register
from cordon.kernel.errors import BadInput

IMEI, IMSI = 353098852648366, 405856140573551
AIRTEL = ("Target No", "Call Type", "B Party No", "Date", "Time", "Dur(s)", "First CGI",
          "Service Type", "IMEI", "IMSI")  # fmt: skip
FIRST = (919702000558, "OUT", 918141122818, date(2024, 8, 15), time(10, 11, 12), 65,
         "404-90-1-2", "Voice", IMEI, IMSI)  # fmt: skip


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    def write(*sheets: Sequence[Sequence[Any]], name: str = "given.xlsx") -> Path:
        book = Workbook()
        book.remove(book.active)
        for number, rows in enumerate(sheets):
            sheet = book.create_sheet(f"919702000558 {number}")
            for row in rows:
                sheet.append(row)
        path = tmp_path / name
        book.save(path)
        return path

    return write


def read(path: Path, region: str = "IN") -> tuple[Reading, list[dict], list[tuple[int, str]]]:
    reading = read_calls(path, region)
    rows, refused = [], []
    for batch in reading:
        rows += batch.table.to_pylist()
        refused += [(r.row, r.reason) for r in batch.refusals]
    return reading, rows, refused


def changed(**given: Any) -> tuple[Any, ...]:
    names = ("target", "type", "other", "date", "time", "dur", "cell", "service", "imei", "imsi")
    return tuple((dict(zip(names, FIRST, strict=True)) | given).values())


def test_a_statement_with_a_preamble_totals_and_typed_cells(put) -> None:
    path = put([
        ["BHARTI AIRTEL LTD"], [], ["Call details of", 919702000558], AIRTEL, FIRST,
        changed(type="IN", time=timedelta(hours=23, minutes=59, seconds=58), dur=time(0, 1, 5)),
        changed(date=datetime(2024, 8, 16), time="00:00:01", imei=str(IMEI)),
        ["Total", None, None, None, None, 131],
    ])  # fmt: skip
    reading, rows, refused = read(path)
    assert (reading.layout, refused) == ("airtel", [])
    assert reading.counts == Counts(3, 3, 0, 0)
    one, two, three = rows
    assert one["start"] == datetime(2024, 8, 15, 4, 41, 12, tzinfo=UTC)
    assert (one["caller"], one["callee"]) == ("+919702000558", "+918141122818")
    assert (one["caller_imei"], one["caller_imsi"]) == (str(IMEI), str(IMSI))
    assert two["start"] == datetime(2024, 8, 15, 18, 29, 58, tzinfo=UTC)
    assert two["duration_s"] == 65.0
    assert three["start"] == datetime(2024, 8, 15, 18, 30, 1, tzinfo=UTC)
    # a row has the number that the sheet shows
    assert [r["row"] for r in rows] == [5, 6, 7]


def test_digits_that_a_spreadsheet_does_not_keep_refuse_the_row(put) -> None:
    path = put([
        AIRTEL, FIRST,
        changed(imei=3530988526483660),  # sixteen digits: the last is a zero whatever it was
        changed(imsi="4.05856E+14"), changed(cell="4.05856E+12"), changed(other=9.1814112e14),
        changed(imei=float(IMEI)),
    ])  # fmt: skip
    _, rows, refused = read(path)
    assert [r["row"] for r in rows] == [2, 6, 7]
    assert rows[2]["caller_imei"] == str(IMEI)
    assert [(n, why.split(":")[0]) for n, why in refused] == [
        (3, "caller_imei is in scientific notation"),
        (4, "caller_imsi is in scientific notation"),
        (5, "caller_cell is in scientific notation"),
    ]


def test_sheets_are_read_one_after_another(put) -> None:
    path = put(
        [["summary"], ["nothing", "here"]],
        [AIRTEL, FIRST],
        [["Airtel"], AIRTEL, changed(dur=7), changed(dur=8, date="no date")],
    )
    reading, rows, refused = read(path)
    assert [r["duration_s"] for r in rows] == [65.0, 7.0]
    beyond = workbook.ROWS_OF_A_SHEET
    assert [r["row"] for r in rows] == [beyond + 2, 2 * beyond + 3]
    assert refused == [
        (2 * beyond + 4, "its date or time cannot be read (sheet 3, row 4)"),
    ]
    assert reading.notes == ["Sheet 1 of given.xlsx has no known layout."]


def test_dates_of_which_a_spreadsheet_read_some_in_its_own_order(put) -> None:
    path = put([AIRTEL, changed(date=date(2024, 5, 4)), changed(date="25/04/2024")])
    with pytest.raises(BadInput, match="some are dates and others text"):
        read(path)
    # where none of the typed ones can have been turned around, nothing is in doubt
    _, rows, _ = read(put([AIRTEL, changed(date=date(2024, 4, 24)), changed(date="25/04/2024")]))
    assert [r["start"].day for r in rows] == [24, 25]


def test_cells_merged_downwards_hold_for_every_row(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["Statement"])
    sheet.merge_cells("A1:J1")
    sheet.append(AIRTEL)
    for at in range(4):
        sheet.append(changed(dur=at))
    sheet.merge_cells("D3:D5")
    path = tmp_path / "merged.xlsx"
    book.save(path)
    _, rows, refused = read(path)
    assert refused == []
    assert [r["start"].day for r in rows] == [15] * 4


def test_the_plain_formats_and_a_register(put) -> None:
    at = datetime(2026, 1, 17, 8, 30)
    calls = put([["start", "kind", "caller", "callee"], [at, "voice", 923001234567, 3217654321],
                 ["17/01/2026 08:30", "voice", 923001234567, 3217654321]])  # fmt: skip
    reading, rows, refused = read(calls, "PK")
    assert reading.layout == "cordon"
    assert rows[0]["start"] == at.replace(tzinfo=UTC)
    assert refused == [(3, "start is no RFC 3339 time with its zone")]
    head = ["payment_id", "at", "from_account", "to_account", "amount", "currency"]
    path = put([head, ["p1", at, "A", "B", 0.1, "PKR"]], [head, ["p1", at, "A", "B", 0.1, "PKR"]],
               [["what else"]])  # fmt: skip
    plain = read_plain(path, PAYMENTS)
    assert plain.counts == Counts(2, 1, 1, 0)
    assert str(plain.table["amount"][0].as_py().normalize()) == "0.1"
    assert plain.notes == {
        "sheet 3 has other columns": 1,
        "at names no zone; the country's own was taken": 2,
    }
    assert plain.table["at"][0].as_py() == at.replace(hour=3, tzinfo=UTC)  # 08:30 in Karachi
    path = put([head, ["p1", at, 12345678901234567, "1.2E+16", 1, "PKR"],
                ["p2", at, "B", "12E34", 1, "PKR"]])  # fmt: skip
    plain = read_plain(path, PAYMENTS)
    assert [(r.row, r.reason.split(":")[0]) for r in plain.refusals] == [
        (2, "from_account is in scientific notation")
    ]
    path = put([[], ["cell", "lat", "lon"], ["K1", 24.5, 67.25], ["K2", 95, 67]])
    plain = read_plain(path, CELLS)
    assert (plain.table["row"].to_pylist(), plain.table["lat"].to_pylist()) == ([3], [24.5])
    assert [(r.row, r.reason) for r in plain.refusals] == [(4, "lat is more than 90")]
    register = read_register(put([["number", "kind"], [923001234567, "business"]]))
    assert register.holders == {"+923001234567": "business"}


def test_a_workbook_that_holds_nothing_known(put) -> None:
    with pytest.raises(BadInput, match=r"no column start, kind, caller, callee"):
        read(put([["a", "b", "c"], [1, 2, 3]]))
    with pytest.raises(BadInput, match="is empty"):
        read(put([]))


def test_what_is_no_workbook_says_what_to_do(tmp_path: Path, put) -> None:
    def given(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    def archive(name: str, *members: str, text: str = "x") -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w") as out:
            for member in members:
                out.writestr(member, text)
        return path

    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    for path, says in (
        (given("a.xls", ole), r"old Excel workbook.*save it as \.xlsx"),
        (given("b.xlsx", ole + "EncryptedPackage".encode("utf-16-le")), "locked with a password"),
        (archive("c.xlsb", "xl/workbook.bin"), "binary workbook"),
        (archive("d.ods", "content.xml"), "OpenDocument"),
        (archive("e.zip", "june.csv"), "zip archive.*Unpack it"),
        (archive("f.xlsx", "xl/workbook.xml"), "looks like a workbook and cannot be read"),
        (
            archive(
                "g.xlsx",
                "xl/workbook.xml",
                "xl/_rels/workbook.xml.rels",
                text='<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
            ),
            "entities",
        ),
    ):
        with pytest.raises(BadInput, match=says):
            read(path)
    whole = put([AIRTEL, FIRST])
    with pytest.raises(BadInput, match="cut short or damaged"):
        read(given("h.xlsx", whole.read_bytes()[:-40]))


def test_one_that_unpacks_to_more_than_can_be_meant(put, monkeypatch) -> None:
    path = put([AIRTEL, *[FIRST] * 500])
    monkeypatch.setattr(workbook, "MOST_UNPACKED", 20_000)
    with pytest.raises(BadInput, match="unpacks to more"):
        read(path)


def test_a_small_one_that_unpacks_to_very_much(tmp_path: Path) -> None:
    sheet = '<x:row r="1"><x:c r="A1" t="inlineStr"><x:is><x:t>{}</x:t></x:is></x:c></x:row>'
    path = by_hand(tmp_path / "one.xlsx", sheet.format("A" * (workbook.BIG_PART + 1)), [])
    with pytest.raises(
        BadInput, match=r"one.xlsx is small .*/one.xml from 0\.\d to 5\d MB"
    ) as wrong:
        read(path)
    assert "Ask the sender" in wrong.value.advice


@pytest.mark.parametrize("shared", [False, True])
def test_a_text_longer_than_a_cell_takes(shared: bool, tmp_path: Path) -> None:
    def given(long: int) -> Path:
        text = f"<x:t>{'A' * long}</x:t>"
        cell = "<x:v>1</x:v>" if shared else f"<x:is>{text}</x:is>"
        kind = "s" if shared else "inlineStr"
        sheet = f'<x:row r="1"/><x:row r="2"><x:c r="C2" t="{kind}">{cell}</x:c></x:row>'
        texts = f"<x:si>{text}</x:si>" if shared else ""
        return by_hand(tmp_path / "two.xlsx", sheet, [], texts=texts)

    assert [len(line) for line in lines_of(given(xlsx.MOST_CHARACTERS))] == [0, 32_769]
    where = "in its shared texts, number 2" if shared else "in sheet 1, row 2, column 3"
    with pytest.raises(BadInput, match=f"two.xlsx holds more .*{where}: a text of more") as wrong:
        read(given(xlsx.MOST_CHARACTERS + 1))
    assert "Ask the sender" in wrong.value.advice


def test_more_shared_texts_than_are_kept(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_SHARED", 3)
    sheet = '<x:row r="1"><x:c r="A1" t="s"><x:v>0</x:v></x:c></x:row>'
    with pytest.raises(BadInput, match="in its shared texts: more than 3"):
        read(by_hand(tmp_path / "three.xlsx", sheet, [], texts="<x:si><x:t>A</x:t></x:si>" * 3))


def test_an_honest_sheet_of_repeated_rows_is_read(tmp_path: Path, monkeypatch) -> None:
    """As well packed as real ones are: it must unpack to less than is refused."""
    monkeypatch.setattr(workbook, "BIG_PART", 100_000)
    rows = [AIRTEL, *(changed(dur=n % 90, other=918141122800 + n % 50) for n in range(5000))]
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(row)
    book.save(tmp_path / "honest.xlsx")
    assert len(read(tmp_path / "honest.xlsx")[1]) == 5000


def test_rows_keep_their_numbers_over_blocks_and_gaps(put, monkeypatch) -> None:
    monkeypatch.setattr(workbook, "_BLOCK_ROWS", 7)
    monkeypatch.setattr(workbook, "_LOOK", 3)
    rows = [changed(dur=n) if n % 5 else [] for n in range(4, 60)]
    _, found, refused = read(put([[], [], AIRTEL, *rows]))
    assert refused == []
    assert [(r["row"], r["duration_s"]) for r in found] == [(n, n) for n in range(4, 60) if n % 5]


def by_hand(
    path: Path, sheet: str, formats: Sequence[str], *, since_1904: bool = False, texts: str = ""
) -> Path:
    """A workbook as another program writes it: with prefixes, and targets from the root."""
    types = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "xl/_rels/workbook.xml.rels": f'<Relationships><Relationship Id="r1" '
        f'Type="{types}/worksheet" Target="/xl/worksheets/one.xml"/></Relationships>',
        "xl/workbook.xml": f'<x:workbook xmlns:x="m" xmlns:q="{types}"><x:workbookPr '
        f'date1904="{int(since_1904)}"/><x:sheets><x:sheet name="s" sheetId="1" q:id="r1"/>'
        "</x:sheets></x:workbook>",
        "xl/styles.xml": "<x:styleSheet xmlns:x='m'><x:numFmts>"
        + "".join(
            f"<x:numFmt numFmtId='{200 + n}' formatCode='{f}'/>" for n, f in enumerate(formats)
        )
        + "</x:numFmts><x:cellStyleXfs><x:xf numFmtId='14'/></x:cellStyleXfs><x:cellXfs>"
        + "".join(f"<x:xf numFmtId='{200 + n}'/>" for n in range(len(formats)))
        + "</x:cellXfs></x:styleSheet>",
        "xl/sharedStrings.xml": "<x:sst xmlns:x='m'><x:si><x:r><x:t>ab</x:t></x:r><x:rPh><x:t>no"
        f"</x:t></x:rPh><x:r><x:t>c&amp;d</x:t></x:r></x:si>{texts}</x:sst>",
        "xl/worksheets/one.xml": f"<x:worksheet xmlns:x='m'><x:sheetData>{sheet}</x:sheetData>"
        "</x:worksheet>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, text in parts.items():
            out.writestr(name, text)
    return path


def lines_of(path: Path) -> list[str]:
    blocks = list(workbook.Workbook(path).blocks())
    return b"".join(b.text for b in blocks).decode().splitlines()


@pytest.mark.parametrize(
    ("code", "number", "text"),
    [("General", "45519", "45519"), ("d/m/yyyy", "45519", "2024-08-15"),
     ("d/m/yyyy", "45519.4244444444", "2024-08-15 10:11:12"),
     ("[$-409]d-mmm-yy;@", "45519", "2024-08-15"),
     ("yyyy-mm-dd hh:mm:ss", "45519", "2024-08-15 00:00:00"),
     ("h:mm:ss AM/PM", "0.4244444444", "10:11:12"), ("[h]:mm:ss", "1.5", "36:00:00"),
     ("#,##0.00_);[Red]", "1234.5", "1234.5"), ("0", "353098852648366", "353098852648366"),
     ("0", "3.53098852648366E+14", "353098852648366"),
     ("0", "3530988526483660", "3.53098852648366E+15"), ("0", "-1", "-1")],
)  # fmt: skip
def test_a_number_is_what_its_format_shows(tmp_path, code: str, number: str, text: str) -> None:
    row = f"<x:row r='2'><x:c r='B2' s='0'><x:v>{number}</x:v></x:c></x:row>"
    assert lines_of(by_hand(tmp_path / "x.xlsx", row, [code])) == ["", f",{text}"]


def test_cells_of_every_kind_in_another_programs_hand(tmp_path: Path) -> None:
    row = (
        "<x:row><x:c t='s'><x:v>0</x:v></x:c><x:c t='b'><x:v>1</x:v></x:c>"
        "<x:c t='e'><x:v>#N/A</x:v></x:c><x:c t='d'><x:v>2024-08-15T10:11:12</x:v></x:c>"
        "<x:c t='inlineStr'><x:is><x:t>a\nb</x:t></x:is></x:c><x:c/>"
        "<x:c t='str'><x:f>A1</x:f><x:v> x </x:v></x:c></x:row>"
    )
    path = by_hand(tmp_path / "x.xlsx", row, ["0"])
    assert lines_of(path) == ["abc&d,TRUE,,2024-08-15 10:11:12,a b,,x"]
    days = "<x:row><x:c s='0'><x:v>44057</x:v></x:c></x:row>"
    path = by_hand(tmp_path / "y.xlsx", days, ["d/m/yyyy"], since_1904=True)
    assert lines_of(path) == ["2024-08-15"]
