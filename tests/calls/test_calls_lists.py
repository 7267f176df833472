"""Operators' own lists beside the calls: each a file made here, read as its plain format is."""

from __future__ import annotations

import io
import math
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from cordon.calls import attached, beside, find, forms, merging
from cordon.calls.lists import all_headings
from cordon.calls.lists.values import degrees
from cordon.calls.plain import Plain, read_plain
from cordon.calls.reading import read_calls
from cordon.calls.registers import read_register
from cordon.calls.sniffing import kind_of
from cordon.kernel.errors import BadInput
from support.ringed import ringed

FORMS = {form.name: form for form in forms.FORMS}
CELLS = (
    "Bharti Cellular Ltd\nList of sites as on 01/06/2024\n\n"
    "Sr No,CGI,Site Name,Site Address,Latitude,Longitude,Azimuth,Beam Width,Range (KM)\n"
    '1,404-45-1023-20481,DL001,"Sector 18, Noida",28.61,77.20,120,65,0.8\n'
    "2,'404-45-1023-20482',DL001,Noida,\"28°36'36\"\"N\",77°12'E,Omni,0,\n"
    "Total Records: 2\n"
)
IPDR = (
    "Landline/MSISDN/MDN/Leased Circuit ID for Internet Access,User ID,Source IP Address,"
    "Source Port,Translated IP Address,Translated Port,Destination IP Address,Destination Port,"
    "IST Start Time of Public IP address allocation (hh:mm:ss),"
    "IST End Time of Public IP address allocation (hh:mm:ss),"
    "Start Date of Public IP Address allocation(dd/mm/yyyy),"
    "End Date of Public IP Address allocation(dd/mm/yyyy),IMEI,IMSI,First Cell ID,"
    "Session Duration,Data Volume Up Link (KB),Data Volume Down Link (KB)\n"
)
FLOW = (
    "919812345678,u1,10.1.2.3,40000,106.1.2.3,50000,142.250.1.1,443,{start},{end},{day},{last},"
    "352099001761481,404450001000077,404-45-1-2,300,1,2.5\n"
)


