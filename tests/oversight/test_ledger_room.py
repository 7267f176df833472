"""Reading, proving, verifying and exporting the ledger; its pages and its commands."""

from __future__ import annotations

import io
import json
import tarfile
from datetime import timedelta
from types import SimpleNamespace

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from sqlalchemy import text
from starlette.responses import HTMLResponse, JSONResponse
from typer.testing import CliRunner

from cordon.kernel.access.model import Actor, AuthorityKind, Mark, Role, Thing
from cordon.kernel.console import Console
from cordon.kernel.errors import BadInput, BadUsage, CordonError, DoesNotVerify, NotFound, Refused
from cordon.kernel.ledger import merkle
from cordon.kernel.ledger.checkpoint import open_checkpoint
from cordon.kernel.ledger.verify import verify_export
from cordon.oversight import Span
from cordon.oversight.commands import app
from cordon.oversight.commands import ledger as commands
from cordon.oversight.report import A_PAGE
from cordon.oversight.routes import routes
from cordon.web.rendering import Page, Templates
from support.unasked import Unasked


@pytest.fixture
def filled(kernel, officers, clock):
    """A ledger of 150 entries of three officers."""
    names = ("watch", "watch2", "supervisor")
    entries = [
        kernel.entry(
            officers[names[n % 3]],
            "findings.finding.close" if n % 2 else "jobs.job.cancel",
            Thing("finding", f"f{n % 10}", kernel.agency, Mark.AMBER),
            "done",
            {"n": n},
        )
        for n in range(150)
    ]
    kernel.ledger.append_many(entries[:100])
    clock.advance(timedelta(days=1))
    kernel.ledger.append_many(entries[100:])
    return kernel.ledger


def tamper(kernel, index):
    """Change an entry as whoever owns the database could."""
    with kernel.rows.engine.begin() as connection:
        if kernel.rows.is_sqlite:
            connection.execute(text("DROP TRIGGER ledger_entries_no_update"))
        else:
            connection.execute(
                text("ALTER TABLE ledger_entries DISABLE TRIGGER ledger_entries_no_change")
            )
        connection.execute(
            text('UPDATE ledger_entries SET leaf = :leaf WHERE "index" = :index'),
            {
                "leaf": kernel.ledger.leaf(index).replace(b"officer-watch", b"officer-nobody"),
                "index": index,
            },
        )


def test_entries_by_filter_and_key(oversight, filled, officers, noon):
    overseer = officers["overseer"]
    first = oversight.entries(overseer, Span(), at_most=60)
    second = oversight.entries(overseer, Span(), before=first.entries[-1].index, at_most=60)
    assert [e.index for e in (*first.entries, *second.entries)] == list(range(149, 29, -1))
    found = oversight.entries(overseer, Span(actor="officer-watch", act="findings."), at_most=200)
    assert {e.index for e in found.entries} == {n for n in range(150) if n % 6 == 3}
    later = oversight.entries(overseer, Span(since=noon + timedelta(hours=1)), at_most=200)
    assert [e.index for e in later.entries] == list(range(149, 99, -1))
    assert len(oversight.entries(overseer, Span(thing="finding:f7"), at_most=200).entries) == 15
    assert oversight.entries(overseer, Span(authority="WR-0/2026")).entries == ()
    for who in ("investigator", "administrator", "supervisor"):
        with pytest.raises(Refused):
            oversight.entries(officers[who], Span())


def test_authority_by_its_reference(oversight, authority, officers, kernel):
    from dataclasses import replace

    warrant = authority()
    under = replace(officers["investigator"], authority=warrant)
    thing = Thing("finding", "f1", kernel.agency, Mark.AMBER)
    kernel.ledger.append(kernel.entry(under, "findings.finding.view", thing, "read", {}))
    kernel.ledger.append(
        kernel.entry(officers["watch"], "findings.finding.view", thing, "read", {})
    )
    found = oversight.entries(officers["overseer"], Span(authority="WR-118/2026"))
    assert [e.actor for e in found.entries] == ["officer-investigator"]
    assert found.references == {warrant.id: "WR-118/2026"}


def test_proof_of_an_entry(oversight, filled, officers):
    proof = oversight.prove(officers["overseer"], 77)
    assert proof.holds
    checkpoint = open_checkpoint(proof.checkpoint, proof.verifier)
    # checked again here, from what the page shows alone
    assert merkle.verify_inclusion(
        merkle.leaf_hash(proof.leaf.encode()), 77, checkpoint.size,
        [bytes.fromhex(node) for node in proof.path], checkpoint.root,
    )  # fmt: skip
    for index in (150, -1):
        with pytest.raises(NotFound):
            oversight.prove(officers["overseer"], index)


