"""Operators' files as they come: each layout, and each trap with a file made for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from cordon.calls.layouts import layouts
from cordon.calls.layouts.dates import Order, day_of, parted, second_of
from cordon.calls.layouts.durations import seconds_of
from cordon.calls.layouts.model import FIELDS, load
from cordon.calls.reading import Reading, read_calls
from cordon.kernel.errors import BadInput, BadUsage

IMEI, IMSI = "353098852648366", "405856140573551"
AIRTEL = (
    "Target No,Call Type,TOC,B Party No,LRN No,LRN TSP-LSA,Date,Time,Dur(s),First CGI Lat/Long,"
    "First CGI,Last CGI Lat/Long,Last CGI,SMSC No,Service Type,IMEI,IMSI,Call Fow No,Roam Nw,"
    "SW & MSC ID,IN TG,OUT TG"
)
JIO = (
    "Calling Party Telephone Number,Called Party Telephone Number,Call Forwarding,LRN Called No,"
    "Call Date,Call Time,Call Termination Time,Call Duration,First Cell ID,Last Cell ID,Call Type,"
    "SMS Center Number,IMEI,IMSI,Roaming Circle Name"
)
VI = (
    "Target /A PARTY NUMBER,CALL_TYPE,Type of Connection,B PARTY NUMBER,LRN- B Party Number,"
    "Translation of LRN,Call date,Call Initiation Time,Call Duration,First BTS Location,"
    "First Cell Global Id,Last BTS Location,Last Cell Global Id,Service Type,IMEI,IMSI"
)
BSNL = (
    "SL_NO,Target/A-Party Number,Call_Type,Type_Of_Conn,B_Party Number,LRN_B_PARTY_NO,"
    "LRN_DESCRIPTION,Call_Date,Call_Initiation_Time(CIT),Call_Duration,First_Cell_Desc,"
    "First_Cell_id,Last_Cell_Desc,Last_Cell_ID,SMSC_No,Service_Type,IMEI,IMSI"
)
MSC = (
    "START_DATE;START_HOUR;A_MSISDN;A_IMSI;B_MSISDN;C_NUM;DURATION;CALL_TYPE;A_CELL;"
    "TRUNK_IN;TRUNK_OUT"
)


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str, name: str = "given.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
        return path

    return write


def read(path: Path, layout: str = "auto") -> tuple[Reading, list[dict], list[tuple[int, str]]]:
    reading = read_calls(path, "IN", layout=layout)
    rows, refused = [], []
    for batch in reading:
        rows += batch.table.to_pylist()
        refused += [(r.row, r.reason) for r in batch.refusals]
    return reading, rows, refused


def airtel(
    kind: str = "OUT", date: str = "15/08/2024", time: str = "10:11:12", service: str = "Voice"
) -> str:
    return (
        f"919702000558,{kind},PRE,918141122818,1234,X,{date},{time},65,19.1/72.8,404-90-1-2,"
        f"19.1/72.8,404-90-1-3,,{service},{IMEI},{IMSI},,MH,M1,T1,T2"
    )


def test_every_layout_is_data_that_holds() -> None:
    assert {one.name for one in layouts()} >= {"airtel", "bsnl", "cordon", "jio", "msc", "vi"}
    for one in layouts():
        assert set(one.columns) <= FIELDS
        assert set(one.directions.values()) <= {"in", "out"}
        assert set(one.kinds.values()) <= {"voice", "sms"}


def test_a_targets_statement_outwards_and_inwards(put) -> None:
    path = put("BHARTI AIRTEL LTD", "", "Call details of 919702000558", AIRTEL, airtel("OUT"),
               airtel("IN"), airtel("IN", service="SMS"))  # fmt: skip
    reading, rows, refused = read(path)
    assert reading.layout == "airtel"
    assert refused == []
    out, inward, sms = rows
    assert (out["caller"], out["callee"]) == ("+919702000558", "+918141122818")
    assert (inward["caller"], inward["callee"]) == ("+918141122818", "+919702000558")
    # what the target held stands on the target's side, and nothing on the other's
    assert (out["caller_imei"], out["callee_imei"]) == (IMEI, None)
    assert (inward["caller_imei"], inward["callee_imei"]) == (None, IMEI)
    assert (inward["callee_cell"], inward["callee_imsi"]) == ("404-90-1-2", IMSI)
    assert out["start"] == datetime(2024, 8, 15, 4, 41, 12, tzinfo=UTC)  # 10:11:12 in India
    assert (out["duration_s"], out["kind"], sms["kind"]) == (65.0, "voice", "sms")
    assert (out["trunk_in"], out["trunk_out"]) == ("T1", "T2")
    # a row's number leads to its line: the file's first line is not counted
    assert [r["row"] for r in rows] == [4, 5, 6]


@pytest.mark.parametrize("kind", ["CALL FORWARD", "CFW", "Call Forwarding", "cfnry"])
def test_a_forwarded_call_goes_from_who_called_to_whom_it_went(put, kind: str) -> None:
    told = airtel(kind, service="").replace(f"{IMSI},,", f"{IMSI},919812345678,")
    path = put(AIRTEL, told, airtel(kind), airtel("OUT"), airtel("XYZ"))
    _, (to_third, to_other, out), refused = read(path)
    # the other party called, the target forwarded, and it went to the third
    assert (to_third["caller"], to_third["callee"]) == ("+918141122818", "+919812345678")
    # nobody is named whom it went to but the other party
    assert (to_other["caller"], to_other["callee"]) == ("+919702000558", "+918141122818")
    assert {r["kind"] for r in (to_third, to_other)} == {"voice"}
    # the target's handset had no part in it
    assert all(
        r[f"{side}_imei"] is None for r in (to_third, to_other) for side in ("caller", "callee")
    )
    assert out["caller_imei"] == IMEI
    assert [r for r, _ in refused] == [4]


def test_a_forwarded_call_of_callers_and_called_ones(put) -> None:
    path = put(JIO, f"'919000000003','919000000001',919000000009,,13/06/2026,17:30:23,17:30:23,9,"
               f"'405856001',,CF,,'{IMEI}','{IMSI}',BH")  # fmt: skip
    _, (row,), refused = read(path)
    assert (row["caller"], row["callee"], refused) == ("+919000000003", "+919000000009", [])
    assert row["caller_imei"] is row["callee_imei"] is None


def test_after_a_ticket_with_quotes(put) -> None:
    path = put(
        "Ticket Number :,LEA0001", "Input Value :,'919000000001'", "Total Records :,3", JIO,
        f"'919000000001','919000000002',,,02/06/2026,17:29:23,17:29:40,17,'405856001',,a_out,,"
        f"'{IMEI}','{IMSI}',BH",
        f"'919000000003','919000000001',,,13/06/2026,17:30:23,17:30:23,,'405856001',,a_in,,"
        f"'{IMEI}','{IMSI}',BH",
        f"'AD-BANK','919000000001',,,13/06/2026,18:30:23,,,,,A2P_SMSIN,'919475580002',"
        f"'{IMEI}','{IMSI}',BH",
        "It is a computer generated report",
    )  # fmt: skip
    reading, rows, refused = read(path)
    assert reading.layout == "jio"
    assert refused == []
    assert [(r["caller"], r["callee"], r["kind"]) for r in rows] == [
        ("+919000000001", "+919000000002", "voice"),
        ("+919000000003", "+919000000001", "voice"),
        ("AD-BANK", "+919000000001", "sms"),
    ]
    assert [(r["caller_imei"], r["callee_imei"]) for r in rows] == [
        (IMEI, None), (None, IMEI), (None, IMEI),
    ]  # fmt: skip
    assert rows[0]["start"] == datetime(2026, 6, 2, 11, 59, 23, tzinfo=UTC)


def test_dashed_rules_totals_and_a_comma_at_the_end_of_every_row(put) -> None:
    row = "919702000558,{},PRE,918141122818,,,01-08-2024,{},9,A,404-1,B,404-2,Voice,,"
    path = put(
        "Vodafone Idea Call Data Records", "MSISDN : - 919702000558", "-" * 60, VI, "-" * 60,
        row.format("Incoming", "00:04:06") + ",", row.format("Outgoing", "00:04:18") + ",",
        "-" * 60, "Total,,,,,,,,18,,,,,,,,", "Note :- This is a System generated Report.",
    )  # fmt: skip
    reading, rows, refused = read(path)
    assert reading.layout == "vi"
    assert refused == []
    assert [r["caller"] for r in rows] == ["+918141122818", "+919702000558"]
    assert reading.counts.read == 2


def test_the_fourth_statement(put) -> None:
    path = put(
        "Search Criteria : 8986000001", BSNL,
        f"1,8986000001,SMS-IN,PRE,9475580002,1,X,28/03/2026,18:16:15,1,T,404-75-1-1,,,,SMS,{IMEI},{IMSI}",
        f"2,8986000001,OUT,PRE,9475580002,1,X,28/03/2026,18:17:15,00:01:05,T,404-75-1-1,,,,,{IMEI},{IMSI}",
        "*** END OF REPORT ***", "CDR COUNT : 2",
    )  # fmt: skip
    reading, rows, refused = read(path)
    assert (reading.layout, refused) == ("bsnl", [])
    assert [(r["caller"], r["kind"], r["duration_s"]) for r in rows] == [
        ("+919475580002", "sms", 1.0), ("+918986000001", "voice", 65.0),
    ]  # fmt: skip


def test_a_switchs_dump(put) -> None:
    path = put(
        MSC,
        f"2026-01-17;08:30:00;923001234567;{IMSI};923337654321;;120;MOC;A7F3;TG1;TG2",
        f"2026-01-17;08:31:00;923001234567;{IMSI};0421234567;;0;SMSMO;A7F3;TG1;TG2",
        f"2026-01-17;08:32:00;923001234567;{IMSI};0421234567;;0;GPRS;A7F3;TG1;TG2",
    )
    reading = read_calls(path, "PK")
    (batch,) = list(reading)
    first, second = batch.table.to_pylist()
    assert reading.layout == "msc"
    assert first["start"] == datetime(2026, 1, 17, 3, 30, tzinfo=UTC)
    assert (first["caller"], first["callee"]) == ("+923001234567", "+923337654321")
    assert (first["caller_imsi"], first["caller_cell"], first["trunk_out"]) == (IMSI, "A7F3", "TG2")
    assert second["kind"] == "sms"
    assert [(r.row, "its kind" in r.reason) for r in batch.refusals] == [(3, True)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_in_any_encoding(put, encoding: str) -> None:
    path = put("Société des télécommunications", AIRTEL, airtel(), encoding=encoding)
    reading, rows, refused = read(path)
    assert (reading.layout, len(rows), refused) == ("airtel", 1, [])


def test_month_first_is_told_from_the_whole_file(put) -> None:
    """A spreadsheet turned the dates around: only the last row shows it."""
    path = put(AIRTEL, *[airtel(date=f"{m:02}/05/2024") for m in (1, 2, 3)],
               airtel(date="04/25/2024"))  # fmt: skip
    _, rows, refused = read(path)
    assert refused == []
    assert [r["start"].month for r in rows] == [1, 2, 3, 4]


def test_dates_that_contradict_one_another_are_refused(put) -> None:
    path = put(AIRTEL, airtel(date="25/04/2024"), airtel(date="04/25/2024"))
    with pytest.raises(BadInput, match="day or month first"):
        read(path)


@pytest.mark.parametrize("code", ["SMS_IN", "sms-in", "SMS IN", "SmsIn", "SMS.IN"])
def test_a_code_is_known_however_its_words_are_parted(put, code: str) -> None:
    rows = (
        put(AIRTEL, airtel(code)),
        put(VI, f"919702000558,{code},PRE,918141122818,1,X,15-08-2024,10:11:12,0,A,404-20-1-1,A,"
            f"404-20-1-2,,{IMEI},{IMSI}", name="vi.csv"),
    )  # fmt: skip
    for path in rows:
        _, (row,), refused = read(path)
        assert (row["caller"], row["callee"]) == ("+918141122818", "+919702000558")
        assert refused == []
    assert row["kind"] == "sms"


def test_an_officer_says_the_order_where_no_date_settles_it(put) -> None:
    row = "{};08:30:00;923001234567;;923337654321;;1;MOC;;;"
    dump = put(MSC, row.format("01/02/2026"), name="msc.csv")
    for said, month in (("day-first", 2), ("month-first", 1)):
        reading = read_calls(dump, "PK", dates=said)
        (batch,) = list(reading)
        assert batch.table["start"].to_pylist()[0].month == month
        assert reading.notes == [
            "No date of msc.csv settles whether day or month comes first; "
            f"{said.removesuffix('-first')} first was taken, as was said."
        ]
    # over the order that a layout holds for the operator's
    reading = read_calls(put(AIRTEL, airtel(date="01/02/2024")), "IN", dates="month-first")
    assert [b.table["start"].to_pylist()[0].month for b in reading] == [1]
    # dates that tell it themselves are not overruled, nor are those that contradict one another
    other = put(MSC, row.format("01/25/2026"), row.format("01/02/2026"), name="other.csv")
    with pytest.raises(BadInput, match="does not write day first, as was said: 1 of its dates"):
        list(read_calls(other, "PK", dates="day-first"))
    both = put(MSC, row.format("01/25/2026"), row.format("25/01/2026"), name="both.csv")
    with pytest.raises(BadInput, match="can only be read day first and 1 only month first"):
        list(read_calls(both, "PK", dates="day-first"))
    with pytest.raises(BadUsage, match="Dates are not"):
        read_calls(dump, "PK", dates="ydm")


def test_dates_that_do_not_tell_are_the_operators_or_refused(put) -> None:
    _, rows, _ = read(put(AIRTEL, airtel(date="01/02/2024")))
    assert rows[0]["start"].month == 2
    dump = put(MSC, "01/02/2026;08:30:00;923001234567;;923337654321;;1;MOC;;;", name="msc.csv")
    with pytest.raises(BadInput, match="day first and month first"):
        list(read_calls(dump, "PK"))


def test_clocks_that_were_changed(put) -> None:
    """Pakistan's summer time of 2008 began on 1 June, 00:00, and ended on 1 November, 00:00."""
    rows = [
        "2008-05-31;23:30:00;923001234567;;923337654321;;1;MOC;;;",
        "2008-06-01;00:30:00;923001234567;;923337654321;;1;MOC;;;",
        "2008-07-01;12:00:00;923001234567;;923337654321;;1;MOC;;;",
        "2008-10-31;23:30:00;923001234567;;923337654321;;1;MOC;;;",
    ]
    (batch,) = list(read_calls(put(MSC, *rows), "PK"))
    assert [r["start"].hour for r in batch.table.to_pylist()] == [18, 6]  # UTC+5, then UTC+6
    assert [(r.row, "clocks were changed" in r.reason) for r in batch.refusals] == [
        (2, True), (4, True),
    ]  # fmt: skip