def put(tmp_path: Path, text: str | bytes, name: str = "list.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path: Path, kind: str, region: str = "IN", dates: str = "") -> Plain:
    return read_plain(path, FORMS[kind], region, dates=dates)


def flow(start: str, end: str, day: str, last: str = "") -> str:
    return FLOW.format(start=start, end=end, day=day, last=last or day)


def test_a_list_of_cells(tmp_path: Path) -> None:
    told = read(put(tmp_path, CELLS), "cells")
    assert told.table.to_pylist() == [
        {"row": 4, "cell": "404-45-1023-20481", "lat": 28.61, "lon": 77.2, "azimuth_deg": 120.0,
         "beamwidth_deg": 65.0, "range_m": 800.0},
        {"row": 5, "cell": "404-45-1023-20482", "lat": 28.61, "lon": 77.2, "azimuth_deg": None,
         "beamwidth_deg": None, "range_m": None},
    ]  # fmt: skip
    assert told.notes == {
        "azimuth_deg was left out: it is no number, or out of bounds": 1,
        "beamwidth_deg was left out: it is no number, or out of bounds": 1,
    }


@pytest.mark.parametrize(
    ("header", "row", "cell"),
    [
        ("MCC,MNC,LAC,CI", "410,3,1023,20481", "410-03-1023-20481"),
        ("PLMN,TAC,CI", "41003,1023,20481", "410-03-1023-20481"),
        ("PLMN,TAC,ECI", "41003,1023,5242881", "410-03-5242881"),  # one in its whole network
        ("MCC,MNC,ECI", "410,3,5242881", "410-03-5242881"),
        ("LAC,Cell ID", "1023,20481", "1023-20481"),
        ("LAC,CGI", "1023,410-03-1023-20481", "410-03-1023-20481"),
    ],
)
def test_a_cell_whose_identity_stands_in_several_columns(
    tmp_path: Path, header: str, row: str, cell: str
) -> None:
    text = f"{header},Lat/Long\n{row},31.52/74.35\n"
    (one,) = read(put(tmp_path, text), "cells", "PK").table.to_pylist()
    assert (one["cell"], one["lat"], one["lon"]) == (cell, 31.52, 74.35)


def test_a_cell_that_lies_nowhere_is_refused_by_its_line(tmp_path: Path) -> None:
    text = CELLS.replace("28.61,77.20", "95,77.20")
    told = read(put(tmp_path, text), "cells")
    assert [(r.row, r.reason) for r in told.refusals] == [(4, "lat is more than 90")]
    assert len(told.table) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_encodings_and_signs(tmp_path: Path, encoding: str, sign: str) -> None:
    plain = CELLS.replace('"Sector 18, Noida"', "Noida")
    text = plain.replace(",", sign).replace("\n", "\r\n")
    told = read(put(tmp_path, text.encode(encoding)), "cells")
    assert told.table["cell"].to_pylist() == ["404-45-1023-20481", "404-45-1023-20482"]


def test_pages_that_repeat_the_header(tmp_path: Path) -> None:
    head = CELLS.split("\n")[3]
    rows = [f"{n},410-03-1-{n},S{n},,31.{n},74.{n},10,65,1" for n in range(1, 7)]
    page = "Page 2 of 2\n" + head + "\n"
    text = head + "\n" + "\n".join(rows[:3]) + "\n" + page + "\n".join(rows[3:]) + "\n"
    told = read(put(tmp_path, text), "cells")
    assert told.table["row"].to_pylist() == [1, 2, 3, 6, 7, 8]
    assert not told.refusals


def test_a_workbook_of_cells_with_a_title(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["Cell sites"])
    sheet.append(["ECGI", "Latitude", "Longitude", "Azimuth (deg)"])
    sheet.append(["410-03-70001", 31.5, 74.3, 240])
    path = tmp_path / "cells.xlsx"
    book.save(path)
    (one,) = read(path, "cells", "PK").table.to_pylist()
    assert (one["cell"], one["lat"], one["azimuth_deg"]) == ("410-03-70001", 31.5, 240.0)


def test_internet_records_by_the_clock_that_the_heading_names(tmp_path: Path) -> None:
    text = IPDR + flow("10:00:00", "10:05:00", "05/06/2024")
    (one,) = read(put(tmp_path, text), "sessions", "PK").table.to_pylist()
    assert one == {
        "row": 1, "start": datetime(2024, 6, 5, 4, 30, tzinfo=UTC),
        "end": datetime(2024, 6, 5, 4, 35, tzinfo=UTC), "number": "+919812345678",
        "imsi": "404450001000077", "imei": "352099001761481", "cell": "404-45-1-2",
        "public_ip": "106.1.2.3", "public_port": 50000, "remote_ip": "142.250.1.1",
        "remote_port": 443, "protocol": None, "bytes_up": 1024, "bytes_down": 2560,
    }  # fmt: skip


def test_rows_of_internet_records_that_are_none(tmp_path: Path) -> None:
    text = (
        IPDR
        + flow("10:00:00", "10:05:00", "25/06/2024")
        + flow("25:00:00", "10:05:00", "25/06/2024")
        + flow("10:00:00", "", "25/06/2024")
        + flow("10:00:00", "09:00:00", "25/06/2024")
        + flow("10:00:00", "10:05:00", "25/06/2024").replace("142.250.1.1", "999.1.1.1")
    )
    told = read(put(tmp_path, text), "sessions")
    assert told.table["row"].to_pylist() == [1]
    assert [(r.row, r.reason) for r in told.refusals] == [
        (2, "start is no date and time"),
        (3, "end is no date and time"),
        (4, "end lies before start"),
        (5, "remote_ip is no address"),
    ]
    assert told.counts.read == 5


@pytest.mark.parametrize(
    ("header", "row", "lasts_s"),
    [
        ("MSISDN,Dest IP,Start Time,End Time", "{n},1.1.1.1,{a},2024-06-25 23:59:30", 30),
        ("MSISDN,Dest IP,Start Time,Duration", "{n},1.1.1.1,{a},0:02:05", 125),
        ("MSISDN,Dest IP,Start Time", "{n},1.1.1.1,{a}", 0),
        ("MSISDN,Dest IP,Start Date,Start Time,End Time",
         "{n},1.1.1.1,2024-06-25,23:59:00,00:01:00", 120),
    ],
)  # fmt: skip
def test_when_a_session_ended(tmp_path: Path, header: str, row: str, lasts_s: int) -> None:
    text = f"{header}\n{row.format(n='03001234567', a='2024-06-25 23:59:00')}\n"
    told = read(put(tmp_path, text), "sessions", "PK")
    (one,) = told.table.to_pylist()
    assert one["start"] == datetime(2024, 6, 25, 18, 59, tzinfo=UTC)  # by the clock of Karachi
    assert (one["end"] - one["start"]).total_seconds() == lasts_s
    assert told.notes == {"its times name no zone; the clock of Asia/Karachi was taken": 1}


@pytest.mark.parametrize(
    ("own", "translated", "seen"),
    [("39.40.1.1", "", "39.40.1.1"), ("10.1.1.1", "", None), ("39.40.1.1", "1.2.3.4", "1.2.3.4")],
)
def test_which_address_the_outside_saw(
    tmp_path: Path, own: str, translated: str, seen: str | None
) -> None:
    text = (
        "MSISDN,Start Time,Source IP,Source Port,NAT IP,NAT Port,Destination IP\n"
        f"03001234567,2024-06-25 10:00:00,{own},1111,{translated},2222,8.8.8.8\n"
    )
    (one,) = read(put(tmp_path, text), "sessions", "PK").table.to_pylist()
    assert one["public_ip"] == seen


def test_a_time_that_the_clocks_showed_twice_is_refused(tmp_path: Path) -> None:
    text = "MSISDN,Start Time,Destination IP\n" + "".join(
        f"+4915112345678,2024-10-{day} 02:30:00,8.8.8.8\n" for day in (26, 27, 28)
    )
    told = read(put(tmp_path, text), "sessions", "DE")
    assert [r.row for r in told.refusals] == [2]
    assert "clocks were changed" in told.refusals[0].reason


ORDERS = "MSISDN,Start Time,Destination IP\n{}"


def days(*texts: str) -> str:
    return ORDERS.format("".join(f"03001234567,{t} 10:00:00,8.8.8.8\n" for t in texts))


def test_the_order_of_day_and_month_is_told_by_all_dates(tmp_path: Path) -> None:
    told = read(put(tmp_path, days("05/06/2024", "06/13/2024")), "sessions", "PK")
    assert [d.date() for d in told.table["start"].to_pylist()] == [
        date(2024, 5, 6), date(2024, 6, 13)
    ]  # fmt: skip


def test_the_order_is_a_country_s_own_where_no_date_tells(tmp_path: Path) -> None:
    path = put(tmp_path, days("05/06/2024"))
    for region, dates, month in (("PK", "", 6), ("US", "", 5), ("PK", "month-first", 5)):
        told = read(path, "sessions", region, dates)
        assert told.table["start"][0].as_py().month == month
        said = any("first was taken, as is usual" in note for note in told.notes)
        assert said is (not dates)


@pytest.mark.parametrize(
    ("text", "region", "dates", "says"),
    [
        (days("13/06/2024", "06/13/2024"), "PK", "", "written in one way"),
        (days("05/06/2024"), "CA", "", "say so with the file"),
        (days("13/06/2024"), "PK", "month-first", "unsaid"),
    ],
)
def test_an_order_that_cannot_be_told(
    tmp_path: Path, text: str, region: str, dates: str, says: str
) -> None:
    with pytest.raises(BadInput) as wrong:
        read(put(tmp_path, text), "sessions", region, dates)
    assert says in str(wrong.value.advice)


REGISTER = (
    "Vodafone Idea\nMSISDN,Name,Father Name,Address,Activation Date,Customer Type,ID Type,ID No\n"
    "9812345678,Ram,Shyam,Delhi,15/06/2020,Individual,Aadhaar,1234\n"
    "9812345679,Sita Telecalling,,Noida,not known,Telemarketer,PAN,ABC\n"
    ",Bad,,,15/06/2020,Individual,,\n"
)


def test_a_list_of_subscribers(tmp_path: Path) -> None:
    told = read_register(put(tmp_path, REGISTER), "IN")
    assert told.holders == {"+919812345678": "person", "+919812345679": "registered_call_centre"}
    assert told.activated == {"+919812345678": (date(2020, 6, 15) - date(1970, 1, 1)).days}
    assert [r.row for r in told.refusals] == [4]
    assert told.notes == {"activated was left out: it is no date": 1}
    assert told.counts.read == 3


def test_names_and_documents_of_subscribers_are_never_taken_out_of_a_list(tmp_path: Path) -> None:
    from cordon.calls.lists import listing

    told = listing(put(tmp_path, REGISTER), "subscribers", ("number",), "IN")
    assert told is not None
    for table, _, odd in told.parts():
        text = str(table.to_pylist()) + str(odd)
        assert not [name for name in ("Ram", "Shyam", "Delhi", "1234'", "Sita") if name in text]
        assert table.column_names == ["activated", "kind", "number"]


def test_a_list_of_complaints(tmp_path: Path) -> None:
    text = (
        "Acknowledgement No,Complaint Date,Incident Date,Complainant Mobile No,Suspect Mobile No,"
        "Beneficiary Account No,Amount Lost,Brief Facts\n"
        'A-1,25/06/2024 14:30,24/06/2024,9812345678,9123456789,00123456,"Rs. 5,00,000/-",Told it\n'
    )
    (one,) = read(put(tmp_path, text), "complaints").table.to_pylist()
    assert one["received"] == datetime(2024, 6, 25, 9, tzinfo=UTC)
    assert one["occurred"] == datetime(2024, 6, 24, tzinfo=UTC)  # a day alone stays that day
    assert one["victim_number"] == "+919812345678"
    assert one["suspect_number"] == "+919123456789"
    assert one["suspect_account"] == "00123456"
    assert float(one["loss_amount"]) == 500000


AIRTEL = (
    "Target No,Call Type,B Party No,Date,Time,Dur(s),First CGI Lat/Long,First CGI,IMEI,IMSI\n"
    "9197,OUT,9181,15/08/2024,10:11:12,65,28.6/77.2,404-90-1-2,353098852648366,405856140573551\n"
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (CELLS, "cells"),
        (IPDR + flow("10:00:00", "10:05:00", "05/06/2024"), "sessions"),
        (REGISTER, "subscribers"),
        ("FIR No,FIR Date,Accused Mobile\n1,2024-06-25,03001234567\n", "complaints"),
        (AIRTEL, "calls"),
        ("start,kind,caller,callee\n", "calls"),
        ("cell,lat,lon\n1,2,3\n", "cells"),
        ("A Number,B Number,Call Type,Duration,LAC,Cell ID,Latitude,Longitude\n", "calls"),
        ("Invoice No,Date,Amount\n1,2024-06-25,5\n", "calls"),
    ],
)  # fmt: skip
def test_what_a_file_holds_is_told_by_its_headings(tmp_path: Path, text: str, kind: str) -> None:
    assert kind_of(put(tmp_path, text)) == kind