def test_a_changed_entry_shows_itself(oversight, filled, officers, kernel):
    assert oversight.verify(officers["overseer"]).ok
    tamper(kernel, 42)
    assert not oversight.prove(officers["overseer"], 42).holds
    found = oversight.verify(officers["overseer"])
    assert not found.ok
    assert 42 in {p.index for p in found.problems}


def test_verifying_is_entered(oversight, filled, officers, kernel):
    oversight.verify(officers["overseer"])
    (entry,) = kernel.ledger.entries(act="ledger.verify")
    assert (entry.actor, entry.detail) == (
        "officer-overseer", {"ok": True, "size": 150, "problems": 0},
    )  # fmt: skip
    with pytest.raises(Refused):
        oversight.verify(officers["investigator"])


def test_against_an_older_checkpoint(oversight, officers, kernel, filled, tmp_path, clock):
    from cordon.kernel.ledger.checkpoint import Checkpoint

    overseer = officers["overseer"]
    older = oversight.checkpoint(overseer)
    oversight.verify(overseer)
    assert oversight.verify(overseer, against=older).ok
    ledger = kernel.ledger
    forged = Checkpoint(ledger.origin, 100, b"\x01" * 32).sign(ledger._key)
    assert not oversight.verify(overseer, against=forged).ok
    longer = Checkpoint(ledger.origin, 9_999, b"\x01" * 32).sign(ledger._key)
    assert "cut off" in oversight.verify(overseer, against=longer).problems[0].says
    assert not oversight.verify(overseer, against="no note").ok


def test_export_holds_its_own_entry(oversight, filled, officers, tmp_path):
    assert oversight.export(officers["overseer"], tmp_path / "out") == 151
    report = verify_export(tmp_path / "out", filled.verifier)
    assert report.ok
    assert report.checked == 151
    last = (tmp_path / "out" / "entries-000000.jsonl").read_bytes().splitlines()[-1]
    assert json.loads(last)["act"] == "ledger.export"
    with pytest.raises(BadUsage):
        oversight.export(officers["overseer"], tmp_path / "out")
    with pytest.raises(Refused):
        oversight.export(officers["custodian"], tmp_path / "another")
    assert not (tmp_path / "another").exists()


# pages


@pytest.fixture
def site(oversight, kernel):
    app = FastAPI()
    app.state.kernel, app.state.lang = kernel, "en"
    templates = Templates()

    def draw(request, template, status, context):
        page = Page(title=context.pop("title", "Cordon"), csrf="token", lang=app.state.lang)
        drawn = templates.render(template, app.state.lang, page=page, **context)
        return HTMLResponse(drawn, status)

    app.state.draw = draw

    @app.middleware("http")
    async def signed_in(request: Request, call_next):
        request.state.actor = app.state.actor
        return await call_next(request)

    @app.exception_handler(CordonError)
    def told(_request, error):
        return JSONResponse({"code": error.code}, error.status)

    app.state.identity = Unasked()
    app.include_router(routes(oversight))
    with TestClient(app, follow_redirects=False) as client:
        client.state = app.state
        yield client


@pytest.mark.parametrize("lang", ["en", "ur"])
def test_pages(site, filled, lead, close, authority, officers, kernel, clock, tmp_path, lang):
    site.state.actor, site.state.lang = officers["overseer"], lang
    authority()
    close(lead("One"), officers["watch"], officers["watch2"])
    close(lead("Two"), officers["watch"])
    lead("Unanswered")
    clock.advance(timedelta(hours=2))
    report = site.get("/oversight", params={"unit": "watch-1"})
    assert report.status_code == 200
    for said in ("Unanswered", "WR-118/2026", "A licensed transfer.", "officer-watch2"):
        assert said in report.text
    page = site.get("/ledger")
    assert page.status_code == 200
    assert "before=" in page.text
    narrowed = site.get("/ledger", params={"actor": "officer-watch", "since": "2026-03-06"})
    assert "officer-watch2" not in narrowed.text
    wrong = site.get("/ledger", params={"since": "yesterday"})
    assert wrong.status_code == 422
    assert 'value="yesterday"' in wrong.text
    entry = site.get("/ledger/7")
    assert entry.status_code == 200
    assert kernel.ledger.verifier.fingerprint in entry.text
    note = site.get("/ledger/checkpoint")
    assert note.headers["content-type"].startswith("text/plain")
    assert open_checkpoint(note.text, kernel.ledger.verifier).size == kernel.ledger.size()
    good = site.post("/ledger/verify", data={"against": note.text.replace("\n", "\r\n").strip()})
    assert 'class="banner calm"' in good.text
    tamper(kernel, 9)
    bad = site.post("/ledger/verify")
    assert 'class="banner grave"' in bad.text
    assert 'href="/ledger/9"' in bad.text
    assert 'class="banner grave"' in site.get("/ledger/9").text