def test_lost_digits_unclear_rows_and_odd_numbers(put) -> None:
    path = put(
        AIRTEL,
        airtel().replace(IMEI, "3.53099E+14"),
        airtel("TRANSFERRED"),
        airtel(time="25:00:00"),
        airtel(date="no date"),
        airtel().replace("918141122818", "121"),
        airtel().replace("918141122818", '"08141122818"'),
    )
    _, rows, refused = read(path)
    assert [(n, r.split(":")[0]) for n, r in refused] == [
        (1, "caller_imei is in scientific notation"),
        (2, "its direction is none that the layout knows"),
        (3, "its date or time cannot be read"),
        (4, "its date or time cannot be read"),
    ]
    assert [r["callee"] for r in rows] == ["121", "+918141122818"]


def test_no_layout_fits_and_it_says_what_is_nearest(put) -> None:
    path = put(AIRTEL.replace("B Party No", "Other"), airtel())
    with pytest.raises(
        BadInput, match=r"Nearest is airtel, but the file lacks the column b party no.*layout learn"
    ):
        read(path)
    with pytest.raises(BadInput, match="not in the layout jio: it looks like airtel"):
        read(put(AIRTEL, airtel()), "jio")
    with pytest.raises(BadUsage, match="There is no layout"):
        read(put(AIRTEL, airtel()), "telenor")