def test_a_list_that_is_given_as_calls_is_told_what_it_is(tmp_path: Path) -> None:
    path = put(tmp_path, IPDR + flow("10:00:00", "10:05:00", "05/06/2024"))
    with pytest.raises(BadInput, match=r"holds no calls: .* a list of sessions") as wrong:
        list(read_calls(path))
    assert "--kind sessions" in str(wrong.value.advice)


def test_no_heading_names_two_fields_of_one_list() -> None:
    for one in all_headings().values():
        times = [n for n in one.columns if n.endswith(("_time", "_date"))]
        plain = {n: some for n, some in one.columns.items() if n not in times}
        every = [heading for some in plain.values() for heading in some]
        assert len(every) == len(set(every)), one.form
        assert not one.never & set(every)
        assert all(n in one.columns for some in one.needs for n in some if not n.endswith("_date"))


@given(st.floats(-89.9, 89.9))
def test_degrees_minutes_and_seconds(value: float) -> None:
    whole = math.floor(abs(value))
    minutes = math.floor((abs(value) - whole) * 60)
    seconds = ((abs(value) - whole) * 60 - minutes) * 60
    if seconds >= 59.9995:
        return
    text = f"{whole}°{minutes}'{seconds:.3f}\"{'S' if value < 0 else 'N'}"
    assert float(degrees(text) or "nan") == pytest.approx(value, abs=1e-6)
    assert float(degrees(f"{value:.7f}") or "nan") == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("text", ["unknown", "28°75'N", "1 2 3 4", "N28E77"])
