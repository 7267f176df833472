"""The number that sends calls on to another: read with them, kept beside them, told, masked."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import delete

from cordon.calls import find, forwarding
from cordon.calls.reading import read_calls
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Scope
from cordon.kernel.findings import Finding
from cordon.kernel.store.columns import SegmentRow
from support.ringed import LINES, PEOPLE, client, keep_ring, ringed, words_of
from support.town import PEOPLE as TOWN
from support.town import Town
from support.town import numbers as numbers_of

A, B, C = "+923001234567", "+923337654321", "+923451112223"
AIRTEL = "Target No,Call Type,B Party No,Date,Time,Dur(s),First CGI,Service Type,Call Fow No"
JIO = (
    "Calling Party Telephone Number,Called Party Telephone Number,Call Forwarding,Call Date,"
    "Call Time,Call Duration,Call Type"
)
MSC = "START_DATE;START_HOUR;A_MSISDN;A_IMSI;B_MSISDN;C_NUM;DURATION;CALL_TYPE"


def bare(number: str) -> str:
    return number[1:]


def told(path: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Callers and called ones of a file's calls, and who sent them on to whom."""
    ends, sent = [], []
    for batch in read_calls(path, "PK"):
        ends += [(r["caller"], r["callee"]) for r in batch.table.to_pylist()]
        sent += [(r["number"], r["forwarded_to"]) for r in batch.forwards.to_pylist()]
    return ends, sent


@pytest.mark.parametrize(
    ("lines", "ends", "sent"),
    [
        # B's statement: A called, and the network sent the call on to C
        ((AIRTEL, f"{bare(B)},IN,{bare(A)},15/08/2024,10:11:12,65,404-1,Voice,{bare(C)}"),
         [(A, B)], [(B, C)]),
        ((AIRTEL, f"{bare(B)},CFW,{bare(A)},15/08/2024,10:11:12,65,404-1,Voice,{bare(C)}"),
         [(A, C)], [(B, C)]),
        ((AIRTEL, f"{bare(B)},CFW,{bare(C)},15/08/2024,10:11:12,65,404-1,Voice,"),
         [(B, C)], [(B, C)]),
        # of a call that the target made nobody says whose number it is
        ((AIRTEL, f"{bare(B)},OUT,{bare(A)},15/08/2024,10:11:12,65,404-1,Voice,{bare(C)}"),
         [(B, A)], []),
        ((JIO, f"'{bare(A)}','{bare(B)}','{bare(C)}',15/08/2024,10:11:12,65,a_in"),
         [(A, B)], [(B, C)]),
        ((MSC, f"15/08/2024;10:11:12;{bare(A)};;{bare(B)};{bare(C)};65;MTC"), [(A, B)], [(B, C)]),
        ((MSC, f"15/08/2024;10:11:12;{bare(A)};;{bare(B)};{bare(C)};65;FWD"), [(A, C)], [(B, C)]),
        *(((AIRTEL, f"{bare(B)},CFW,{bare(A)},15/08/2024,10:11:12,65,404-1,Voice,{odd}"),
           [(A, C)], [(B, C)])
          for odd in (f"{bare(C)}.0", f"{bare(C)}F", f"tel:{C}", f"\u200b{C}", f"{C};npdi=x")),
        # what is no number, or the one called itself, sends nothing on
        *(((MSC, f"15/08/2024;10:11:12;{bare(A)};;{bare(B)};{odd};65;MTC"), [(A, B)], [])
          for odd in ("", "NA", "9.23E+11", "923XXXXX123", bare(B), "BUSY")),
    ],
)  # fmt: skip
def test_an_operators_third_number_is_kept(tmp_path, lines, ends, sent) -> None:
    path = tmp_path / "given.csv"
    path.write_text("\n".join(lines) + "\n")
    assert told(path) == (ends, sent)


OWN = "start,kind,caller,callee,forwarded_by,forwarded_to"
ROWS = (
    f"2026-03-02T10:00:00Z,voice,{A},{C},{B},",
    f"2026-03-02T11:00:00Z,voice,{A},{B},,0345 1112223",
    f"2026-03-02T12:00:00Z,voice,{A},{B},,",
    f"never,voice,{A},{B},,{C}",
)


