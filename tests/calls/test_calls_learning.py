"""A layout is proposed for files that none is known for, and reads them once it is looked over."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result
from openpyxl import Workbook
from typer.testing import CliRunner

from cordon.calls.commands import app
from cordon.calls.layouts import all_layouts, layouts
from cordon.calls.learning import by_name, learn, name_of, zone_of
from cordon.calls.reading import read_calls
from cordon.kernel.console import Console
from cordon.kernel.errors import BadInput, BadUsage

TARGET = "923001234567"
HEADER = ("Sr", "Subject MSISDN", "Contact Number", "Event Date", "Event Hour", "Talk Time",
          "Usage", "Device IMEI", "SIM IMSI", "Serving Site", "Remarks")  # fmt: skip


def with_check_digit(body: str) -> str:
    total = sum(sum(divmod(int(d) * 2, 10)) if at % 2 else int(d) for at, d in enumerate(body))
    return f"{body}{-total % 10}"


IMEI = with_check_digit("35209900176148")


def rows(count: int = 60) -> list[list[str]]:
    rng = random.Random(7)
    return [
        [str(n), TARGET, f"0{rng.choice([300, 321, 333])}{rng.randrange(10**7):07}",
         f"{rng.randrange(1, 29):02}/0{rng.randrange(1, 10)}/2026",
         f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}",
         str(rng.randrange(400)), rng.choice(["Incoming", "Outgoing", "SMS-IN", "SMS-OUT"]),
         IMEI, "410011234567890",
         f"410-01-{rng.randrange(900)}-{rng.randrange(60000)}", "ok"]
        for n in range(1, count + 1)
    ]  # fmt: skip


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    def write(lines: list[str], name: str = "jazz.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def proposed(path: Path, corrections: dict[str, str] | None = None, folder: Path | None = None):
    return learn(
        path,
        name="jazz",
        zone="Asia/Karachi",
        region="PK",
        layouts=all_layouts(folder),
        corrections=corrections,
    )


def meanings(proposal) -> dict[str, str]:
    return {g.column: g.meaning for g in proposal.guesses if g.meaning}


EXPECTED = {
    "Subject MSISDN": "target", "Contact Number": "other", "Event Date": "date",
    "Event Hour": "time", "Talk Time": "duration_s", "Usage": "direction",
    "Device IMEI": "imei", "SIM IMSI": "imsi", "Serving Site": "cell",
}  # fmt: skip


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_statement_is_learned_and_read(put, tmp_path: Path, sign: str) -> None:
    path = put(["Some Operator", f"Number: {TARGET}", sign.join(HEADER), *map(sign.join, rows())])
    proposal = proposed(path)
    assert meanings(proposal) == EXPECTED
    assert proposal.lacks == ()
    assert min(g.confidence for g in proposal.guesses if g.meaning) > 0.5
    out = tmp_path / "jazz.yaml"
    out.write_text(proposal.as_yaml())
    reading = read_calls(path, "PK", layout=str(out))
    found = [r for batch in reading for r in batch.table.to_pylist()]
    assert (len(found), reading.counts.refused) == (60, 0)
    assert {r["kind"] for r in found} == {"voice", "sms"}
    assert all(f"+{TARGET}" in (r["caller"], r["callee"]) for r in found)
    # in a folder of one's own it is found by its columns
    auto = read_calls(path, "PK", folder=tmp_path)
    assert sum(len(b.table) for b in auto) == 60
    assert auto.layout == "jazz"


def test_no_whole_value_is_shown(put) -> None:
    proposal = proposed(put([",".join(HEADER), *map(",".join, rows())]))
    for guess in proposal.guesses:
        assert not any(c.isdigit() and c != "9" for look in guess.looks for c in look)
    assert TARGET not in proposal.as_yaml()


def test_the_columns_tell_where_the_header_does_not(put) -> None:
    head = [f"Field {chr(65 + n)}" for n in range(len(HEADER))]
    proposal = proposed(put([",".join(head), *map(",".join, rows())]))
    found = set(meanings(proposal).values())
    assert {"date", "time", "imei", "imsi", "cell", "direction"} <= found
    sure = {g.meaning: g.confidence for g in proposal.guesses}
    assert sure["date"] < 0.6  # a header would say more


def test_a_workbook_and_a_printed_report(put, tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["Some Operator"])
    book.active.append(HEADER)
    for row in rows():
        book.active.append(row)
    book.save(tmp_path / "jazz.xlsx")
    assert meanings(proposed(tmp_path / "jazz.xlsx")) == EXPECTED
    widths = [max(len(str(v)) for v in column) + 2 for column in zip(HEADER, *rows(), strict=True)]

    def line(values) -> str:
        return "".join(v.ljust(w) for v, w in zip(values, widths, strict=True))

    rule = "".join("-" * (w - 1) + " " for w in widths)
    path = put(["Some Operator", "", line(HEADER), rule, *map(line, rows())], "jazz.txt")
    proposal = proposed(path)
    assert meanings(proposal) == EXPECTED
    assert proposal.layout["shape"] == "fixed"
    out = tmp_path / "fixed.yaml"
    out.write_text(proposal.as_yaml())
    assert sum(len(b.table) for b in read_calls(path, "PK", layout=str(out))) == 60


def test_what_was_corrected_is_kept_and_learned(put, tmp_path: Path) -> None:
    path = put([",".join(HEADER), *map(",".join, rows())])
    corrected = by_name(["Remarks=trunk_in", "serving site=none"])
    proposal = proposed(path, corrected)
    assert meanings(proposal)["Remarks"] == "trunk_in"
    assert "Serving Site" not in meanings(proposal)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "jazz.yaml").write_text(proposal.as_yaml())
    assert yaml.safe_load(proposal.as_yaml())["corrected"] == {
        "remarks": "trunk_in", "serving site": "none",
    }  # fmt: skip
    again = put([",".join([*HEADER[:-2], "Remarks", "Serving Site"]), *map(",".join, rows())])
    learned = meanings(proposed(again, folder=folder))
    assert learned["Remarks"] == "trunk_in"
    assert "Serving Site" not in learned
    for wrong in (["Colour=imei"], ["Remarks=colour"]):
        with pytest.raises(BadUsage):
            proposed(path, by_name(wrong))
    with pytest.raises(BadUsage, match="COLUMN=MEANING"):
        by_name(["Remarks"])


def test_what_it_lacks_is_said(put) -> None:
    head = "Sr,Usage,Talk Time,Serving Site"
    proposal = proposed(put([head, *(f"{n},Incoming,{n},410-01-1-{n}" for n in range(9))]))
    assert proposal.lacks == (
        "No column holds dates.",
        "It is not clear which columns hold the two numbers of a call.",
    )
    with pytest.raises(BadInput, match="no line that looks like a header"):
        proposed(put(["a", "b", "1,2,3"]))


@pytest.mark.parametrize("layout", [one for one in layouts() if not one.own], ids=lambda o: o.name)
def test_the_headers_of_every_layout_mean_the_same_again(put, layout) -> None:
    """Each built-in layout is proposed anew from its own header and rows of its kind."""
    fields = {names[0]: field for field, names in layout.columns.items()}
    values = {
        "target": TARGET, "other": "03217654321", "caller": TARGET, "callee": "03217654321",
        "date": "28/03/2026", "time": "10:11:12", "duration_s": "65",
        "direction": next(iter(layout.directions), ""), "kind": next(iter(layout.kinds), ""),
        "trunk_in": "TG1", "trunk_out": "TG2",
    }  # fmt: skip

    def value(field: str) -> str:
        held = {"imei": IMEI, "imsi": "410011234567890", "cell": "410-01-1-2"}
        return next((text for name, text in held.items() if name in field), values.get(field, ""))

    row = ",".join(value(f) for f in fields.values())
    found = meanings(proposed(put([",".join(fields), *[row] * 9])))
    wrong = {c: (m, fields[c]) for c, m in found.items() if m != fields[c]}
    assert all({m, f} <= {"direction", "kind"} for m, f in wrong.values()), wrong
    needed = {"date", "time", *(("target", "other") if "target" in fields.values() else ())}
    assert needed <= set(found.values())


def test_names_and_clocks() -> None:
    assert name_of(Path("CDR 923001234567 June.xlsx")) == "cdr-june"
    assert name_of(Path("923001234567.csv")) == "learned"
    assert zone_of("pk") == "Asia/Karachi"
    assert zone_of("XX") == ""


def test_the_commands(put, tmp_path: Path) -> None:
    path = put([",".join(HEADER), *map(",".join, rows())])
    console = Console(lambda: pytest.fail("no node is needed"))

    def ran(*words: object) -> str:
        answer = CliRunner().invoke(app, [str(w) for w in words], obj=console)
        assert answer.exit_code == 0, answer.output
        return answer.output

    out = tmp_path / "own" / "jazz.yaml"
    out.parent.mkdir()
    learned = ran("layout", "learn", path, "--out", out)
    assert "Subject MSISDN" in learned
    assert TARGET not in learned
    assert "subject msisdn" in ran("layout", "show", out)
    assert "known by" in ran("layouts")
    assert '"jazz"' in ran("layout", "list", "--layouts", out.parent, "--json")


def learned_by(path: Path, *words: object) -> Result:
    console = Console(lambda: pytest.fail("no node is needed"))
    given = ["layout", "learn", str(path), *map(str, words)]
    return CliRunner().invoke(app, given, obj=console)


def test_a_country_of_several_clocks_asks_which(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text(
        "A Number,B Number,Start Time,Duration,Type\n"
        + "79161234567,79261234567,2026-01-05 10:00:00,60,MOC\n" * 12
    )
    asked = learned_by(path, "--region", "RU")
    assert isinstance(asked.exception, BadUsage)
    assert "Europe/Kaliningrad" in asked.exception.advice
    assert learned_by(path, "--region", "RU", "--zone", "Europe/Moscow").exit_code == 0


def test_a_layout_by_which_no_row_is_read_is_not_called_ready(tmp_path: Path) -> None:
    path, out = tmp_path / "invoice.csv", tmp_path / "own.yaml"
    path.write_text("Item,Amount,Note,Colour,Shelf\n" + "Paper,12,new,blue,A\n" * 20)
    learned = learned_by(path, "--out", out)
    assert isinstance(learned.exception, BadInput)
    assert "none of the rows" in str(learned.exception)
    assert "--set" in learned.exception.advice