def test_what_is_no_degree_stays_and_is_refused(text: str) -> None:
    assert degrees(text) == text


def test_a_search_takes_operators_lists_as_it_takes_plain_ones(tmp_path: Path) -> None:
    rows = "".join(
        f"2026-03-0{1 + n % 5}T{6 + n % 8:02d}:{n % 60:02d}:00Z,40,voice,03451110001,"
        f"0300{1000000 + n},410-03-1-7\n"
        for n in range(400)
    )
    calls = put(tmp_path, "start,duration_s,kind,caller,callee,caller_cell\n" + rows, "calls.csv")
    plain = put(tmp_path, "cell,lat,lon\n410-03-1-7,31.5,74.3\n", "plain.csv")
    theirs = put(tmp_path, "CGI,Site,Latitude,Longitude\n410-03-1-7,Mall Road,31.5,74.3\n")
    exempt = put(tmp_path, "number,kind\n03451110001,registered_call_centre\n", "register.csv")
    caf = put(
        tmp_path, "MSISDN,Customer Name,Customer Type\n03451110001,Firm,Call Centre\n", "caf.csv"
    )
    one, other = find([calls], exempt, cells=plain), find([calls], caf, cells=theirs)
    assert one.findings == other.findings
    assert one.left_out == other.left_out
    assert any("exempt" in said for said in one.left_out)


