"""The life of a case, from a finding to a sealed bundle that verifies without the node."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from datetime import timedelta

import bagit
import pytest

from cordon.cases import CustodyAct, CustodyBroken, ExhibitKind
from cordon.cases.bundle import verify
from cordon.kernel import leads
from cordon.kernel.access.model import Mark
from cordon.kernel.errors import (
    AuthorityRefused,
    BadInput,
    BadUsage,
    Conflict,
    NotFound,
    Refused,
    TooLarge,
)
from cordon.kernel.ledger.verify import verify_export

AIS = b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\n" * 3
CDR = b"start,kind,caller,callee\n2026-03-06T08:00:00Z,voice,+923000000001,+923000000002\n"
NUMBER = "number:+923007654321"


def acts(kernel, thing=None, outcome=None):
    return [e.act for e in reversed(kernel.ledger.entries(thing=thing, outcome=outcome, limit=500))]


@pytest.fixture
def case(cases, keep, officers):
    finding = keep()
    return cases.open(officers["investigator"], title="A silent vessel", finding_ids=[finding],
                      seriousness="serious")  # fmt: skip


def add_photo(cases, actor, case, data=b"\xff\xd8 a photograph", title="deck.jpg"):
    return cases.add_file(
        actor, case, io.BytesIO(data), title=title, kind=ExhibitKind.PHOTO,
        media_type="image/jpeg", source="boat PB-07", received_from="officer:officer-field",
    )  # fmt: skip


def test_from_finding_to_verified_bundle(cases, case, keep, officers, kernel, clock, tmp_path):
    investigator, custodian = officers["investigator"], officers["custodian"]
    shown = cases.view(investigator, case).findings[0]
    assert shown.records > 0  # as many as it stands on, though lists leave them out
    finding = shown.id
    photo = add_photo(cases, custodian, case)
    note = cases.add_finding(investigator, case, finding)
    assert (photo.label, note.label) == ("E-1", "E-2")
    clock.advance(timedelta(minutes=5))
    cases.record_custody(
        custodian, photo.id, CustodyAct.SEALED, seal_number="S-100", place="Store 2"
    )
    clock.advance(timedelta(minutes=5))
    cases.record_custody(custodian, photo.id, CustodyAct.MOVED, to_holder="store:Store 2",
                         seal_number="S-100")  # fmt: skip

    bundle = cases.seal(custodian, case, tmp_path / "out")
    folder = cases.bundles.path(bundle)
    number = cases.view(investigator, case).case.number
    assert folder == tmp_path / "bundles" / number / f"{number}-01"
    for sealed in (folder, tmp_path / "out"):
        assert bagit.Bag(str(sealed)).validate()
        told = verify(sealed, str(kernel.ledger.verifier))
        assert told.ok, told.problems
        assert told.key_given
        assert told.root == bundle.root
    raw = [p for p in (folder / "data/records").iterdir() if p.suffix == ".nmea"]
    assert [p.read_bytes() for p in raw] == [AIS]
    assert bundle.withheld == 0
    assert bundle.holds == ()
    # what the ledger says of the case goes with it, and proves itself
    report = verify_export(folder / "data/ledger", kernel.ledger.verifier, slice_=True)
    assert report.ok, report.problems
    told = {
        json.loads(json.loads(p.read_bytes())["leaf"])["act"]
        for p in (folder / "data/ledger").glob("proof-*.json")
    }
    assert {"cases.case.open", "cases.exhibit.add", "cases.exhibit.custody"} <= told
    # and the seal's root is in the ledger, under who sealed it
    entry = next(e for e in kernel.ledger.of_thing(f"case:{case}") if e.act == "cases.bundle.seal")
    assert entry.detail["root"] == bundle.root
    assert entry.actor == custodian.id

    second = cases.seal(custodian, case)
    assert second.folder.endswith("-02")
    assert second.root != bundle.root
    assert verify(cases.bundles.path(second), str(kernel.ledger.verifier)).ok
    assert not list((tmp_path / "bundles").glob(".sealing-*"))


def test_tampering_is_caught(cases, case, officers, kernel, tmp_path):
    add_photo(cases, officers["custodian"], case)
    bundle = cases.seal(officers["custodian"], case)
    folder = cases.bundles.path(bundle)
    photo = next((folder / "data/exhibits").iterdir())
    photo.write_bytes(photo.read_bytes()[:-1] + b"!")
    told = verify(folder, str(kernel.ledger.verifier))
    assert not told.ok
    assert any(p.file.endswith(photo.name) for p in told.problems)


def test_another_key_does_not_verify(cases, case, officers):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cordon.kernel.ledger.notes import Verifier

    folder = cases.bundles.path(cases.seal(officers["custodian"], case))
    other = Verifier.of("cordon/pk-test", Ed25519PrivateKey.generate().public_key())
    assert not verify(folder, str(other)).ok


def test_a_changed_exhibit_in_the_store_is_not_sealed(cases, case, officers, kernel, tmp_path):
    photo = add_photo(cases, officers["custodian"], case)
    path = kernel.files.path(photo.sha256)
    path.chmod(0o644)
    path.write_bytes(b"something else entirely")
    with pytest.raises(Exception, match="E-1"):
        cases.seal(officers["custodian"], case)
    assert not cases.view(officers["custodian"], case).bundles
    assert not list((tmp_path / "bundles").iterdir())


def test_numbers_are_gapless_and_begin_anew_each_year(cases, officers, clock):
    by = officers["investigator"]

    def opened():
        return cases.view(by, cases.open(by, title="One more")).case.number

    assert [opened(), opened()] == ["C-2026-0001", "C-2026-0002"]
    with pytest.raises(NotFound):  # fails after the number was taken
        cases.open(by, title="Of nothing", finding_ids=["0199aaaa-0000-7000-8000-00000000ffff"])
    assert opened() == "C-2026-0003"
    clock.advance(timedelta(days=365))
    assert opened() == "C-2027-0001"


def test_numbers_are_gapless_when_many_open_at_once(cases, officers):
    from concurrent.futures import ThreadPoolExecutor

    by = officers["investigator"]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: cases.open(by, title=f"Case {n}"), range(18)))
    numbers = sorted(line.case.number for line in cases.list(by))
    assert numbers == [f"C-2026-{n:04d}" for n in range(1, 19)]


def test_custody_break_is_refused_and_in_the_ledger(cases, case, officers, kernel, clock):
    custodian = officers["custodian"]
    photo = add_photo(cases, custodian, case)
    clock.advance(timedelta(minutes=1))
    with pytest.raises(CustodyBroken) as broken:
        cases.record_custody(custodian, photo.id, CustodyAct.MOVED, from_holder="store:Store 9",
                             to_holder="laboratory:City")  # fmt: skip
    assert [str(b.rule) for b in broken.value.breaks] == ["gap"]
    assert "Store 9" not in str(broken.value)  # words for logs name no holder
    view = cases.view(custodian, case)
    assert [e.act for e in view.exhibits[0].chain] == [CustodyAct.RECEIVED]
    (entry,) = kernel.ledger.entries(outcome="refused")
    assert entry.thing == f"exhibit:{photo.id}"
    assert entry.detail["why"] == ["gap"]
    # somebody who does not hold it can neither open nor seal it
    with pytest.raises(CustodyBroken):
        cases.record_custody(officers["investigator"], photo.id, CustodyAct.EXAMINED)
    with pytest.raises(BadInput):
        cases.record_custody(custodian, photo.id, CustodyAct.EXAMINED,
                             at=clock.now() + timedelta(seconds=1))  # fmt: skip


def test_nothing_is_added_to_a_disposed_exhibit(cases, case, officers, clock):
    custodian = officers["custodian"]
    photo = add_photo(cases, custodian, case)
    clock.advance(timedelta(minutes=1))
    cases.record_custody(custodian, photo.id, CustodyAct.DISPOSED, note="ordered by the court")
    clock.advance(timedelta(minutes=1))
    with pytest.raises(CustodyBroken):
        cases.record_custody(custodian, photo.id, CustodyAct.MOVED, to_holder="store:A",
                             from_holder=f"officer:{custodian.id}")  # fmt: skip


def test_uploads(cases, case, officers, kernel):
    custodian = officers["custodian"]
    with pytest.raises(TooLarge):
        add_photo(cases, custodian, case, data=b"x" * ((1 << 20) + 1))
    add_photo(cases, custodian, case)
    with pytest.raises(Conflict):
        add_photo(cases, custodian, case)
    with pytest.raises(BadInput):
        cases.add_file(custodian, case, io.BytesIO(b"x"), title="a", received_from="me")
    with pytest.raises(Refused):
        add_photo(cases, officers["watch"], case, data=b"another")
    assert len(cases.view(custodian, case).exhibits) == 1


def test_closing_needs_a_second_officer_from_another_unit(cases, case, officers):
    first, second = officers["investigator"], officers["supervisor2"]
    asked = cases.ask_to_close(first, case, reason="no_offence", note="A licensed transfer.")
    assert asked.state == "waiting"
    assert cases.view(first, case).lead_state == "closing"
    with pytest.raises(Refused):
        cases.countersign(first, case)
    with pytest.raises(Refused):
        cases.countersign(replace(second, unit="desk-1"), case)
    cases.decline(second, case, note="The licence has expired.")
    assert cases.view(first, case).case.state == "open"
    cases.ask_to_close(first, case, reason="no_offence", note="The licence was renewed.")
    cases.countersign(second, case)
    view = cases.view(first, case)
    assert (view.case.state, view.case.closed_reason) == ("closed", "no_offence")
    with pytest.raises(Conflict):
        add_photo(cases, officers["custodian"], case)
    assert cases.seal(officers["custodian"], case).files  # a closed case still goes to court


def test_a_slight_case_is_closed_alone(cases, officers):
    by = officers["investigator"]
    case = cases.open(by, title="A lost buoy", seriousness="notice")
    assert cases.ask_to_close(by, case, reason="no_offence", note="It was found.").state == "closed"
    assert cases.view(by, case).case.state == "closed"
    assert [line.case.id for line in cases.list(by, state="closed")] == [case]
    assert cases.list(by, state="open") == []


def test_an_untaken_case_is_overdue_until_somebody_works_on_it(
    cases, case, officers, kernel, clock
):
    clock.advance(timedelta(days=4))

    def overdue():
        with kernel.rows.read() as session:
            return [o.lead.id for o in leads.overdue(session, clock.now()) if o.lead.type == "case"]

    assert overdue() == [case]
    cases.take(officers["supervisor"], case, "officer-investigator")
    assert overdue() == []
    assert cases.view(officers["supervisor"], case).case.lead_officer == "officer-supervisor"


def test_red_is_for_those_named(cases, officers, kernel):
    named = replace(officers["investigator"], cleared=Mark.RED)
    other = replace(officers["supervisor"], cleared=Mark.RED)
    case = cases.open(named, title="A source at risk", mark=Mark.RED)
    for reader in (other, officers["overseer"]):
        with pytest.raises(Refused):
            cases.view(reader, case)
        assert cases.list(reader) == []
    assert {e.actor for e in kernel.ledger.entries(outcome="refused", thing=f"case:{case}")} == {
        other.id, "officer-overseer",
    }  # fmt: skip
    cases.name(named, case, other.id)
    assert cases.view(other, case).members == ("officer-investigator", "officer-supervisor")
    assert [line.case.id for line in cases.list(other)] == [case]
    photo = add_photo(cases, other, case)
    cases.unname(named, case, other.id)
    with pytest.raises(Refused):
        cases.record_custody(other, photo.id, CustodyAct.EXAMINED)
    with pytest.raises(Conflict):
        cases.unname(named, case, named.id)


def test_a_case_is_as_strict_as_its_findings(cases, keep, officers):
    strict = keep(subjects=("mmsi:463000001",), mark=Mark.AMBER_STRICT)
    by = officers["investigator"]
    assert cases.view(by, cases.open(by, title="A", finding_ids=[strict])).case.mark == (
        Mark.AMBER_STRICT
    )
    case = cases.open(by, title="B", mark=Mark.GREEN)
    cases.link_finding(by, case, strict)
    assert cases.view(by, case).case.mark is Mark.AMBER_STRICT
    with pytest.raises(Conflict):
        cases.link_finding(by, case, strict)


@pytest.mark.parametrize("who", ["administrator", "field"])
def test_who_has_no_part_in_cases(cases, case, officers, kernel, who):
    with pytest.raises(Refused):
        cases.view(officers[who], case)
    with pytest.raises(Refused):
        cases.list(officers[who])
    with pytest.raises(Refused):
        cases.open(officers[who], title="Mine")
    assert acts(kernel, outcome="refused") == [
        "cases.case.view", "cases.case.view", "cases.case.open",
    ]  # fmt: skip


def test_watch_officer_opens_and_reads_and_no_more(cases, keep, officers):
    watch = officers["watch"]
    case = cases.open(watch, title="Seen on watch", finding_ids=[keep()])
    assert cases.view(watch, case).acts == {"cases.case.link"}
    with pytest.raises(Refused):
        cases.seal(watch, case)
    with pytest.raises(Refused):
        cases.ask_to_close(watch, case, reason="no_offence", note="Nothing there.")
    foreign = replace(officers["investigator"], agency="pk-other")
    with pytest.raises(Refused):
        cases.view(foreign, case)


def test_titles_name_nobody(cases, officers):
    for title in ("", "two\nlines", "Fraud from +92 300 7654321", "x" * 181):
        with pytest.raises(BadInput):
            cases.open(officers["watch"], title=title)


def test_people_are_masked_without_authority(cases, keep, officers, warrant):
    by = officers["investigator"]
    finding = keep(
        kind="calls.fan", subjects=(NUMBER,), data=CDR, says="+923007654321 called 412 people."
    )
    case = cases.open(by, title="A call centre", finding_ids=[finding])
    (shown,) = cases.view(by, case).findings
    assert shown.subjects[0].masked
    assert "7654321" not in repr(shown)
    allowed = replace(by, authority=warrant())
    (shown,) = cases.view(allowed, case).findings
    assert (shown.subjects[0].text, shown.subjects[0].masked) == (NUMBER, False)
    assert "+923007654321" in shown.reasons[0].says


def test_sealing_people_needs_authority(cases, keep, officers, warrant, kernel):
    by = officers["investigator"]
    finding = keep(kind="calls.fan", subjects=(NUMBER,), data=CDR)
    case = cases.open(by, title="A call centre", finding_ids=[finding])
    with pytest.raises(AuthorityRefused):
        cases.seal(by, case)
    assert acts(kernel, outcome="refused") == ["cases.bundle.seal"]
    assert not cases.view(by, case).bundles

    allowed = replace(by, authority=warrant())
    bundle = cases.seal(allowed, case)
    folder = cases.bundles.path(bundle)
    assert verify(folder, str(kernel.ledger.verifier)).ok
    assert bundle.holds == (("calls", NUMBER),)
    assert bundle.withheld == 1  # the warrant names one number; the file holds others
    assert not any(CDR in p.read_bytes() for p in folder.rglob("*") if p.is_file())
    assert "WR-118/2026" in (folder / "data/authorities.json").read_text()
    assert [e.authority for e in kernel.ledger.entries(outcome="read")] == [allowed.authority.id]
    # nor is it taken out without one
    with pytest.raises(AuthorityRefused):
        cases.bundles.take_out(by, case, 1)
    _, stream = cases.bundles.take_out(allowed, case, 1)
    assert b"".join(stream)


def test_what_the_node_does_not_keep_is_named_as_withheld(cases, keep, officers, kernel):
    by = officers["investigator"]
    bundle = cases.seal(by, cases.open(by, title="A", finding_ids=[keep(kept=False)]))
    assert bundle.withheld == 1
    told = verify(cases.bundles.path(bundle), str(kernel.ledger.verifier))
    assert told.ok
    assert any("does not keep" in r for r in told.remarks)


def test_taken_out_as_tar(cases, case, officers, kernel, tmp_path):
    add_photo(cases, officers["custodian"], case)
    bundle = cases.seal(officers["custodian"], case)
    _, stream = cases.bundles.take_out(officers["custodian"], case, 1)
    data = b"".join(stream)
    assert data == b"".join(cases.bundles.take_out(officers["custodian"], case, 1)[1])
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        tar.extractall(tmp_path / "taken", filter="data")
    (folder,) = (tmp_path / "taken").iterdir()
    told = verify(folder, str(kernel.ledger.verifier))
    assert told.ok, told.problems
    assert told.root == bundle.root
    assert acts(kernel, f"bundle:{bundle.id}") == ["cases.bundle.take_out"] * 2
    with pytest.raises(NotFound):
        cases.bundles.take_out(officers["custodian"], case, 2)
    with pytest.raises(Refused):
        cases.bundles.take_out(officers["overseer"], case, 1)


def test_out_folder_is_not_written_over(cases, case, officers, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(BadUsage):
        cases.seal(officers["custodian"], case, tmp_path / "out")
    assert not cases.view(officers["custodian"], case).bundles


def test_list_pages_by_key(cases, officers):
    by = officers["investigator"]
    ids = [cases.open(by, title=f"Case {n}") for n in range(7)]
    first = cases.list(by, at_most=3)
    second = cases.list(by, at_most=3, before=first[-1].case.id)
    assert [line.case.id for line in (*first, *second)] == ids[:0:-1]
    assert [line.case.id for line in cases.list(by, text="c-2026-0002")] == [ids[1]]
    assert [line.case.id for line in cases.list(by, text="case 4")] == [ids[4]]


def test_sealing_as_a_job(cases, case, officers, kernel):
    from cordon.kernel.jobs import JobRow, Jobs

    who = officers["custodian"]
    jobs = Jobs(kernel, lambda _stored: who)
    for kind in cases.job_kinds():
        jobs.register(kind)
    cases.bundles.jobs = jobs
    job = cases.bundles.ask(who, case)
    assert jobs.run_next() == job
    with kernel.rows.read() as session:
        row = session.get_one(JobRow, job)
        assert (row.state, row.error) == ("done", None)
        (bundle,) = cases.view(who, case).bundles
        assert row.report["root"] == bundle.root
    assert verify(cases.bundles.path(bundle), str(kernel.ledger.verifier)).ok
    with pytest.raises(Refused):
        cases.bundles.ask(officers["watch"], case)


def test_a_job_that_died_after_its_commit_seals_nothing_again(cases, case, officers, kernel):
    from cordon.kernel.jobs import JobRow, Jobs

    who = officers["custodian"]
    jobs = Jobs(kernel, lambda _stored: who)
    for kind in cases.job_kinds():
        jobs.register(kind)
    cases.bundles.jobs = jobs
    job = cases.bundles.ask(who, case)
    jobs.run_next()
    with kernel.rows.write() as session:  # as if the worker had died before it said so
        session.get_one(JobRow, job).state = "queued"
    assert jobs.run_next() == job
    assert len(cases.view(who, case).bundles) == 1


@pytest.mark.real_data
def test_real_logs_are_counted_in_lines(real_data):
    from cordon.cases.bundle import RowUnit
    from cordon.cases.gathering import _kind

    logs = [p for p in (real_data / "ais").iterdir() if b"VDM," in p.read_bytes()[: 1 << 16]]
    assert logs
    for log in logs:
        lines = log.read_bytes().count(b"\n")
        assert _kind(log, max(lines, 1)) == (".nmea", RowUnit.LINE), log.name
        assert _kind(log, lines + 2) is None, log.name


@pytest.mark.parametrize("header", [True, False])
def test_rows_of_an_operators_file(tmp_path, header):
    from cordon.cases.bundle import RowUnit
    from cordon.cases.gathering import _kind

    path = tmp_path / "calls"
    path.write_bytes((b"caller,callee\n" if header else b"") + b"1,2\n3,4\n")
    assert _kind(path, 2) == (".csv", RowUnit.CSV_ROW if header else RowUnit.LINE)
    assert _kind(path, 4) is None