def test_a_file_of_a_layout_that_cannot_be_read_says_that_layouts_columns(put) -> None:
    with pytest.raises(BadInput, match="its date or time cannot be read") as wrong:
        read(put(AIRTEL, airtel(date="yesterday")))
    assert wrong.value.advice.startswith("A file in the layout airtel has the columns target no, b")
    assert "call type" in wrong.value.advice
    assert "caller, callee" not in wrong.value.advice
    own = put("start,kind,caller,callee", "today,voice,1,2")
    with pytest.raises(BadInput) as wrong:
        read(own)
    assert "start, kind, caller, callee" in wrong.value.advice


def test_a_column_that_is_missing_is_named(put) -> None:
    untyped = AIRTEL.replace("Call Type", "Nature")
    with pytest.raises(
        BadInput, match="the column call type, which tells its direction, is missing"
    ):
        read(put(untyped, airtel()))
    with pytest.raises(
        BadInput, match="column service type or call type, which tells its kind, is missing"
    ):
        read(put(untyped.replace("Service Type", "Service"), airtel()))


def test_an_order_is_never_guessed() -> None:
    order = Order()
    order.look(["01/02/2024", "2024-01-13", "12-12-24"])
    assert order.told("") is None
    assert order.told("dmy") == "dmy"
    order.look(["13/02/2024"])
    assert order.told("mdy") == "dmy"