def test_lists_are_brought_into_a_node_and_used_there(site, noon) -> None:
    ringed(site, noon)
    room = site.node.calls
    actor = site.node.authorities.under(site.actor("inv"), "WR-P")
    for kind, text in (("cells", CELLS), ("sessions", IPDR + flow("1:00", "1:05", "13/06/2024"))):
        job = room.ask_import(actor, io.BytesIO(text.encode()), "list.csv", kind=kind)
        told = site.node.run_job(job, lambda _d, _t: None)
        assert told.state == "done"
        assert told.report["refusals"] == []
    assert (
        room.ask_import(actor, io.BytesIO(REGISTER.encode()), "caf.csv", kind="subscribers") == ""
    )
    with room.kernel.view(actor) as view:
        files = beside.stored(view, actor.authority)
        paths = attached.segments(view, FORMS["cells"], actor.authority, files["cells"])
        place = attached.position(room.kernel.columns, paths, "404-45-1023-20481")
    assert (place.lat, place.lon, place.range_m) == (28.61, 77.2, 800.0)
    assert {kind for kind in files if kind in ("cells", "sessions", "subscribers")} == {
        "cells", "sessions", "subscribers"
    }  # fmt: skip


def test_a_file_that_cannot_be_read_is_told_what_was_expected(tmp_path: Path) -> None:
    path = put(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 64, "cells.xls")
    for reads in (lambda: read(path, "cells"), lambda: read_register(path)):
        with pytest.raises(BadInput, match="old Excel workbook") as wrong:
            reads()
        assert "save it as" in str(wrong.value.advice)
    path = put(tmp_path, b"PK\x03\x04 cut", "cells.xlsx")
    for reads, wanted in ((lambda: read(path, "cells"), "cell, lat, lon"), (
        lambda: read_register(path), "number and kind"
    )):  # fmt: skip
        with pytest.raises(BadInput) as wrong:
            reads()
        assert wanted in str(wrong.value.advice)


def test_what_was_said_of_dates_holds_for_later_searches_on_a_node(site, noon) -> None:
    ringed(site, noon)
    room = site.node.calls
    actor = site.node.authorities.under(site.actor("inv"), "WR-P")
    report = "FIR No,FIR Date,Accused Mobile\n1,05/06/2024,03001234567\n"
    caf = "MSISDN,Name,Activation Date\n03001234567,A,05/06/2024\n"
    for kind, text in (("complaints", report), ("subscribers", caf)):
        job = room.ask_import(
            actor, io.BytesIO(text.encode()), "list.csv", kind=kind, dates="month-first"
        )
        if job:
            assert site.node.run_job(job, lambda _d, _t: None).state == "done"
    with room.kernel.view(actor) as view:
        files, dates = beside.stored(view, actor.authority), beside.orders(view, actor.authority)
    read = merging.read_merged(
        room.kernel, files["complaints"], FORMS["complaints"], "PK", dates=dates
    )
    assert read.table["received"][0].as_py() == datetime(2024, 5, 6, tzinfo=UTC)
    _, activated, notes = merging.read_holders(room.kernel, files["subscribers"], "PK", dates)
    assert activated == {"+923001234567": (date(2024, 5, 6) - date(1970, 1, 1)).days}
    assert not notes
    # and without it the country's own order is told of
    _, other, notes = merging.read_holders(room.kernel, files["subscribers"], "PK")
    assert other != activated
    assert "day first was taken" in notes[0]


@pytest.mark.parametrize(
    ("region", "heading", "hour"),
    [("PK", "Start Time (IST)", 4), ("IN", "Start Time (IST)", 4), ("IL", "Start Time (IST)", 7),
     ("IL", "Start Time (UTC)", 10), ("PK", "Start Time", 5)],
)  # fmt: skip
def test_letters_of_a_heading_mean_the_country_s_own_clock_first(
    tmp_path: Path, region: str, heading: str, hour: int
) -> None:
    text = f"MSISDN,Dest IP,{heading}\n+923001234567,8.8.8.8,2024-06-25 10:00:00\n"
    told = read(put(tmp_path, text), "sessions", region)
    assert told.table["start"][0].as_py().hour == hour
    assert any("name no zone" in note for note in told.notes) is (heading == "Start Time")
