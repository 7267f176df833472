"""Proposals for files that end calls, part cells, count milliseconds, or hold no calls at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cordon.calls.commands import app
from cordon.calls.layouts import layouts
from cordon.calls.layouts.dates import day_of
from cordon.calls.layouts.languages import bare
from cordon.calls.learning import by_name, learn
from cordon.calls.lists.sessioned import are_sessions
from cordon.calls.unpacking import as_utf8
from cordon.kernel.console import Console
from support.proposing import IMEI, meanings, pairs, rows_by

SIM = "410011234567890"
COUNT = 24


def put(folder: Path, header: str, rows: Sequence[str], encoding: str = "utf-8") -> Path:
    path = folder / "given.csv"
    path.write_bytes(("\n".join([header, *rows]) + "\n").encode(encoding))
    return path


def proposed(path: Path, region: str, zone: str, said: Sequence[str] = ()):
    return learn(path, name="own", zone=zone, region=region, layouts=layouts(),
                 corrections=by_name(said))  # fmt: skip


def one_targets(target: str, other: str) -> list[dict[str, str]]:
    """Calls that a target makes and is given by turns, the last four of them messages."""
    rows = []
    for at, row in enumerate(pairs(other, other, COUNT)):
        a, b = (target, row["b"]) if at % 2 == 0 else (row["b"], target)
        rows.append({**row, "a": a, "b": b, "o": row["b"], "ms": f"{at * 7}000",
                     "out": str(at % 2 == 0), "sms": str(at >= COUNT - 4)})  # fmt: skip
    return rows


def told(rows: Sequence[dict[str, str]], at: int, *codes: str) -> str:
    """The code of a row, of those for out and in, or for a message out and in."""
    return codes[(rows[at]["out"] == "False") + 2 * (len(codes) > 2 and rows[at]["sms"] == "True")]


CASES = {
    "tr": (
        "TR", "Europe/Istanbul", "905321100900", "90533", "utf-8",
        "Sıra No,Hat,Diğer Numara,Yön,Tarih,Saat,Süre (sn),IMEI No,Baz İstasyonu",
        lambda rows, at, r: f"{at},905321100900,{r['o']},"
        f"{told(rows, at, 'Aradı', 'Arandi', 'Mesaj attı', 'Mesaj aldi')},"
        f"{r['day']},{r['time']},{r['s']},{IMEI},286-01-{r['cell']}",
        "286-01-{cell}",
    ),
    "ru": (
        "RU", "Europe/Moscow", "79101101909", "7905", "utf-16",
        "Абонент А,Абонент Б,Дата,Время,Длит.,Тип,IMEI,LAC,CID",
        lambda rows, at, r: f"{r['a']},{r['b']},{r['day'].replace('/', '.')},{r['time']},"
        f"{r['s']},{told(rows, at, 'Исх', 'Вх', 'Исх. SMS', 'Вх. SMS')},{IMEI},"
        f"{r['cell'].replace('-', ',')}",
        "{cell}",
    ),
    "es": (
        "ES", "Europe/Madrid", "34601099891", "3465", "latin-1",
        "Número origen,Número destino,Fecha,Hora,Duración (s),Tipo,Sentido,IMEI,Celda inicio,"
        "Celda fin",
        lambda rows, at, r: f"{r['a']},{r['b']},{r['day']},{r['time']},{r['s']},"
        f"{'SMS' if r['sms'] == 'True' else 'VOZ'},{told(rows, at, 'Saliente', 'Entrante')},{IMEI},"
        f"214-01-{r['cell']},214-01-9-{at}",
        "214-01-{cell}",
    ),
    "zh": (
        "CN", "Asia/Shanghai", "8613801106954", "861394", "gb18030",
        "用户号码,对方号码,通话日期,通话时间,通话时长,通话类型,呼叫类型,IMEI,基站",
        lambda rows, at, r: f"8613801106954,{r['o']},{r['day']},{r['time']},{r['s']},"
        f"{'短信' if r['sms'] == 'True' else '语音'},{told(rows, at, '主叫', '被叫')},{IMEI},"
        f"460-00-{r['cell']}",
        "460-00-{cell}",
    ),
    "fa": (
        "IR", "Asia/Tehran", "989121234567", "98935", "utf-8",
        "تماس گیرنده,مقصد,تاریخ,ساعت,مدت مکالمه,نوع,جهت,IMEI,دکل",
        lambda rows, at, r: f"{r['a']},{r['b']},{r['day']},{r['time']},{r['s']},"
        f"{'پیامک' if r['sms'] == 'True' else 'تماس'},{told(rows, at, 'خروجی', 'ورودی')},{IMEI},"
        f"432-11-{r['cell']}",
        "432-11-{cell}",
    ),
    "zong": (
        "PK", "Asia/Karachi", "923001098882", "92319", "utf-8",
        "MSISDN,CALL_ORIG_NUM,CALL_DIALED_NUM,STRT_TM,DURATION,CALL_TYPE,INBOUND_OUTBOUND_IND,"
        "CELL_ID,IMEI,LAT,LNG",
        lambda rows, at, r: f"923001098882,{r['a']},{r['b']},{r['day']} {r['time']},{r['s']},"
        f"{'SMS' if r['sms'] == 'True' else 'VOICE'},{told(rows, at, 'O', 'I')},"
        f"410-04-{r['cell']},{IMEI},33.6,73.1",
        "410-04-{cell}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_who_called_whom_is_told_from_a_file_as_it_is(tmp_path: Path, case: str) -> None:
    region, zone, target, other, encoding, header, line, cell = CASES[case]
    calls = one_targets(target, other)
    path = put(tmp_path, header, [line(calls, at, r) for at, r in enumerate(calls)], encoding)
    proposal = proposed(path, region, zone)
    assert proposal.lacks == ()
    read = rows_by(proposal, path, region)
    assert len(read) == COUNT
    for row, given in zip(sorted(read, key=lambda r: r["row"]), calls, strict=True):
        ends = (row["caller"], row["callee"])
        assert ends == (f"+{given['a']}", f"+{given['b']}")
        assert row["kind"] == ("sms" if given["sms"] == "True" else "voice")
        assert row["duration_s"] == int(given["s"])
        mine, others = ("caller", "callee") if given["out"] == "True" else ("callee", "caller")
        assert (row[f"{mine}_imei"], row[f"{others}_imei"]) == (IMEI, None)
        place = "-".join(str(int(p)) for p in given["cell"].split("-"))
        assert row[f"{mine}_cell"] == cell.format(cell=place)


def test_an_end_without_a_duration_is_proposed_and_read(tmp_path: Path) -> None:
    path = put(tmp_path, "A Number,B Number,Start Time,Call End Time,End Cell", [
        f"{r['a']},{r['b']},{r['day']} 10:00:00,{r['day']} 10:02:{at:02},410-01-1-{at}"
        for at, r in enumerate(pairs("92300", "92321"))
    ])  # fmt: skip
    proposal = proposed(path, "PK", "Asia/Karachi")
    assert meanings(proposal) == ["caller", "callee", "start", "end", ""]
    assert [r["duration_s"] for r in rows_by(proposal, path, "PK")] == [*range(120, 160)]


@pytest.mark.parametrize("header", ["Ende", "Heure de fin", "Ora fine", "Hora fin", "Bitiş saati"])
def test_an_end_is_known_in_other_languages(tmp_path: Path, header: str) -> None:
    path = put(tmp_path, f"A Number,B Number,Start Time,{header}", [
        f"{r['a']},{r['b']},{r['day']} 10:00:00,10:02:{at:02}"
        for at, r in enumerate(pairs("92300", "92321"))
    ])  # fmt: skip
    assert meanings(proposed(path, "PK", "Asia/Karachi"))[3] == "end"


def test_milliseconds_and_areas_are_proposed_and_read(tmp_path: Path) -> None:
    rows = [
        f"{r['a']},{r['b']},17172303{at:02}000,{at}000,MOC,{IMEI},7,{r['cell'].split('-')[1]}"
        for at, r in enumerate(pairs("92300", "92321"))
    ]
    path = put(tmp_path, "a_number,b_number,event_ts,dur_ms,event,imei,lac,cell", rows)
    proposal = proposed(path, "PK", "Asia/Karachi")
    assert meanings(proposal)[2:] == ["start", "duration_ms", "direction", "imei", "area", "cell"]
    read = rows_by(proposal, path, "PK")
    assert [r["duration_s"] for r in read] == [*range(40)]
    assert {r["start"].minute for r in read} == {25}  # 08:25 UTC
    assert all(r["caller_cell"].startswith("7-") for r in read)
    # which network it is nobody says, and that is told
    assert any(n.startswith("lac and cell together") and "network:" in n for n in proposal.notes)
    # a header that says no unit: whole thousands show it
    plain = put(tmp_path, "a_number,b_number,event_ts,duration,event,imei,lac,cell", rows)
    assert meanings(proposed(plain, "PK", "Asia/Karachi"))[3] == "duration_ms"


def test_an_amount_in_thousands_is_no_duration(tmp_path: Path) -> None:
    path = put(tmp_path, "a_number,b_number,start time,charge", [
        f"{r['a']},{r['b']},2025-03-{1 + at % 28:02} {r['time']},{at}000"
        for at, r in enumerate(pairs("92300", "92321"))
    ])  # fmt: skip
    assert "duration_ms" not in meanings(proposed(path, "PK", "Asia/Karachi"))


def test_numbers_of_cells_are_no_durations(tmp_path: Path) -> None:
    path = put(tmp_path, "a_number,b_number,start time,Sector", [
        f"{r['a']},{r['b']},2025-03-{1 + at % 28:02} {r['time']},{30_000 + 131 * at}"
        for at, r in enumerate(pairs("92300", "92321"))
    ])  # fmt: skip
    assert meanings(proposed(path, "PK", "Asia/Karachi"))[3] != "duration_s"


def test_many_calls_to_oneself_are_a_fault_of_the_proposal(tmp_path: Path) -> None:
    """The line whose statement it is stands beside who called and whom it called."""
    target = "923001234567"
    said = ["line=caller", "y=callee"]
    for own, kept in ((12, 28), (3, 40)):
        path = put(tmp_path, "line,y,start time,duration", [
            f"{target},{target if at < own else r['b']},2025-03-{1 + at % 28:02} {r['time']},"
            f"{r['s']}"
            for at, r in enumerate(pairs("92300", "92321"))
        ])  # fmt: skip
        trial = proposed(path, "PK", "Asia/Karachi", said).trial
        assert trial is not None
        assert trial.kept == kept
        assert ("one of the two columns is wrong" in trial.says) == (kept < 40)


SESSIONS = "MSISDN,Source IP Address,Source Port,Start Time,End Time,Data volume up,IMEI"


def test_internet_sessions_are_called_so_and_what_to_do(tmp_path: Path) -> None:
    path = put(tmp_path, SESSIONS, [
        f"{r['a']},10.0.0.{at},{40_000 + at},2025-03-{1 + at % 28:02} {r['time']},"
        f"2025-03-{1 + at % 28:02} {r['time']},{at * 100},{IMEI}"
        for at, r in enumerate(pairs("92300", "92321"))
    ])  # fmt: skip
    proposal = proposed(path, "PK", "Asia/Karachi")
    assert proposal.lacks[0].startswith("These look like internet sessions")
    assert "--kind sessions" in proposal.lacks[0]
    # whoever says what columns mean is told it, and not held up by it
    said = proposed(path, "PK", "Asia/Karachi", ["MSISDN=caller"])
    assert said.notes[0] == proposal.lacks[0]
    assert proposal.lacks[0] not in said.lacks


def test_a_layout_that_lacks_something_is_not_called_ready(tmp_path: Path) -> None:
    path = put(tmp_path, "a_number,b_number,start time,duration,ip,port", [
        f"{r['a']},{r['b']},2025-03-{1 + at % 28:02} {r['time']},{r['s']},10.0.0.1,{at}"
        for at, r in enumerate(pairs("92300", "92321"))
    ])  # fmt: skip
    words = ["layout", "learn", str(path), "--out", str(tmp_path / "own.yaml")]
    console = Console(lambda: pytest.fail("no node is needed"))
    answer = CliRunner().invoke(app, words, obj=console)
    assert answer.exit_code == 0
    assert "is ready" not in answer.output
    assert "cannot be used before" in " ".join(answer.output.split())
    words += ["--set", "ip=none", "--set", "port=none"]
    assert "is ready" in CliRunner().invoke(app, words, obj=console).output


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (SESSIONS, True),
        ("MSISDN,IP,Session Duration,APN", True),
        ("Calling,Called,Date,Time,Duration,Ported,Cell", False),
        ("Calling,Called,Date,Time,Duration,IP,Cell", False),  # of a call over the internet
    ],
)
def test_sessions_are_told_by_two_signs(header: str, told: bool) -> None:
    assert are_sessions(header.split(",")) is told


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("主叫号码,2024-06-01,语音", "gb18030"), ("Numéro;Müller;Größe;Señal", "cp1252"),
     ("Duração;Ligação;Operação", "cp1252"),
     ("Número;ÄÖ", "cp1252"), ("رقم المتصل", "utf-8"), ("主叫号码", "utf-8")],
)  # fmt: skip
def test_chinese_is_told_from_western_letters(text: str, encoding: str) -> None:
    assert as_utf8(text.encode(encoding)).decode() == text


def test_letters_of_turkish_are_compared_without_marks() -> None:
    assert bare("SIRA İSTASYON ığüşöç") == bare("sira istasyon igusoc")


@pytest.mark.parametrize(
    "text", ["5 septiembre 2024", "5 eylül 2024", "5 сентября 2024", "September 5, 2024"]
)
def test_months_by_their_names(text: str) -> None:
    assert day_of(text, "dmy") == (datetime(2024, 9, 5) - datetime(1970, 1, 1)).days
