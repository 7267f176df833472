"""Several files of one kind beside the calls: all of them are used, and the later row wins."""

from __future__ import annotations

import io
from datetime import timedelta

import pyarrow as pa
import pytest

from cordon.calls import COMPLAINTS, attached, searching
from cordon.calls.beside import stored
from cordon.calls.forms import ACCOUNTS, CELLS
from cordon.calls.merging import merged
from support.ringed import CELL, LINES, PEOPLE, bring, ringed

FILES = {
    "complaints": (
        f"complaint_id,received,suspect_number\nC-1,2026-01-06,{LINES[0]}\n"
        f"C-2,2026-01-06,{LINES[1]}\nC-3,2026-01-06,{PEOPLE[0]}\n",
        f"complaint_id,received,suspect_number\nC-2,2026-01-06,{LINES[1]}\n"
        f"C-3,2026-01-07,{LINES[2]}\nC-4,2026-01-08,{LINES[3]}\nC-5,,\n",
    ),
    "cells": (
        f"cell,lat,lon\n{CELL},31.5,74.3\n410-3/1-1,30,70\n",
        f"cell,lat,lon\n{CELL},32,75\n",
    ),
    "subscribers": (
        f"number,kind\n{PEOPLE[0]},registered_call_centre\n{PEOPLE[1]},person\n",
        f"number,kind\n{PEOPLE[1]},government\n{PEOPLE[2]},person\n",
    ),
    "payments": (
        "payment_id,at,from_account,to_account,amount,currency\n"
        "P-1,2026-01-06T10:00:00Z,A,B,5,PKR\n",
        "payment_id,at,from_account,to_account,amount,currency\n"
        "P-1,2026-01-06T10:00:00Z,A,B,5,PKR\nP-2,2026-01-06T10:00:00Z,B,C,5,PKR\n",
    ),
    "accounts": (
        f"account,bank,phone,kind\nACC-1,One,{LINES[0]},wallet\nACC-2,One,{LINES[0]},bank\n",
        f"account,bank,phone,kind\nACC-2,Two,{LINES[1]},bank\n",
    ),
}


@pytest.fixture
def world(site, noon):
    """A node with calls, and two files of each kind beside them under WR-P."""
    ringed(site, noon)
    bring(site, "WR-P")
    room = site.node.calls
    for kind, texts in FILES.items():
        for number, text in enumerate(texts):
            job = room.ask_import(
                actor(site), io.BytesIO(text.encode()), f"{kind}{number}.csv", kind=kind
            )
            if job:
                assert site.node.run_job(job, lambda _d, _t: None).state == "done"
    return site


def actor(site):
    return site.node.authorities.under(site.actor("inv"), "WR-P")


def test_a_search_uses_every_file_of_a_kind(world, monkeypatch):
    used = {}
    search = searching.find_in_segments

    def watched(paths, holders, *args, **more):
        used.update(more, holders=holders)
        return search(paths, holders, *args, **more)

    monkeypatch.setattr(searching, "find_in_segments", watched)
    ended = world.node.run_job(world.node.calls.ask_find(actor(world)), lambda _d, _t: None)
    assert ended.state == "done", ended.error
    told = {r["complaint_id"]: r["suspect_number"] for r in used["complaints"].to_pylist()}
    assert told == {"C-1": LINES[0], "C-2": LINES[1], "C-3": LINES[2], "C-4": LINES[3]}
    cells = {r["cell"]: r["lat"] for r in used["cells"].to_pylist()}
    assert cells == {CELL: 32.0, "410-3/1-1": 30.0}
    assert used["payments"]["payment_id"].to_pylist() == ["P-1", "P-2"]
    assert used["holders"] == {
        PEOPLE[0]: "registered_call_centre", PEOPLE[1]: "government", PEOPLE[2]: "person",
    }  # fmt: skip
    assert ended.report["files_used"] == dict.fromkeys(FILES, 2)
    said = " ".join(ended.report["left_out"])
    assert "1 of the 4 rows of complaints1.csv (complaints) could not be read" in said
    assert "1 row of complaints has the same complaint_id as another row in a later file" in said
    assert "1 numbers have another kind of holder in subscribers1.csv" in said
    assert "rows of payments" not in said  # delivered twice, it says the same


def test_a_page_asks_every_file_of_a_kind(world):
    room = world.node.calls
    with room.kernel.view(actor(world)) as view:
        authority = view.actor.authority
        files = stored(view, authority)
        kept = {
            form.name: attached.segments(view, form, authority, files[form.name])
            for form in (ACCOUNTS, CELLS)
        }
    columns = room.kernel.columns
    mine = attached.accounts(columns, kept["accounts"], LINES[0])
    assert [a.account for a in mine] == ["ACC-1"]
    assert [a.bank for a in attached.accounts(columns, kept["accounts"], LINES[1])] == ["Two"]
    assert [a["account"] for a in attached.bound(columns, kept["accounts"], LINES[:1], [])] == [
        "ACC-1"
    ]
    assert attached.position(columns, kept["cells"], CELL).lat == 32.0
    assert attached.position(columns, kept["cells"], "410-3/1-1").lat == 30.0


def test_a_file_brought_in_again_is_the_last_one(world, clock):
    room = world.node.calls
    clock.advance(timedelta(hours=1))
    job = room.ask_import(
        actor(world), io.BytesIO(FILES["cells"][0].encode()), "cells0.csv", kind="cells"
    )
    assert world.node.run_job(job, lambda _d, _t: None).state == "done"
    with room.kernel.view(actor(world)) as view:
        authority = view.actor.authority
        files = stored(view, authority)["cells"]
        kept = attached.segments(view, CELLS, authority, files)
    assert list(files.values()) == ["cells1.csv", "cells0.csv"]
    assert attached.position(room.kernel.columns, kept, CELL).lat == 31.5


def test_what_other_rooms_are_told_comes_from_every_file(world):
    from cordon.calls import counted

    room = world.node.calls
    keys = {"r": {"handsets": set(), "site": set(), "complaints": set(LINES), "mules": {"B", "C"}}}
    with room.kernel.work(actor(world)) as work:
        authority = work.actor.authority
        said = counted(work, keys, [], authority, offset=timedelta(0), region="PK")
        spoken = room.spoken(work, authority)
    assert sum(said["complaints"].by_ring["r"].values()) == 4
    assert sum(said["mules"].by_ring["r"].values()) == 2
    assert list(spoken.complaints.values()) == ["complaints0.csv", "complaints1.csv"]


def test_tables_without_a_common_key_are_put_below_one_another():
    table = pa.table({"row": [1, 2], "complaint_id": ["a", "b"], "narrative": ["x", None]})
    other = pa.table({"row": [9, 1], "complaint_id": ["b", "a"], "narrative": [None, "y"]})
    both, changed = merged([table, other], COMPLAINTS.unique)
    assert both.sort_by("complaint_id").to_pylist() == [
        {"row": 1, "complaint_id": "a", "narrative": "y"},
        {"row": 9, "complaint_id": "b", "narrative": None},
    ]
    assert changed == 1
    assert merged([table, other], None)[0].num_rows == 4