def test_our_own_format_has_two_columns_for_it_as_text_and_as_parquet(tmp_path) -> None:
    text = tmp_path / "calls.csv"
    text.write_text("\n".join((OWN, *ROWS)) + "\n")
    rows = list(csv.DictReader(text.read_text().splitlines()))
    columns = {n: pa.array([r[n] or None for r in rows]) for n in rows[0]}
    packed = tmp_path / "calls.parquet"
    pq.write_table(pa.table(columns), packed)
    for path in (text, packed):
        assert told(path)[1] == [(B, C), (B, C)]


def test_a_delivery_told_twice_counts_once_and_within_the_span(tmp_path) -> None:
    text = tmp_path / "calls.csv"
    later = ROWS[1].replace("11:00:00Z", "11:00:02Z")
    text.write_text("\n".join((OWN, *ROWS[:2], later)) + "\n")
    tables = [b.forwards for b in read_calls(text, "PK")]
    once = forwarding.once([*tables, *tables], None, None)
    assert [r["start"].hour for r in once.to_pylist()] == [10, 11]
    until = once["start"].to_pylist()[1]
    assert len(forwarding.once(tables, None, until)) == 1


@pytest.fixture(scope="module")
def centre(tmp_path_factory) -> tuple[Path, list[str]]:
    town = Town()
    town.everybody()
    used = sorted(town.centre("77", cell="410-01-9-1"))
    path = town.write(tmp_path_factory.mktemp("town") / "calls.csv")
    return path, used


def ring(calls: Path, **beside: Path) -> Finding:
    (one,) = (f for f in find([calls], **beside).findings if f.kind == "calls.call_centre")
    return one


def with_forwards(path: Path, to: Path, used: list[str]) -> Path:
    """The same calls, with one number of the ring sending calls on, and one sent to it."""
    with path.open() as source, to.open("w", newline="") as out:
        rows = list(csv.DictReader(source))
        for at, row in enumerate(rows):
            row["forwarded_by"] = row["forwarded_to"] = ""
            if row["callee"] == TOWN[5] and row["caller"] in used:
                row["forwarded_by"] = TOWN[9]
            if at == 0:
                row |= {"callee": used[0], "forwarded_by": TOWN[8]}
            if at == 1:
                row |= {"callee": used[0], "forwarded_to": TOWN[7]}
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return to


def test_a_ring_tells_what_it_sends_on_and_is_sent(centre, tmp_path) -> None:
    path, used = centre
    complaints = tmp_path / "complaints.csv"
    complaints.write_text(
        f"complaint_id,received,suspect_number\nC1,2026-03-09T10:00:00Z,{TOWN[8]}\n"
    )
    given = with_forwards(path, tmp_path / "forwarding.csv", used)
    found = ring(given, complaints=complaints)
    says = {r.name: r.says for r in found.reasons}
    assert says["forwards"] == "1 of its numbers sent calls on to 1 number: 1 in all"
    assert says["forwarded_here"] == (
        "1 number sent calls on to it: 1 in all; complaints name 1 of those numbers"
    )
    links = [n for n in found.extra["links"] if n["reason"] == "forwarded"]
    assert {(n["a"], n["b"]) for n in links} == {
        (f"number:{TOWN[8]}", f"number:{used[0]}"), (f"number:{used[0]}", f"number:{TOWN[7]}"),
    }  # fmt: skip
    assert found.extra["links_in_all"]["forwarded"] == 2
    assert not {TOWN[7], TOWN[8]} & numbers_of(found)
    for reason in found.reasons:
        assert "+92" not in reason.says


def test_parquet_is_asked_where_it_stands_and_files_without_the_columns_tell_nothing_new(
    centre, tmp_path
) -> None:
    path, used = centre
    given = with_forwards(path, tmp_path / "forwarding.csv", used)
    made = {}
    for name, source, columns in (
        ("bare", path, ""),
        ("without", given, "EXCLUDE (forwarded_by, forwarded_to)"),
        ("empty", given, "REPLACE (NULL::VARCHAR AS forwarded_by, NULL::VARCHAR AS forwarded_to)"),
        ("told", given, ""),
    ):
        made[name] = tmp_path / f"{name}.parquet"
        asked = (
            f"COPY (SELECT * {columns} FROM read_csv('{source}', all_varchar=true)) "
            f"TO '{made[name]}' (FORMAT PARQUET)"
        )
        duckdb.sql(
            asked.replace(
                "SELECT *",
                "SELECT * REPLACE (CAST(start AS TIMESTAMPTZ) AS start,"
                " CAST(duration_s AS BIGINT) AS duration_s)",
            )
            if not columns
            else asked
        )
    told_ = ring(made["told"])
    assert {r.name for r in told_.reasons} >= {"forwards", "forwarded_here"}
    plain = ring(made["without"]).to_dict()
    empty = ring(made["empty"]).to_dict()
    for one in (plain, empty):  # what points at the bytes of another file differs
        one["records"] = []
    assert plain == empty
    assert not {r["name"] for r in plain["reasons"]} & {"forwards", "forwarded_here"}


