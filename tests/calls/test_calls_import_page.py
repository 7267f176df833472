"""Bringing files in on a node: several at once, of every kind, told file by file, tried again."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest

from cordon.calls import bringing
from cordon.calls.sniffing import kind_of
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Scope
from cordon.kernel.errors import AuthorityRefused, BadInput, Conflict

AIRTEL = b"""BHARTI AIRTEL LTD
Target No,Call Type,B Party No,Date,Time,Dur(s),First CGI,Service Type
923001234567,OUT,03337654321,15/08/2024,10:11:12,65,404-1,Voice
923001234567,ELSEWHERE,03337654321,15/08/2024,12:11:12,65,404-1,Voice
"""
ODD = b"""Start of call;Dialling;Dialled;Secs;Sort
2024-08-15 10:11:12;03001234567;03337654321;65;voice
2024-08-16 10:11:12;03001234567;03337654322;65;sms
2024-08-17 10:21:12;03001234568;03337654323;65;voice
"""
CELLS = b"cell,lat,lon\n410-1,31.5,74.3\n410-2,931.5,74.3\n"
COMPLAINTS = b"complaint_id,received,occurred\nC1,2026-01-02,2026-01-01\nC2,2026-01-02,never\n"
PAYMENTS = (
    b"payment_id,at,from_account,to_account,amount,currency\n"
    b"P1,2026-01-02T10:00:00Z,A,B,5,PKR\nP2,2026-01-02T10:00:00Z,A,B,-5,PKR\n"
)


@pytest.fixture
def world(site, noon):
    """A node with an investigator and authorities over calls, and over calls and payments."""
    site.officer("inv", "investigator")
    for reference, data, days in (
        ("WR-1", {"calls", "payments"}, 20),
        ("WR-2", {"calls"}, 1),
    ):
        draft = Draft(
            basis="peca_disclosure_warrant", reference=reference, issuer="A court",
            scope=Scope(frozenset(data)),
            valid_from=noon, valid_until=noon + timedelta(days=days),
        )  # fmt: skip
        site.node.authorities.record(site.actor("inv"), draft, io.BytesIO(b"x"))
    return site


def chosen(site, reference="WR-1"):
    """A client signed in that has chosen an authority."""
    http = site.client("inv")
    one = site.node.authorities.find(site.console, reference).id
    assert http.post(f"/authorities/{one}/choose").status_code == 303
    return http


def work(site):
    while site.node.jobs.run_next():
        pass


def sent(http, *files, kind="calls", layout="auto"):
    answer = http.post(
        "/calls/import",
        data={"kind": kind, "layout": layout},
        files=[("file", one) for one in files],
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_several_files_each_tell_their_own_state(world):
    http = chosen(world)
    where = sent(http, ("target.csv", AIRTEL), ("odd.csv", b"a,b\n1,2\n"))
    waiting = http.get(where).text
    assert waiting.count('hx-trigger="every 2s"') == 2
    assert waiting.count('data-state="queued"') == 2
    work(world)
    done = http.get(where).text
    assert "hx-trigger" not in done
    assert 'data-state="done"' in done
    assert 'data-state="failed"' in done
    assert "odd.csv has no column" in done
    assert "its direction is none that the layout knows" in done
    piece = http.get(f"{where}/0", headers={"HX-Request": "true"}).text
    assert piece.lstrip().startswith("<section")
    assert "target.csv" in http.get("/calls/import").text


def test_the_rejects_are_taken_out_whole_and_hold_no_value(world, monkeypatch):
    monkeypatch.setattr("cordon.calls.intake.KEPT_REFUSALS", 1)
    http = chosen(world)
    bad = b"923001234567,ELSEWHERE,03337654321,15/08/2024,12:11:12,65,404-1,Voice\n"
    where = sent(http, ("=target.csv", AIRTEL + bad * 3))
    work(world)
    assert "The first 1 are listed" in http.get(where).text
    answer = http.get(f"{where}/0/rejects.csv")
    assert answer.headers["content-disposition"].startswith("attachment")
    lines = answer.text.splitlines()
    assert lines[0] == "file,row,reason"
    assert len(lines) == 1 + 4
    assert lines[1] == "'=target.csv,3,its direction is none that the layout knows"
    assert "92300" not in answer.text


def test_the_rejects_of_a_file_of_which_nothing_was_taken_are_whole(world):
    http = chosen(world)
    head, _, bad = AIRTEL.splitlines(keepends=True)[1:]
    where = sent(http, ("refused.csv", head + bad * 3), ("odd.csv", b"a,b\n1,2\n"))
    work(world)
    assert 'data-state="failed"' in http.get(where).text
    answer = http.get(f"{where}/0/rejects.csv")
    assert [line.split(",")[1] for line in answer.text.splitlines()] == ["row", "1", "2", "3"]
    assert http.get(f"{where}/1/rejects.csv").text.splitlines() == ["file,row,reason"]


def test_rejects_and_another_try_need_the_authority_it_came_in_under(world):
    where = sent(chosen(world), ("a.csv", b"a,b\n1,2\n"))
    work(world)
    other = chosen(world, "WR-2")
    assert other.get(f"{where}/0/rejects.csv").status_code == 409
    again = other.post(f"{where}/0/again", data={"kind": "cells", "layout": "auto"})
    assert again.status_code == 409
    assert world.client("inv").get(f"{where}/0/rejects.csv").status_code == 409


def test_a_failed_file_is_tried_again_as_what_it_is(world):
    http = chosen(world)
    where = sent(http, ("cells.csv", CELLS))
    work(world)
    assert 'data-state="failed"' in http.get(where).text
    assert http.post(f"{where}/0/again", data={"kind": "calls", "layout": "own"}).status_code == 422
    answer = http.post(f"{where}/0/again", data={"kind": "cells", "layout": "auto"})
    assert answer.status_code == 303
    work(world)
    done = http.get(where).text
    assert 'data-state="done"' in done
    assert "lat is more than 90" in done
    again = http.post(f"{where}/0/again", data={"kind": "cells", "layout": "auto"})
    assert again.status_code == 409  # it is done


KINDS = {
    "target.csv": (AIRTEL, "calls"),
    "plain.csv": (
        b"start,kind,caller,callee\n2026-01-02T10:00:00Z,voice,+923001234567,15\n",
        "calls",
    ),
    "register.csv": (b"number,holder_name,kind\n+923001234567,A,person\n", "subscribers"),
    "cells.csv": (CELLS, "cells"),
    "complaints.csv": (COMPLAINTS, "complaints"),
    "payments.csv": (PAYMENTS.replace(b",", b";"), "payments"),
    "accounts.csv": (b"account,phone\nA,03001234567\n", "accounts"),
    "sessions.csv": (
        b"start,end,number,remote_ip\n"
        b"2026-01-02T10:00:00Z,2026-01-02T11:00:00Z,+923001234567,198.51.100.1\n",
        "sessions",
    ),
}


def test_each_file_is_told_to_hold_what_it_holds(world):
    http = chosen(world)
    where = sent(http, *((name, data) for name, (data, _) in KINDS.items()), kind="auto")
    work(world)
    files = bringing.brought(world.node.calls, world.actor("inv"), where.rsplit("/", 1)[1]).files
    assert {f.name: (f.kind, f.state) for f in files} == {
        name: (kind, "done") for name, (_, kind) in KINDS.items()
    }


def test_of_files_told_apart_only_those_that_the_authority_covers_come_in(world):
    http = chosen(world, "WR-2")  # over calls alone
    where = sent(http, ("a.csv", AIRTEL), ("b.csv", KINDS["payments.csv"][0]), kind="auto")
    work(world)
    files = bringing.brought(world.node.calls, world.actor("inv"), where.rsplit("/", 1)[1]).files
    assert [(f.kind, f.state) for f in files] == [("calls", "done"), ("payments", "failed")]
    assert "does not cover" in files[1].error


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"", "calls"), (b"PAR1 and nothing", "calls"), (b"PK\x03\x04 cut", "calls"),
     (b"\n\n" + CELLS, "cells"), ("cell,lat,lon\n".encode("utf-16"), "cells")],
)  # fmt: skip
def test_what_cannot_be_told_is_left_to_who_reads_it(tmp_path, data, kind):
    path = tmp_path / "file"
    path.write_bytes(data)
    assert kind_of(path) == kind


def test_a_file_of_another_kind_is_tried_again_as_what_it_is_told_to_be(world):
    http = chosen(world)
    where = sent(http, ("cells.csv", CELLS), kind="calls")
    work(world)
    form = http.get(where).text
    assert '<option value="auto" selected>tell it from each file</option>' in form
    assert http.post(f"{where}/0/again", data={"kind": "auto"}).status_code == 303
    work(world)
    (file,) = bringing.brought(world.node.calls, world.actor("inv"), where.rsplit("/", 1)[1]).files
    assert (file.kind, file.state) == ("cells", "done")


def test_a_layout_is_learned_from_a_file_that_failed(world):
    http = chosen(world)
    where = sent(http, ("provider.csv", ODD), kind="auto")
    work(world)
    assert "Learn a layout from it" in http.get(where).text
    answer = http.post(f"{where}/0/learn")
    assert answer.status_code == 200, answer.text
    assert re.findall(r'name="column" value="([^"]+)"', answer.text)[0] == "Start of call"
    assert "03001234567" not in answer.text
    assert chosen(world, "WR-2").post(f"{where}/0/learn").status_code == 409


def test_what_a_layout_lacks_and_why_a_form_was_refused_is_said_in_urdu(world):
    http = chosen(world)
    http.cookies.set("cordon_lang", "ur")
    page = learned(http, re.sub(rb"2024\S+ \S+?(?=;)", b"x", ODD)).text
    assert "No column holds dates." not in page
    assert "کسی کالم میں تاریخیں نہیں۔" in page
    assert "کوئی فائل منتخب نہیں کی گئی۔" in http.post("/calls/import", data={}).text
    assert "یہ نہ نمبر ہے نہ ہینڈسیٹ۔" in http.post("/calls/numbers", data={"number": "x"}).text


def test_a_name_in_an_error_is_only_text(world):
    http = chosen(world)
    where = sent(http, ("<i>odd.csv", b"a,b\n1,2\n"), kind="auto")
    work(world)
    for page in (http.get(where), http.post(f"{where}/0/learn"), http.get("/calls")):
        assert "<i>odd" not in page.text
        assert "&lt;i&gt;odd.csv" in page.text


def test_a_waiting_file_is_cancelled_and_can_be_tried_again(world):
    http = chosen(world)
    where = sent(http, ("target.csv", AIRTEL))
    assert http.post(f"{where}/0/cancel").status_code == 303
    text = http.get(where).text
    assert 'data-state="cancelled"' in text
    assert http.post(f"{where}/0/again", data={"kind": "calls"}).status_code == 303
    work(world)
    assert 'data-state="done"' in http.get(where).text


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        ("cells", CELLS, "lat is more than 90"),
        ("complaints", COMPLAINTS, "occurred"),
        ("payments", PAYMENTS, "amount is less than 0"),
        ("subscribers", b"number,kind\n03001234567,person\n,person\n", "number is missing"),
    ],
)
def test_what_stands_beside_the_calls_is_kept_and_told(world, kind, data, reason):
    http = chosen(world)
    where = sent(http, (f"{kind}.csv", data), kind=kind)
    work(world)
    assert reason in http.get(where).text
    files = {f.kind: f for f in world.node.calls.files(world.actor("inv"))}
    assert files[kind].state == "stored"
    assert files[kind].counts["read"] == 2


def test_payments_need_an_authority_over_payments(world):
    actor = world.node.authorities.under(world.actor("inv"), "WR-2")
    with pytest.raises(AuthorityRefused, match="does not cover"):
        bringing.bring(world.node.calls, actor, [("p.csv", io.BytesIO(PAYMENTS))], kind="payments")
    http = chosen(world, "WR-2")
    answer = http.post("/calls/import", data={"kind": "payments"}, files={"file": ("p", PAYMENTS)})
    assert answer.status_code == 403
    assert '<option value="payments" selected' in answer.text  # what was chosen stays


def test_without_an_authority_nothing_is_taken(world):
    http = world.client("inv")
    answer = http.post("/calls/import", data={"kind": "calls"}, files={"file": ("a", AIRTEL)})
    assert answer.status_code == 403
    assert "No authority is chosen" in answer.text
    assert world.node.calls.files(world.actor("inv")) == []


def test_an_expired_authority_stops_between_two_files_and_says_so(world, clock):
    http = chosen(world, "WR-2")
    where = sent(http, ("one.csv", AIRTEL), ("two.csv", AIRTEL.replace(b"4321", b"4322")))
    assert world.node.jobs.run_next()
    clock.set(clock.now() + timedelta(days=2))
    work(world)
    id_ = where.rsplit("/", 1)[1]
    states = bringing.brought(world.node.calls, world.actor("inv"), id_).files
    assert [s.state for s in states] == ["done", "failed"]
    assert "WR-2 is expired" in states[1].error


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"kind": "secrets"}, "what the files hold"),
        ({"kind": "calls", "layout": "/etc/passwd.yaml"}, "no such layout"),
        ({"kind": "calls", "layout": "../x"}, "no such layout"),
    ],
)
def test_what_no_form_offers_is_refused(world, data, says):
    http = chosen(world)
    answer = http.post("/calls/import", data=data, files={"file": ("a", AIRTEL)})
    assert answer.status_code == 422
    assert says in answer.text


def test_a_program_is_answered_as_one_and_means_calls_where_it_names_no_kind(world):
    http = chosen(world)
    json = {"Accept": "application/json"}
    for path, data in (
        ("/calls/import", {"kind": "secrets"}),
        ("/calls/numbers", {"number": "hello"}),
        ("/calls/layouts", {"name": "Not A Name"}),
    ):
        answer = http.post(path, data=data, files={"file": ("a", AIRTEL)}, headers=json)
        assert answer.status_code == 422, path
        assert answer.json()["error"] == "bad_input"
    answer = http.post("/calls/import", files={"file": ("a.csv", AIRTEL)}, headers=json)
    assert answer.status_code == 303
    assert [f.kind for f in world.node.calls.files(world.actor("inv"))] == ["calls"]


def test_addresses_of_nothing(world):
    http = chosen(world)
    where = sent(http, ("target.csv", AIRTEL))
    for path in (f"{where}/7", f"{where}/-1", "/calls/imports/x", "/calls/imports/x/0/rejects.csv"):
        assert http.get(path).status_code == 404, path
    assert http.post(f"{where}/7/again", data={"kind": "calls"}).status_code == 404


def test_too_many_or_no_files(world):
    actor = world.node.authorities.under(world.actor("inv"), "WR-1")
    room = world.node.calls
    with pytest.raises(BadInput, match="No file"):
        bringing.bring(room, actor, [], kind="calls")
    with pytest.raises(BadInput, match="51 files"):
        bringing.bring(room, actor, [("a", io.BytesIO(b""))] * 51, kind="calls")


def test_a_file_of_one_kind_is_not_another(world):
    actor = world.node.authorities.under(world.actor("inv"), "WR-1")
    room = world.node.calls
    room.ask_import(actor, io.BytesIO(CELLS), "cells.csv", kind="cells")
    work(world)
    with pytest.raises(Conflict, match="as cells"):
        room.ask_import(actor, io.BytesIO(CELLS), "cells.csv", kind="calls")


# layouts


def learned(http, data=ODD):
    return http.post("/calls/layouts/learn", files={"file": ("provider.csv", data)})


def test_a_layout_is_learned_from_a_file_corrected_and_used(world):
    http = chosen(world)
    answer = learned(http)
    assert answer.status_code == 200, answer.text
    assert "03001234567" not in answer.text
    token = re.search(r'name="token" value="([0-9a-f]{32})"', answer.text)[1]
    columns = re.findall(r'name="column" value="([^"]+)"', answer.text)
    proposed = re.findall(r'name="proposed" value="([^"]+)"', answer.text)
    assert columns == ["Start of call", "Dialling", "Dialled", "Secs", "Sort"]
    meanings = ["start", "caller", "callee", "duration_s", "kind"]
    form = {"token": token, "file": "provider.csv", "column": columns, "proposed": proposed,
            "meaning": meanings}  # fmt: skip
    bad = http.post("/calls/layouts", data={**form, "name": "Not A Name"})
    assert bad.status_code == 422
    assert 'value="Not A Name"' in bad.text  # what was typed stays
    assert '<option value="callee" selected' in bad.text
    assert http.post("/calls/layouts", data={**form, "name": "airtel"}).status_code == 409
    done = http.post("/calls/layouts", data={**form, "name": "provider"})
    assert done.headers["location"] == "/calls/layouts/provider"
    assert "learned here" in http.get("/calls/layouts").text
    assert list((world.node.data / "layouts" / ".learning").iterdir()) == []
    where = sent(http, ("provider.csv", ODD), layout="provider")
    work(world)
    text = http.get(where).text
    assert 'data-state="done"' in text, text
    assert http.post("/calls/layouts/provider/remove").status_code == 303
    assert http.get("/calls/layouts/provider").status_code == 404
    assert http.post("/calls/layouts/airtel/remove").status_code == 409


def test_learning_needs_an_authority_and_its_own_file(world):
    assert learned(world.client("inv")).status_code == 403
    http = chosen(world)
    assert learned(http, b"\x00\x01").status_code == 422
    world.officer("second", "investigator")
    token = re.search(r'name="token" value="([0-9a-f]{32})"', learned(http).text)[1]
    theirs = world.client("second").post(
        "/calls/layouts", data={"token": token, "file": "x", "name": "theirs"}
    )
    assert theirs.status_code == 404
    for odd in ("../../keys/masking-key", "x" * 32, ""):
        answer = http.post("/calls/layouts", data={"token": odd, "file": "x", "name": "odd-one"})
        assert answer.status_code == 404
    meant = {"token": token, "file": "x", "name": "odd-one", "column": ["Secs"],
             "proposed": ["none"], "meaning": ["what"]}  # fmt: skip
    assert http.post("/calls/layouts", data=meant).status_code == 422
