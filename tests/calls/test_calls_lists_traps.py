"""Operators' own lists as they are in the wild: each trap is a file made here."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cordon.calls import forms
from cordon.calls.lists import all_headings, no_calls
from cordon.calls.plain import Plain, read_plain
from cordon.calls.registers import read_register
from cordon.calls.sniffing import kind_of
from cordon.kernel.errors import BadInput, CordonError

FORMS = {form.name: form for form in forms.FORMS}


def put(tmp_path: Path, *lines: str, name: str = "list.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def read(path: Path, kind: str, region: str = "IN") -> Plain:
    return read_plain(path, FORMS[kind], region)


def reasons(told: Plain) -> list[tuple[int, str]]:
    return [(r.row, r.reason) for r in told.refusals]


@pytest.mark.parametrize(
    ("header", "row", "cell"),
    [
        # 12345 × 256 + 3
        ("PLMN,eNodeB ID,Cell ID", "404-45,12345,3", "404-45-3160323"),
        ("MCC,MNC,TAC,eNodeB,Sector", "410,01,55,1234,2", "410-01-315906"),
        # larger than a number in a station: whole already
        ("PLMN,eNodeB ID,Cell ID", "40445,12345,3160323", "404-45-3160323"),
        # a name and an identity of its own stay as they stand
        ("PLMN,eNodeB ID,Cell ID", "40445,12345,404-45-7-8", "404-45-7-8"),
        # the identity goes before the number in the station
        ("PLMN,Cell ID,ECI", "40445,3,3160323", "404-45-3160323"),
        ("PLMN,LAC,CI", "404/45,1023,20481", "404-45-1023-20481"),
    ],
)
def test_a_cell_of_a_station(tmp_path: Path, header: str, row: str, cell: str) -> None:
    told = read(put(tmp_path, f"{header},Latitude,Longitude", f"{row},28.6,77.2"), "cells")
    assert told.table["cell"].to_pylist() == [cell]


def test_cells_of_two_stations_are_two_though_their_numbers_there_are_one(tmp_path: Path) -> None:
    told = read(
        put(tmp_path, "eNodeB ID,Cell ID,Lat,Long", "100,1,28.6,77.2", "101,1,28.7,77.3"), "cells"
    )
    assert told.table["cell"].to_pylist() == ["25601", "25857"]
    assert told.counts.repeated == 0


def test_a_number_that_each_site_has_is_no_identity_and_a_note_says_so(tmp_path: Path) -> None:
    rows = [f"S{n // 3},{n % 3 + 1},28.{n // 3},77.2" for n in range(9)]
    told = read(put(tmp_path, "Site ID,Cell ID,Lat,Long", *rows), "cells")
    assert told.counts.kept == 3
    assert told.notes == {"the same cell stands at another place too; the first was taken": 6}


def test_cells_that_cannot_be_placed_or_named_are_refused_each_by_its_line(tmp_path: Path) -> None:
    told = read(
        put(
            tmp_path,
            "List of sites",
            "CGI,Site Name,LAT,LONG",
            "404-45-1-1,A,0,0",
            "404-45-1-2,B,0.0000,0.000000",
            "404-45-1-3,C,,",
            "4.04451E+14,D,28.6,77.2",
            "404-45-1-5,E,0,77.2",
            "404-45-1-6,F,28.6 N,77.2 E",
        ),
        "cells",
    )
    nowhere = "it stands at 0, 0, where lists put what has no position"
    assert reasons(told) == [
        (2, nowhere),
        (3, nowhere),
        (4, "lat is missing"),
        (5, "cell is in scientific notation: its digits are gone"),
    ]
    assert told.table["row"].to_pylist() == [6, 7]  # on the equator there is land
    assert told.counts.read == 6


def test_trailing_commas_and_quoted_commas_shift_nothing(tmp_path: Path) -> None:
    told = read(
        put(
            tmp_path,
            "CGI,Site,Latitude,Longitude,",
            '404-45-1-1,"Sector 18, Noida",28.6,77.2,',
            "'404-45-1-2',B,28.7,77.3,,,",
        ),
        "cells",
    )
    assert told.table["lat"].to_pylist() == [28.6, 28.7]
    assert told.table["cell"].to_pylist() == ["404-45-1-1", "404-45-1-2"]


NAT = (
    "MSISDN_USERID|Source_Private_IPv4|Source_Public_IPv4|Source_Public_IPv6|Source_Public_Port|"
    "Destination_IP4|Destination_IPv6|Destination_Port|Event_Start_Time|Session_End_Time|IMEI_NO|"
    "IMSI_NO|CGI|Uplink_Vol|Downlink_Vol"
)


def nat(public: str, port: str, remote: str, imei: str = "352099001761481") -> str:
    return (
        f"9876543210|10.0.0.1|{public}|{port}|{remote}|443|13-06-2026 19:40:00|13-06-2026 19:41:00|"
        f"{imei}|404450001000077|404-45-1-2|100|20"
    )


def test_addresses_of_either_version_stand_in_columns_of_their_own(tmp_path: Path) -> None:
    told = read(
        put(
            tmp_path,
            NAT,
            nat("106.1.1.1|", "1234", "8.8.8.8|"),
            nat("|2409::1", "1", "|2001:b8::a"),
        ),
        "sessions",
    )
    assert told.table["public_ip"].to_pylist() == ["106.1.1.1", "2409::1"]
    assert told.table["remote_ip"].to_pylist() == ["8.8.8.8", "2001:b8::a"]
    assert told.table["bytes_up"].to_pylist() == [100, 100]
    assert not told.refusals


def test_a_block_of_ports_costs_the_port_and_not_the_row(tmp_path: Path) -> None:
    told = read(
        put(
            tmp_path,
            NAT,
            nat("106.1.1.1|", "1024-2047", "8.8.8.8|"),
            nat("106.1.1.1|", "70000", "8.8.8.8|"),
            nat("106.1.1.1|", "65535.0", "8.8.8.8|"),
        ),
        "sessions",
    )
    assert told.table["public_port"].to_pylist() == [None, None, 65535]
    assert told.notes["public_port was left out: it is no single port"] == 2


def test_an_address_and_its_port_in_one_column(tmp_path: Path) -> None:
    told = read(
        put(
            tmp_path,
            "MSISDN,Start Time,Public IP,Public Port,Destination IP",
            "9876543210,2026-06-13 10:00:00,39.40.1.1:1234,,8.8.8.8:443",
            "9876543210,2026-06-13 10:00:00,39.40.1.1,77,[2001:b8::a]:443",
            "9876543210,2026-06-13 10:00:00,2409::1,,2001:b8::443",
        ),
        "sessions",
    )
    assert told.table["public_ip"].to_pylist() == ["39.40.1.1", "39.40.1.1", "2409::1"]
    assert told.table["public_port"].to_pylist() == [1234, 77, None]
    assert told.table["remote_ip"].to_pylist() == ["8.8.8.8", "2001:b8::a", "2001:b8::443"]
    assert told.table["remote_port"].to_pylist() == [443, 443, None]


@pytest.mark.parametrize(
    ("device", "imei", "why"),
    [
        ("352099001761481", "352099001761481", ""),
        ("00:1a:2b:3c:4d:5e", None, ""),
        ("001A2B3C4D5E", None, ""),
        ("3.52099E+14", None, "imei is in scientific notation: its digits are gone"),
        ("352099", None, "imei has not 14 to 16 digits"),
    ],
)
def test_the_device_of_a_session(tmp_path: Path, device: str, imei: str | None, why: str) -> None:
    told = read(
        put(
            tmp_path,
            "Landline/MSISDN/MDN/Leased Circuit ID for Internet Access,Source IP Address,"
            "Destination IP Address,TIME1 (dd/MM/yyyy HH:mm:ss),"
            "Source MAC-ID Address/Other device Identification number",
            f"9876543210,106.1.1.1,8.8.8.8,05/06/2026 10:00:00,{device}",
            "9876543210,106.1.1.1,8.8.8.8,05/06/2026 10:00:00,",
        ),
        "sessions",
    )
    assert reasons(told) == ([(1, why)] if why else [])
    assert told.table["imei"].to_pylist()[-2:] == ([None] if why else [imei, None])
    assert told.table["start"][0].as_py() == datetime(2026, 6, 5, 4, 30, tzinfo=UTC)


def test_a_destination_s_own_date_and_time(tmp_path: Path) -> None:
    told = read(
        put(
            tmp_path,
            "Mobile No,Date of Destination IP transaction (dd/mm/yyyy),"
            "IST Time of Destination IP transaction (hh:mm:ss),Destination IP Address",
            "9876543210,05/06/2026,00:10:00,8.8.8.8",
        ),
        "sessions",
        "PK",
    )
    assert told.table["start"][0].as_py() == datetime(2026, 6, 4, 18, 40, tzinfo=UTC)
    assert not told.notes


def test_complaints_with_two_suspects_and_with_lost_digits(tmp_path: Path) -> None:
    told = read(
        put(
            tmp_path,
            "Sr.No.,Acknowledgement No.,Complaint Date,Complainant Mobile,Suspect Mobile No.",
            "1,'21907240001234,16/06/2024,98765 43210,9812345678 / 9812345679",
            "2,21907240001235,16/06/2024,,9812345678 9812345679",
            "3,21907240001236,16/06/2024,,98123-45670",
            "4,2.19072E+13,16/06/2024,,9812345678",
        ),
        "complaints",
    )
    assert told.table["suspect_number"].to_pylist() == [
        "+919812345678", "+919812345678", "+919812345670"
    ]  # fmt: skip
    assert told.table["victim_number"].to_pylist()[0] == "+919876543210"
    assert told.notes["suspect_number holds several numbers; the first was taken"] == 2
    assert reasons(told) == [(4, "complaint_id is in scientific notation: its digits are gone")]


def test_a_complaint_s_date_and_time_stand_in_two_columns(tmp_path: Path) -> None:
    told = read(
        put(
            tmp_path,
            "Complaint No,Complaint Date,Complaint Time,Incident Date,Incident Time,Suspect No",
            "1,16/06/2024,10:30 PM,16/06/2024,9:00,9812345678",
            "2,16/06/2024,,15/06/2024,,9812345678",
        ),
        "complaints",
    )
    assert told.table["received"].to_pylist() == [
        datetime(2024, 6, 16, 17, tzinfo=UTC), datetime(2024, 6, 16, tzinfo=UTC)
    ]  # fmt: skip
    assert told.table["occurred"].to_pylist() == [
        datetime(2024, 6, 16, 3, 30, tzinfo=UTC), datetime(2024, 6, 15, tzinfo=UTC)
    ]  # fmt: skip


CAF = "MSISDN,Name,Activation Date,Customer Type"
SITES = "CGI,Site Name,Latitude,Longitude"
AIRTEL = (
    "Target No,Call Type,TOC,B Party No,Date,Time,Dur(s),First CGI Lat/Long,First CGI,IMEI,IMSI"
)


@pytest.mark.parametrize(
    ("header", "given", "says", "advice"),
    [
        (CAF, "cells", "by its headings it is one of subscribers", "--kind subscribers"),
        (SITES, "subscribers", "by its headings it is one of cells", "--cells"),
        (AIRTEL, "sessions", "by its headings it holds calls in the layout airtel", "--calls"),
        ("CGI,Site,Latitude", "cells", "lacks a column of lon (“lon”, “long”", "layouts"),
        (
            "Mobile No,Public IP,Start Date,Start Time",
            "sessions",
            "lacks a column of remote_ip",
            "",
        ),
        ("Tracking No,Date,Fraudster No", "complaints", "lacks a column of received", ""),
        # nothing tells: what was said before
        ("Invoice No,Date,Amount", "cells", "has no column cell, lat, lon", "the format"),
        ("cell,lat,azimuth_deg", "cells", "has no column lon", "the format"),
        ("number,start,end", "sessions", "has no column remote_ip", "the format"),
    ],
)
def test_a_file_of_another_kind_says_what_it_is_or_lacks(
    tmp_path: Path, header: str, given: str, says: str, advice: str
) -> None:
    path = put(tmp_path, header, ",".join("1" for _ in header.split(",")))
    with pytest.raises(CordonError) as wrong:
        read_register(path) if given == "subscribers" else read(path, given)
    assert says in str(wrong.value.message)
    assert advice in str(wrong.value.advice)


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        # of a list that lacks one column its own reader tells which
        ("CGI,Site,Latitude,Azimuth", "cells"),
        ("Mobile No,Public IP,Start Date,Start Time,End Date,End Time", "sessions"),
        ("Reference No,Transaction Date,Beneficiary Account No,Amount,Description", "calls"),
        ("Customer Name,Address,Account Type,Registration Date", "calls"),
    ],
)
def test_what_a_list_holds_is_told_though_it_lacks_a_column(
    tmp_path: Path, header: str, kind: str
) -> None:
    assert kind_of(put(tmp_path, header, "1")) == kind


def test_every_field_that_a_list_needs_has_headings_or_parts_of_them() -> None:
    for one in all_headings().values():
        for field in (n for some in one.needs for n in some):
            assert one.columns.get(field), (one.form, field)


def test_a_register_that_names_nobody_s_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="scientific notation"):
        read_register(put(tmp_path, CAF, "9.81235E+09,A,2026-01-01,Individual"), "IN")


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("CGI,Site Name,Latitude,Longitude", "a list of cells"),
        ("MSISDN,Name,Activation Date,Customer Type", "a list of subscribers"),
        ("FIR No,FIR Date,Accused Mobile", "a list of complaints"),
        ("MSISDN,Dest IP,NAT IP,NAT Port,Start Time", "internet sessions"),
        ("A Number,B Number,Call Date,Call Time,Duration,Cell ID", ""),
    ],
)
def test_a_list_that_a_layout_is_asked_for_is_told_what_it_is(header: str, says: str) -> None:
    told = no_calls(header.split(","))
    assert (says in told) if says else not told