# on a node


STATEMENT = "\n".join(
    (
        AIRTEL,
        *(
            f"{bare(PEOPLE[3])},CFW,{bare(PEOPLE[at])},0{at}/08/2024,10:11:12,65,404-1,Voice,"
            f"{bare(LINES[0])}"
            for at in (4, 5)
        ),
    )
).encode()


@pytest.fixture
def world(site, noon):
    """A node with a ring whose first number is sent calls by one of the people's."""
    ringed(site, noon)
    links = [{"a": f"number:{PEOPLE[3]}", "b": f"number:{LINES[0]}", "reason": "forwarded",
              "times": 2, "weight": 5.0}]  # fmt: skip
    keep_ring(site, "WR-P", extra={"links": links, "links_in_all": {"forwarded": 1}})
    return site


def brought(site, reference, data=STATEMENT, name="statement.csv"):
    actor = site.node.authorities.under(site.actor("inv"), reference)
    site.node.calls.ask_import(actor, io.BytesIO(data), name, layout="airtel", dates="day-first")
    while site.node.jobs.run_next():
        pass


def page_of(http, number):
    where = http.post("/calls/numbers", data={"number": number}).headers["location"]
    return words_of(http.get(where).text)


def test_a_numbers_page_tells_both_ways_also_where_its_own_calls_are_none(world) -> None:
    for _ in range(2):  # brought in twice it is kept once
        brought(world, "WR-P")
    http = client(world, reference="WR-P")
    sends = page_of(http, PEOPLE[3])
    assert f"sends calls on to {LINES[0]} 2" in sends
    assert f"is sent calls by {PEOPLE[3]} 2" in page_of(http, LINES[0])
    # what came in under one authority is told under no other
    assert "Forwarded calls" not in page_of(client(world, reference="WR-2"), LINES[0])


def test_a_file_taken_before_this_was_kept_tells_it_once_it_is_brought_in_again(world) -> None:
    brought(world, "WR-P")
    with world.node.kernel.rows.write() as session:  # as such a node has it
        session.execute(delete(SegmentRow).where(SegmentRow.dataset == forwarding.DATASET))
    http = client(world, reference="WR-P")
    assert "Forwarded calls" not in page_of(http, PEOPLE[3])
    brought(world, "WR-P")
    assert f"sends calls on to {LINES[0]} 2" in page_of(http, PEOPLE[3])


def test_a_number_outside_the_scope_is_masked_and_a_refused_row_tells_nothing(world, noon) -> None:
    draft = Draft(
        basis="peca_disclosure_warrant", reference="WR-4", issuer="A court",
        scope=Scope(frozenset({"calls"}), frozenset({f"number:{LINES[0]}"})),
        valid_from=noon, valid_until=noon + timedelta(days=9),
    )  # fmt: skip
    world.node.authorities.record(world.actor("inv"), draft, io.BytesIO(b"x"))
    other = STATEMENT.replace(bare(LINES[0]).encode(), bare(LINES[1]).encode())
    brought(world, "WR-4", STATEMENT + b"\n" + other.split(b"\n", 1)[1])
    text = page_of(client(world, reference="WR-4"), LINES[0])
    assert "is sent calls by masked ~" in text
    assert PEOPLE[3] not in text
    root = world.node.kernel.columns.root
    kept = pa.concat_tables([pq.read_table(p) for p in root.rglob("*") if "forwards" in str(p)
                             and p.is_file()])  # fmt: skip
    assert set(kept["forwarded_to"].to_pylist()) == {LINES[0]}


def test_a_rings_page_tells_who_sends_it_calls_masked_as_any_number(world) -> None:
    clear = words_of(client(world, reference="WR-P").get(f"/calls/rings/{world.ring}").text)
    assert f"Forwarded calls Sent on by Sent on to Calls {PEOPLE[3]} {LINES[0]} 2" in clear
    dark = words_of(client(world, reference="WR-2").get(f"/calls/rings/{world.ring}").text)
    assert "Sent on by" in dark
    assert PEOPLE[3] not in dark
    assert LINES[0] not in dark