@pytest.mark.parametrize(
    ("text", "day"),
    [("15/08/2024", (2024, 8, 15)), ("15-Aug-2024", (2024, 8, 15)), ("20240815", (2024, 8, 15)),
     ("2024-08-15", (2024, 8, 15)), ("15.08.24", (2024, 8, 15)), ("31/02/2024", None),
     ("15/08/1970", None), ("", None), ("15/Aug/24", (2024, 8, 15)),
     ("15 AUGUST, 2024", (2024, 8, 15)),
     ("15.aug.2024", (2024, 8, 15)), ("15AUG2024", (2024, 8, 15)), ("Aug 15, 2024", (2024, 8, 15)),
     ("5 Sept 24", (2024, 9, 5)), ("Thu 15-Aug-2024", (2024, 8, 15)),
     ("jeudi 15 août 2024", (2024, 8, 15)), ("15-févr-2024", (2024, 2, 15)),
     ("3. Dezember 2024", (2024, 12, 3)), ("Donnerstag, 15.08.2024", (2024, 8, 15)),
     ("31-Feb-2024", None), ("15-Aux-2024", None), ("Aug 2024", None),
     ("15-Augustus-2024", None)],
)  # fmt: skip
def test_dates_as_they_are_written(text: str, day: tuple[int, int, int] | None) -> None:
    expected = None if day is None else (datetime(*day) - datetime(1970, 1, 1)).days
    assert day_of(text, "dmy") == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10:11:12", 36672), ("9:05", 32700), ("101112", 36672), ("12:00:00 AM", 0),
     ("1:30 pm", 48600), ("1:30 p.m.", 48600), ("10.11.12", 36672), ("12.11.12.000000 AM", 672),
     ("10:11:12.500", 36672), ("24:00:00", None), ("10.61.12", None),
     ("13:00 PM", None), ("noon", None)],
)  # fmt: skip
def test_times_as_they_are_written(text: str, seconds: int | None) -> None:
    assert second_of(text) == seconds