def test_the_report_says_how_many_it_leaves_out(site, lead, officers, clock, monkeypatch):
    site.state.actor = officers["overseer"]
    small = {**A_PAGE, "overdue": 2}
    for name in ("report", "routes"):
        monkeypatch.setattr(f"cordon.oversight.{name}.A_PAGE", small)
    for n in range(5):
        lead(f"Lead {n}")
    clock.advance(timedelta(hours=2))
    first = site.get("/oversight").text
    assert '<b>5</b><span class="quiet">leads unanswered past their time' in first
    assert "1–2 of 5" in first
    assert "part=overdue&amp;offset=2#overdue" in first
    assert "First page" not in first
    last = site.get("/oversight", params={"part": "overdue", "offset": 4}).text
    assert "5–5 of 5" in last
    assert "First page" in last
    assert "Next page" not in last
    past = site.get("/oversight", params={"part": "overdue", "offset": 40}).text
    assert "Every lead was answered in its time." not in past
    assert site.get("/oversight", params={"part": "bogus"}).status_code == 422
    told = site.get("/api/oversight", params={"part": "overdue", "offset": 4}).json()
    assert (len(told["overdue"]), told["totals"]["overdue"]) == (1, 5)


def test_every_page_tells_of_emergencies_without_a_second_officer(
    site, filled, authority, officers, noon, clock
):
    site.state.actor = officers["overseer"]
    pages = ("/oversight", "/ledger", "/ledger/7")
    assert not any("second officer." in site.get(page).text for page in pages)
    confirm_by = clock.now() + timedelta(hours=2)
    authority("EM-1", kind=AuthorityKind.EMERGENCY, confirm_by=confirm_by)
    for page in pages:
        told = site.get(page).text
        assert "1 emergency authority waits for its second officer." in told, page
    clock.advance(timedelta(hours=3))
    for told in (*(site.get(page).text for page in pages), site.post("/ledger/verify").text):
        assert "1 emergency authority ended without a second officer." in told


def test_no_link_leads_where_the_reader_is_refused(site, lead, officers, kernel, clock):
    site.state.actor = officers["overseer"]
    red, seen = lead("A source", mark=Mark.RED), lead("Seen")
    for mark in (Mark.AMBER, Mark.RED):
        thing = Thing("case", f"of-{mark.name.lower()}", kernel.agency, mark)
        kernel.ledger.append(kernel.entry(officers["investigator"], "cases.case.open", thing,
                                          "done", {}))  # fmt: skip
    clock.advance(timedelta(hours=2))
    report = site.get("/oversight").text
    assert f'href="/findings/{seen.id}"' in report
    assert red.id not in report
    last = kernel.ledger.size() - 1
    assert 'href="/cases/of-amber"' in site.get(f"/ledger/{last - 1}").text
    assert 'href="/cases/of-red"' not in site.get(f"/ledger/{last}").text


def test_taken_out_from_the_page(site, filled, officers, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "staging"))
    (tmp_path / "staging").mkdir()
    site.state.actor = officers["overseer"]
    answer = site.post("/ledger/export")
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        tar.extractall(tmp_path, filter="data")
    assert verify_export(tmp_path / "ledger", filled.verifier).ok
    assert not list((tmp_path / "staging").iterdir())


def test_api(site, filled, officers):
    site.state.actor = officers["overseer"]
    first = site.get("/api/ledger", params={"limit": 100, "act": "findings."}).json()
    assert [e["index"] for e in first["entries"]] == list(range(149, 0, -2))
    assert (first["size"], first["before"]) == (150, None)
    proof = site.get("/api/ledger/7").json()
    assert proof["holds"]
    assert proof["entry"]["detail"] == {"n": 7}
    assert site.get("/api/ledger/999").status_code == 404
    assert site.post("/api/ledger/verify").json()["ok"]
    assert site.get("/api/oversight").json()["overdue"] == []
    for who in ("administrator", "supervisor", "watch"):
        site.state.actor = officers[who]
        for url in ("/oversight", "/ledger", "/ledger/7", "/ledger/checkpoint", "/api/ledger",
                    "/api/oversight", "/api/ledger/7"):  # fmt: skip
            assert site.get(url).status_code == 403, (who, url)
        assert site.post("/ledger/verify").status_code == 403
        assert site.post("/ledger/export").status_code == 403


# commands


