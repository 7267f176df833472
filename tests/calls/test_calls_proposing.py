"""What is proposed for files of operators nobody has a layout for, and tried on their own rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cordon.calls.commands import app
from cordon.calls.layouts import layouts
from cordon.calls.layouts.durations import seconds_of
from cordon.calls.layouts.languages import languages, words
from cordon.calls.layouts.model import FIELDS
from cordon.calls.learning import by_name, learn
from cordon.calls.reading import read_calls
from cordon.kernel.console import Console
from support.proposing import IMEI, meanings, pairs, rows_by

TARGET = "923001234567"
Put = Callable[[str, Sequence[str]], Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def write(header: str, rows: Sequence[str]) -> Path:
        path = tmp_path / "given.csv"
        path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
        return path

    return write


def proposed(path: Path, region: str = "PK", said: Sequence[str] = ()):
    return learn(path, name="own", zone="Asia/Karachi", region=region, layouts=layouts(),
                 corrections=by_name(said))  # fmt: skip


LETTERED = "MSISDN_A,MSISDN_B,Date & Time,Duration,Cell ID,IMEI,Call Direction"


def test_a_direction_of_an_a_and_a_b_is_the_targets(put: Put) -> None:
    ways = ("Incoming", "Outgoing")
    path = put(LETTERED, [
        f"{r['a']},{r['b']},{r['day']} {r['time']},{r['s']},410-03-{r['cell']},{r['imei']},"
        f"{ways[int(r['coin'])]}"
        for r in pairs("92300", "92321")
    ])  # fmt: skip
    proposal = proposed(path)
    assert meanings(proposal) == [
        "target", "other", "start", "duration_s", "cell", "imei", "direction",
    ]  # fmt: skip
    assert proposal.trial is not None
    assert (proposal.trial.rows, proposal.trial.kept) == (40, 40)
    assert "MSISDN_A is taken for the target's number" in proposal.notes[0]
    # as the sentence says, it can be said otherwise
    said = proposed(path, said=["MSISDN_A=caller", "MSISDN_B=callee"])
    assert meanings(said)[:2] == ["caller", "callee"]
    assert said.notes == ()


def test_a_statement_whose_headers_say_caller_is_one_all_the_same(put: Put) -> None:
    """A-Party is the target in every row; taken for the caller, half of the calls turn around."""
    header = "Sr #,Call Type,A-Party,B-Party,Date & Time,Duration,Cell ID,IMEI,Site"
    ways = ("Incoming", "Outgoing SMS")
    path = put(header, [
        f"{at},{ways[int(r['coin'])]},{TARGET},{r['b']},{r['day']} {r['time']},{r['s']},"
        f"{r['cell'].split('-')[1]},{IMEI},Lahore"
        for at, r in enumerate(pairs("92300", "92321"))
    ])  # fmt: skip
    proposal = proposed(path)
    assert meanings(proposal)[1:4] == ["direction", "target", "other"]
    read = rows_by(proposal, path, "PK")
    assert len(read) == 40
    for row in read:
        inward = row["kind"] == "voice"
        assert row["callee" if inward else "caller"] == f"+{TARGET}"
        assert row["callee_imei" if inward else "caller_imei"] == IMEI


@pytest.mark.parametrize(
    ("region", "start", "header", "codes"),
    [
        ("FR", "3361", "Date;Heure;Numéro appelant;Numéro appelé;Durée;Type;Sens;IMEI;Cellule",
         (("Voix", "SMS"), ("Entrant", "Sortant"))),
        ("DE", "491511", "Datum;Uhrzeit;Rufnummer A;Rufnummer B;Dauer (s);Dienst;Richtung;IMEI;"
         "Funkzelle", (("Sprache", "SMS"), ("ausgehend", "eingehend"))),
        ("IT", "39333", "Data;Ora;Numero chiamante;Numero chiamato;Durata;Tipo;Direzione;IMEI;"
         "Cella", (("Voce", "SMS"), ("Entrante", "Uscente"))),
        ("AE", "97150", "التاريخ;الوقت;رقم المتصل;رقم المستقبل;المدة;نوع;الاتجاه;IMEI;معرف الخلية",
         (("مكالمة", "رسالة"), ("واردة", "صادرة"))),
        ("PK", "92300", "تاریخ;وقت;نمبر;دوسرا نمبر;دورانیہ;قسم;سمت;آئی ایم ای آئی;سیل",
         (("کال", "پیغام"), ("آمدہ", "روانہ"))),
    ],
)  # fmt: skip
def test_headers_in_other_languages(put: Put, region, start, header, codes) -> None:
    kinds, ways = codes
    path = put(header, [
        f"{r['day']};{r['time']};{r['a']};{r['b']};{r['s']};{kinds[int(r['coin'])]};"
        f"{ways[at % 2]};{r['imei']};262-01-{r['cell']}"
        for at, r in enumerate(pairs(start, start))
    ])  # fmt: skip
    proposal = proposed(path, region)
    found = meanings(proposal)
    assert found[:2] == ["date", "time"]
    assert set(found[2:4]) in ({"caller", "callee"}, {"target", "other"})
    assert found[4:] == ["duration_s", "kind", "direction", "imei", "cell"]
    assert min(g.confidence for g in proposal.guesses) > 0.5
    assert proposal.trial is not None
    assert (proposal.trial.kept, proposal.lacks) == (40, ())
    read = rows_by(proposal, path, region)
    assert {r["kind"] for r in read} == {"voice", "sms"}
    # where a column is of both ends, it is whose handset it is that the direction tells
    assert {bool(r["caller_imei"]) for r in read} == {True, False}


def test_a_cell_is_no_number(put: Put) -> None:
    """262-01-… has as many digits as a number, and is one of another country's plan."""
    path = put("Day;Clock;First;Second;Where;Length", [
        f"{r['day']};{r['time']};{r['a']};{r['b']};262-01-{r['cell']};{r['s']}"
        for r in pairs("491511", "491711")
    ])  # fmt: skip
    found = meanings(proposed(path, "DE"))
    assert found == ["date", "time", "caller", "callee", "cell", "duration_s"]


