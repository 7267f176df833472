"""An account and a currency told on the form, for files that tell neither; and after a failure."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest

from cordon.cli import run
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Scope
from cordon.kernel.errors import BadInput
from cordon.money.given import told_account, told_currency

OWN = "PK36SCBL0000001123456702"
BARE = b"Date,Description,Debit,Credit,Balance\n25-Mar-26,ATM withdrawal,500.00,,1500.00\n"


@pytest.fixture
def http(site, noon):
    site.officer("inv", "investigator")
    for reference in ("WR-1", "WR-2"):
        draft = Draft(
            basis="peca_disclosure_warrant", reference=reference, issuer="A court",
            scope=Scope(frozenset({"payments"}), None),
            valid_from=noon, valid_until=noon + timedelta(days=20),
        )  # fmt: skip
        site.node.authorities.record(site.actor("inv"), draft, io.BytesIO(b"x"))
    client = site.client("inv")
    choose(site, client, "WR-1")
    return client


def choose(site, client, reference):
    one = site.node.authorities.find(site.console, reference).id
    assert client.post(f"/authorities/{one}/choose").status_code == 303


def sent(http, **form):
    return http.post(
        "/money/import",
        files={"file": ("s.csv", BARE)},
        data={"kind": "payments", "layout": "auto", **form},
    )


def ended(site, http, where):
    while site.node.jobs.run_next():
        pass
    return http.get(where).text


def test_what_the_form_tells_is_read_with(site, http):
    answer = sent(http, account="PK36 SCBL 0000 0011 2345 6702", currency="pkr")
    assert answer.status_code == 303
    page = ended(site, http, answer.headers["location"])
    assert 'data-state="done"' in page, page


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"account": "PK37SCBL0000001123456702"}, "check digits do not fit"),
        ({"account": "<b>1"}, "The account that was told is none."),
        ({"currency": "Rs."}, "for example PKR"),
    ],
)
def test_what_is_none_is_said_before_a_file_is_taken(site, http, form, says):
    answer = sent(http, **form)
    assert answer.status_code == BadInput.status
    assert says in answer.text
    assert "<b>1" not in answer.text
    assert next(iter(form.values())).replace("<b>", "&lt;b&gt;") in answer.text  # to be mended
    assert site.node.money.brings.lately(site.actor("inv")) == []


def test_a_file_that_failed_is_tried_again_with_what_it_lacked(site, http):
    where = sent(http).headers["location"]
    page = ended(site, http, where)
    assert 'data-state="failed"' in page
    assert "tell it with the file (account)" in page
    form = {"kind": "payments", "layout": "auto", "account": OWN, "currency": "PKR"}
    answer = http.post(f"{where}/0/again", data=form)
    assert answer.status_code == 303, answer.text
    assert 'data-state="done"' in ended(site, http, where)
    assert http.get(f"{where}/0/rejects.csv").text.splitlines() == ["file,row,reason"]


def test_the_page_says_where_balances_break_off(site, http):
    data = b"Date,Description,Debit,Credit,Balance\n" + b"".join(
        b"%d-Mar-26,x,,100.00,%d.00\n" % (day, 100 * day) for day in (20, 21, 22, 24, 25)
    )
    answer = http.post(
        "/money/import",
        files={"file": ("s.csv", data)},
        data={"kind": "auto", "account": OWN, "currency": "PKR"},
    )
    page = ended(site, http, answer.headers["location"])
    assert "Row 4: its balance is 2400.00" in page
    assert "it should be 2300.00: a row is missing there, or one was changed." in page


def test_under_another_authority_the_account_is_not_shown(site, http):
    where = sent(http, account=OWN).headers["location"]
    assert OWN in ended(site, http, where)
    choose(site, http, "WR-2")
    assert OWN not in http.get(where).text


def test_the_other_language_says_it_too(http):
    page = http.get("/money/import", headers={"Accept-Language": "ur"}).text
    assert "گوشوارہ کس اکاؤنٹ کا ہے" in page


def test_accounts_with_leading_zeros_and_national_forms() -> None:
    assert told_account("0012-3456 7890") == "0012-3456 7890"
    assert told_account("it60 x054 2811 1010 0000 0123 456") == "IT60X0542811101000000123456"
    assert told_currency(" eur ") == "EUR"


STATEMENT = """Date,Description,Debit,Credit,Balance
01-MAR-26,IBFT from Hina,,"50,000.00","50,000.00"
02-MAR-26,ATM CASH WITHDRAWAL,"20,000.00",,"30,000.00"
"""


def test_commands_on_files_alone_are_told_whose_a_statement_is(tmp_path, capsys):
    path, out = tmp_path / "s.csv", tmp_path / "trace.json"
    path.write_text(STATEMENT)
    follow = ["money", "trace", "0042790012", "--payments", str(path), "--out", str(out)]
    assert run(follow) != 0
    assert "nothing tells whose account" in capsys.readouterr().err
    assert run([*follow, "--account", "0042790012", "--currency", "pkr"]) == 0
    (told,) = json.loads(out.read_text())["methods"]["fifo"]["sums"]
    assert (told["came_in"], told["stays"], told["currency"]) == ("50000", "30000", "PKR")
    search = ["money", "find", "--payments", str(path), "--out", str(tmp_path / "f.jsonl")]
    assert run(search) != 0
    assert run([*search, "--account", "0042790012", "--currency", "PKR"]) == 0
    capsys.readouterr()
    assert run([*search, "--account", "??"]) != 0
    assert "The account that was told is none" in capsys.readouterr().err