@pytest.mark.parametrize(
    ("text", "date", "time"),
    [("15/08/2024 10:11:12", "15/08/2024", "10:11:12"), ("15/08/24, 10:11", "15/08/24", "10:11"),
     ("2024-08-15T10:11:12Z", "2024-08-15", "10:11:12Z"), ("20240815101112", "20240815", "101112"),
     ("20240815 101112", "20240815", "101112"), ("15-08-2024-10:11:12", "15-08-2024", "10:11:12"),
     ("15-AUG-24 10.11.12.000000 AM", "15-AUG-24", "10.11.12.000000 AM"),
     ("10:11:12 15/08/2024", "15/08/2024", "10:11:12"), ("1723716672", "2024-08-15", "10:11:12Z"),
     ("1723716672000", "2024-08-15", "10:11:12Z")],
)  # fmt: skip
def test_dates_and_times_in_one_column(text: str, date: str, time: str) -> None:
    assert parted(text) == (date, time)


@pytest.mark.parametrize("text", ["15/08/2024", "10:11:12", "919702000558", "", "404-90-1-2"])
def test_what_is_no_date_with_a_time(text: str) -> None:
    assert parted(text) is None


def test_a_time_that_tells_its_zone_is_that_moment(put) -> None:
    rows = [airtel(time=t) for t in ("10:11:12Z", "10:11:12+05:00", "10:11:12", "02:00:00+0530")]
    _, found, refused = read(put(AIRTEL, *rows))
    assert not refused
    assert [r["start"].strftime("%d %H:%M:%S") for r in found] == [
        "15 10:11:12", "15 05:11:12", "15 04:41:12", "14 20:30:00",
    ]  # fmt: skip