@pytest.fixture
def run(oversight, kernel):
    actor = Actor("console:root", "Console", kernel.agency, "console", frozenset({Role.CONSOLE}),
                  Mark.AMBER_STRICT)  # fmt: skip
    node = SimpleNamespace(
        kernel=kernel, room=lambda _name: oversight, console_actor=lambda _authority: actor
    )

    def no_node():
        raise AssertionError("a node was opened")

    def call(*args, with_node=True, group=commands):
        console = Console((lambda: node) if with_node else no_node)
        answer = CliRunner().invoke(group, [str(a) for a in args], obj=console)
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        return answer

    return call


def test_commands(run, filled, kernel, tmp_path):
    note = tmp_path / "checkpoint"
    assert run("checkpoint", "--out", note).exit_code == 0
    assert run("checkpoint").stdout == note.read_text()
    assert json.loads(run("verify", "--json").stdout)["ok"]
    assert "verifies" in run("verify", "--against", note).stderr
    out = tmp_path / "out"
    assert json.loads(run("export", out, "--json").stdout)["entries"] == filled.size()
    key = tmp_path / "key"
    key.write_text(f"{filled.verifier}\n")
    offline = run("verify", "--export", out, "--key", key, "--against", note, "--json",
                  with_node=False)  # fmt: skip
    told = json.loads(offline.stdout)
    assert (told["ok"], told["key_given"]) == (True, True)
    assert "Compare its fingerprint" in run("verify", "--export", out, with_node=False).stderr
    rows = json.loads(run("show", "--act", "findings.", "--limit", 3, "--json").stdout)
    assert [row["index"] for row in rows] == [149, 147, 145]
    assert json.loads(run("show", 7, "--json").stdout)["holds"]
    assert '"index":7' in run("show", 7).stdout
    part = tmp_path / "part"
    run("export", part, "--since", 120)
    told = run("verify", "--export", part, "--key", key, "--since", 120, with_node=False).stderr
    assert "verifies" in told
    assert "begins at entry 120" in told
    with pytest.raises(DoesNotVerify, match="begins at entry 120"):
        run("verify", "--export", part, "--key", key, with_node=False)
    with pytest.raises(DoesNotVerify, match="no proof"):
        run("verify", "--export", part, "--slice", with_node=False)
    for wrong in (["--key", key], ["--since", 3], ["--slice"]):
        with pytest.raises(BadUsage):
            run("verify", *wrong)
    with pytest.raises(BadUsage):
        run("verify", "--export", part, "--slice", "--since", 3, with_node=False)


def test_a_checkpoint_in_json_is_written_to_its_file_too(run, filled, tmp_path):
    note = tmp_path / "checkpoint"
    told = json.loads(run("checkpoint", "--json", "--out", note).stdout)
    assert (told["checkpoint"], told["out"]) == (note.read_text(), str(note))


def test_report_command(run, lead, clock):
    overdue = lead("Unanswered")
    clock.advance(timedelta(hours=2))
    told = json.loads(run("report", "--json", group=app).stdout)
    assert [one["id"] for one in told["overdue"]] == [overdue.id]
    counts = run("report", group=app).stdout
    assert "leads unanswered past their time 1" in " ".join(counts.split())
    past = json.loads(run("report", "--part", "overdue", "--offset", 1, "--json", group=app).stdout)
    assert (past["overdue"], past["totals"]["overdue"]) == ([], 1)


def test_what_a_command_does_not_know_is_wrong_usage(run):
    with pytest.raises(BadUsage, match="done, read, refused"):
        run("show", "--outcome", "bogus", with_node=False)
    with pytest.raises(BadUsage, match="overdue, answered"):
        run("report", "--part", "bogus", group=app, with_node=False)


def test_what_does_not_verify_is_one_line(run, filled, kernel, tmp_path):
    out = tmp_path / "out"
    run("export", out)
    entries = out / "entries-000000.jsonl"
    entries.write_bytes(entries.read_bytes().replace(b'"n":33}', b'"n":34}'))
    with pytest.raises(DoesNotVerify, match="Entry 33") as failed:
        run("verify", "--export", out, with_node=False)
    assert "\n" not in str(failed.value)
    answer = run("verify", "--export", out, "--json", with_node=False)
    assert (answer.exit_code, json.loads(answer.stdout)["ok"]) == (1, False)
    tamper(kernel, 60)
    with pytest.raises(DoesNotVerify, match="Entry 60"):
        run("verify")
    with pytest.raises(BadInput):
        run("verify", "--export", tmp_path / "none", with_node=False)
    with pytest.raises(BadInput):
        run("verify", "--against", tmp_path / "none")