def test_the_meanings_under_which_more_rows_are_read(put: Put) -> None:
    """The header says that the first column is a duration; its values are none."""
    path = put("Date,Time,Calling No,Called No,Duration,Seconds", [
        f"{r['day']},{r['time']},{r['a']},{r['b']},{9 * 10**5 + at},{r['s']}"
        for at, r in enumerate(pairs("92300", "92321"))
    ])  # fmt: skip
    proposal = proposed(path)
    assert proposal.trial is not None
    assert proposal.trial.kept == 40
    assert meanings(proposal)[4:] == ["", "duration_s"]


def test_a_few_odd_rows_cost_no_column(put: Put) -> None:
    rows = [
        f"{r['day']},{r['time']},{r['a']},{r['b']},{r['s']},{'12' if at < 3 else r['imei']}"
        for at, r in enumerate(pairs("92300", "92321"))
    ]
    proposal = proposed(put("Date,Time,Calling No,Called No,Duration,IMEI A", rows))
    assert meanings(proposal)[-1] == "caller_imei"
    assert proposal.trial is not None
    assert proposal.trial.says == (
        "Tried on 40 rows of the file: 37 are read, 3 are refused: "
        "3 because caller_imei has not 14 to 16 digits."
    )


def test_a_handset_that_is_nobodys_is_said(put: Put) -> None:
    path = put("Date,Time,Calling No,Called No,Duration,IMEI", [
        f"{r['day']},{r['time']},{r['a']},{r['b']},{r['s']},{r['imei']}"
        for r in pairs("92300", "92321")
    ])  # fmt: skip
    (note,) = proposed(path).notes
    assert "No column tells whose IMEI it is" in note
    said = proposed(path, said=["IMEI=caller_imei"])
    assert said.notes == ()
    assert all(r["caller_imei"] for r in rows_by(said, path, "PK"))


def test_codes_that_none_knows_are_named(put: Put) -> None:
    rows = [
        f"{TARGET},{r['b']},{r['day']},{r['time']},{r['s']},{'IN' if at % 3 else 'XYZ'}"
        for at, r in enumerate(pairs("92300", "92321"))
    ]
    proposal = proposed(put("Target No,Other No,Date,Time,Duration,Call Type", rows))
    assert any("values of Call Type: xyz" in note for note in proposal.notes)
    assert proposal.trial is not None
    assert proposal.trial.refused == 14


def test_the_command_says_what_the_trial_gave(put: Put) -> None:
    path = put(LETTERED, [
        f"{r['a']},{r['b']},05/06/2025 {r['time']},{r['s']},410-03-{r['cell']},{r['imei']},MT"
        for r in pairs("92300", "92321")
    ])  # fmt: skip
    console = Console(lambda: pytest.fail("no node is needed"))
    answer = CliRunner().invoke(app, ["layout", "learn", str(path)], obj=console)
    assert answer.exit_code == 0, answer.output
    assert "40 are read, none is refused" in answer.output
    assert "whether day or month stands first" in answer.output


