"""The same days delivered to a node as text, as a workbook and by a learned layout."""

from __future__ import annotations

import io
from datetime import date, time, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook

from cordon.bootstrap import Node
from cordon.calls.layouts import layouts
from cordon.calls.learning import learn
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Scope
from cordon.settings import Settings

HEAD = ("Target No", "Call Type", "B Party No", "Date", "Time", "Dur(s)", "First CGI",
        "Service Type")  # fmt: skip


@pytest.fixture
def node(rows_url, tmp_path):
    made = Node(Settings(data=tmp_path / "node", database_url=rows_url))
    now = made.kernel.clock.now()
    draft = Draft(
        basis="peca_disclosure_warrant", reference="WR-1", issuer="A court",
        scope=Scope(frozenset({"calls"})), valid_from=now, valid_until=now + timedelta(days=20),
    )  # fmt: skip
    made.authorities.record(made.console_actor(None), draft, io.BytesIO(b"the document"))
    yield made
    made.close()


def bring(node: Node, path: Path, **more: str) -> tuple[int, int, int]:
    with path.open("rb") as source:
        job = node.calls.ask_import(node.console_actor("WR-1"), source, path.name, **more)
    ended = node.run_job(job, lambda _done, _total: None)
    assert ended.state == "done", ended.error
    (told,) = ended.report["files"]
    return told["kept"], told["repeated"], told["refused"]


def test_three_deliveries_of_the_same_days_count_once(node, tmp_path: Path) -> None:
    text = tmp_path / "june.csv"
    lines = [f"923001234567,OUT,0333765432{n},15/06/2024,10:{n:02}:12,{60 + n},404-90-1-2,Voice"
             for n in range(9)]  # fmt: skip
    text.write_text("\n".join([",".join(HEAD), *lines]) + "\n")
    book = Workbook()
    book.active.append(HEAD)
    for n in range(10):  # one call more, and all of them a second later
        book.active.append([923001234567, "OUT", f"92333765432{n}", date(2024, 6, 15),
                            time(10, n, 13), 60 + n, "404-90-1-2", "Voice"])  # fmt: skip
    book.save(tmp_path / "june.xlsx")
    assert bring(node, text) == (9, 0, 0)
    assert bring(node, tmp_path / "june.xlsx") == (1, 9, 0)
    assert bring(node, tmp_path / "june.xlsx") == (0, 10, 0)

    other = tmp_path / "other.csv"
    head = "Subject MSISDN,Contact No,Event Date,Event Hour,Talk Time,Way"
    rows = [f"923001234567,333765432{n},15-Jun-2024,10:{n:02}:11,{61 + n},MO" for n in range(11)]
    other.write_text("\n".join([head, *rows]) + "\n")
    proposal = learn(other, name="other", zone="Asia/Kolkata", region="PK", layouts=layouts())
    assert proposal.lacks == ()
    layout = tmp_path / "other.yaml"
    layout.write_text(proposal.as_yaml())
    # the eleventh is a call that no other delivery has
    assert bring(node, other, layout=str(layout)) == (1, 10, 0)