@pytest.mark.parametrize("moment", ["05-06-2024 00:00:00", "2024-06-05 00:00:00"])
def test_a_date_that_shows_midnight_beside_a_time(put, moment: str) -> None:
    _, found, refused = read(put(AIRTEL, airtel(date=moment, time="05-06-2024 10:11:12")))
    assert not refused
    assert found[0]["start"].strftime("%m-%d %H:%M") == "06-05 04:41"


@pytest.mark.parametrize(
    ("code", "made", "kind"),
    [("CALL-OUT", True, "voice"), ("MT", False, "voice"), ("OG", True, "voice"),
     ("IC", False, "voice"),
     ("SMSMO", True, "sms"), ("SMS_MT", False, "sms"), ("VoLTE-IN", False, "voice"),
     ("Video Out", True, "voice")],
)  # fmt: skip
def test_type_words_of_one_operator_are_known_in_anothers_statement(
    put, code: str, made: bool, kind: str
) -> None:
    _, found, refused = read(put(AIRTEL, airtel(kind=code, service="")))
    assert not refused
    assert (found[0]["caller"] == "+919702000558") is made
    assert found[0]["kind"] == kind


def test_headers_are_known_however_their_parts_are_parted(put) -> None:
    header = AIRTEL.replace("Target No", "Target_No").replace("Dur(s)", "Dur (s)")
    reading, found, refused = read(put(header.replace("Call Type", "CALL_TYPE"), airtel()))
    assert reading.layout == "airtel"
    assert not refused
    assert found[0]["duration_s"] == 65
    # one that stands there already is no other's
    twice = AIRTEL.replace("TOC", "Call_Type")
    assert read(put(twice, airtel("IN")))[1][0]["callee"] == "+919702000558"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("125,0", 125), ("00:02:05.000", 125), ("PT2M5S", 125), ("2:05 min", 125), ("1,250", None),
     ("PT", None)],
)  # fmt: skip
def test_more_durations(text: str, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    ("change", "says"),
    [({"zone": "Asia/Nowhere"}, "unknown zone"), ({"columns": {"colour": "X"}}, "unknown field"),
     ({"order": "day"}, "the order"), ({"known_by": []}, "lacks known_by")],
)  # fmt: skip
def test_a_layout_that_does_not_hold_is_refused_by_name(tmp_path, change: dict, says: str) -> None:
    path = tmp_path / "odd.yaml"
    given = {"name": "odd", "title": "Odd", "zone": "UTC", "known_by": ["a"], "columns": {}}
    path.write_text(yaml.safe_dump(given | change))
    with pytest.raises(BadInput, match=says):
        load(path)


def test_a_header_that_ends_with_a_comma_and_rows_that_do_not(put) -> None:
    _, rows, refused = read(put(AIRTEL + ",", airtel(), airtel("IN")))
    assert refused == []
    assert [r["caller_imei"] or r["callee_imei"] for r in rows] == [IMEI, IMEI]


def test_numbers_in_every_form_of_one_file(put) -> None:
    forms = {
        "08141122818": "+918141122818",
        "918141122818": "+918141122818",
        "00918141122818": "+918141122818",
        "+91 81411-22818": "+918141122818",
        "+14155550123": "+14155550123",
        "121": "121",
        "VM-HDFCBK": "VM-HDFCBK",
        "91814XXXX818": "masked:91814XXXX818/+919702000558",
    }
    path = put(AIRTEL, *(airtel().replace("918141122818", form) for form in forms))
    _, rows, refused = read(path)
    assert refused == []
    assert [r["callee"] for r in rows] == list(forms.values())


def test_an_operators_order_is_told_where_no_date_settles_it(put) -> None:
    told = read_calls(put(AIRTEL, airtel(date="02/03/2026"), airtel(date="03/02/2026")))
    assert sum(len(b.table) for b in told) == 2
    assert any("No date of" in n and "day first" in n for n in told.notes)
    clear = read_calls(put(AIRTEL, airtel(date="02/03/2026"), airtel(date="13/02/2026")))
    assert sum(len(b.table) for b in clear) == 2
    assert clear.notes == []