def test_the_order_of_dates_that_was_said_is_kept(put: Put) -> None:
    def said(day: str, *words: str):
        path = put(LETTERED, [
            f"{r['a']},{r['b']},{day} {r['time']},{r['s']},410-03-{r['cell']},{r['imei']},MT"
            for r in pairs("92300", "92321")
        ])  # fmt: skip
        out = path.parent / "own.yaml"
        console = Console(lambda: pytest.fail("no node is needed"))
        given = ["layout", "learn", str(path), "--out", str(out), *words]
        return path, out, CliRunner().invoke(app, given, obj=console)

    path, out, answer = said("05/06/2025", "--dates", "month-first")
    assert answer.exit_code == 0, answer.output
    (batch,) = list(read_calls(path, "PK", layout=str(out)))
    assert {t.month for t in batch.table["start"].to_pylist()} == {5}
    assert said("25/06/2025", "--dates", "month-first")[2].exit_code != 0


def test_statements_of_two_targets_in_one_file(put: Put) -> None:
    def of(target: str, rows: list[dict[str, str]]) -> list[str]:
        return [
            f"{target},{r['b']},{r['day']} {r['time']},00:0{r['coin']}:05,{way}"
            for r, way in zip(rows, ["Incoming", "Outgoing"] * 20, strict=True)
        ]

    head = "A Number,B Number,Date & Time,Duration,Call Type"
    rows = pairs("92300", "92321")
    path = put(head, [*of(TARGET, rows), "Total,40", "Statement of the second", head,
                      *of("923219999999", rows)])  # fmt: skip
    proposal = proposed(path)
    assert meanings(proposal)[:2] == ["target", "other"]
    read = rows_by(proposal, path, "PK")
    assert len(read) == 80
    inward = [r for r in read if r["callee"] in (f"+{TARGET}", "+923219999999")]
    assert len(inward) == 40


def test_durations_in_words_and_numbers_of_rows(put: Put) -> None:
    texts = ["1 min 35 s", "45 s", "2 min", "1m 5s", "1 hr 2 min 3 sec"] * 8
    path = put("S#;Calling No;Called No;Call Date;Call Time;Talk Time", [
        f"{at};{r['a']};{r['b']};{r['day']};11:59:07 PM;{text}"
        for at, (r, text) in enumerate(zip(pairs("92300", "92321"), texts, strict=True))
    ])  # fmt: skip
    proposal = proposed(path)
    assert meanings(proposal) == ["", "caller", "callee", "date", "time", "duration_s"]
    seconds = [r["duration_s"] for r in rows_by(proposal, path, "PK")]
    assert seconds[:5] == [95, 45, 120, 65, 3723]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:01:35", 95), ("01:35", 95), ("75:10", 4510), ("1:00:00", 3600), ("1 min 35 s", 95),
     ("2 hours", 7200), ("", None), ("95", None), ("soon", None), ("1:2:3:4", None)],
)  # fmt: skip
def test_durations(text: str, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


def test_more_columns_of_digits_than_a_call_has_ends(put: Put) -> None:
    path = put("MSISDN,Other Party,Type,Start Time,End Time,LAC,CI,IMEI", [
        f"{TARGET},{r['b']},{way},2025-12-03 {r['time']},2025-12-03 {r['time']},3021,"
        f"{10**4 + 7 * at},{IMEI}"
        for at, (r, way) in enumerate(zip(pairs("92300", "92321"),
                                          ["MOC", "SMS-MT"] * 20, strict=True))
    ])  # fmt: skip
    proposal = proposed(path)
    assert meanings(proposal) == [
        "target", "other", "direction", "start", "end", "area", "cell", "imei",
    ]  # fmt: skip
    assert {r["kind"] for r in rows_by(proposal, path, "PK")} == {"voice", "sms"}


def test_headers_that_stand_twice(put: Put) -> None:
    path = put("Date Time,Calling Number,Called Number,Cell A,Cell A,Seconds,Record Type,", [
        f"2025-12-03T{r['time']},{r['a']},{r['b']},410-01-{r['cell']},410-01-1-1,{r['s']},"
        f"{('Call', 'Text')[int(r['coin'])]},"
        for r in pairs("92300", "92321")
    ])  # fmt: skip
    proposal = proposed(path)
    read = rows_by(proposal, path, "PK")
    assert len(read) == 40
    assert {r["kind"] for r in read} == {"voice", "sms"}
    assert len({r["caller_cell"] for r in read}) > 30  # the first of the two


def test_every_language_is_data_that_holds() -> None:
    assert {one.name for one in languages()} == {
        "ar", "de", "en", "es", "fa", "fr", "it", "ru", "tr", "ur", "zh",
    }  # fmt: skip
    for one in languages():
        assert {m for _, m, _ in one.headers} <= FIELDS | {""}
        assert set(one.directions.values()) == {"in", "out"}
        assert set(one.kinds.values()) == {"voice", "sms"}
    assert words("Numéro_appelé (B)") == "numero appele b"
