"""The unit of work: whole or not at all, with its trace; personal data under an authority."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from cordon.kernel import leads
from cordon.kernel.access.model import Authority, AuthorityKind, Mark, Scope, Thing
from cordon.kernel.cards import Card
from cordon.kernel.errors import AuthorityRefused, Refused
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.kernel.ids import new_id
from cordon.kernel.leads.tables import LeadRow

ONE, OTHER = "number:+923007654321", "number:+923001111111"
VIEW = "calls.finding.view"


@pytest.fixture
def under(noon, kernel):
    """An actor under an authority of this scope."""

    def make(actor, subjects=frozenset({ONE}), data=("calls",), **changed):
        scope = Scope(
            frozenset(data), subjects and frozenset(subjects),
            changed.pop("since", None), changed.pop("until", None),
        )  # fmt: skip
        authority = Authority(
            id=new_id(), agency=kernel.agency, mark=Mark.AMBER, kind=AuthorityKind.WARRANT,
            reference="WR-1/2026", issuer="A court", legal_basis="An act",
            document_sha256="ab" * 32, scope=scope, valid_from=noon - timedelta(days=1),
            valid_until=noon + timedelta(days=1), recorded_by="officer-supervisor",
            recorded_at=noon,
        )  # fmt: skip
        return replace(actor, authority=replace(authority, **changed))

    return make


@pytest.fixture
def room(kernel):
    return Thing.room("calls", kernel.agency)


def lead(kernel, work):
    thing = Thing("finding", new_id(), kernel.agency, Mark.GREEN)
    leads.open_lead(work, thing, title="t", seriousness="notice", due=work.now)
    return thing


def entries(kernel, **how):
    return kernel.ledger.entries(limit=100, **how)[::-1]


def test_a_refused_act_leaves_nothing_but_its_refusal(kernel, officers, room):
    with pytest.raises(Refused), kernel.work(officers["field"]) as work:  # noqa: PT012
        lead(kernel, work)
        work.emit("test.thing.happened", {})
        work.act("calls.record.import", room)
    with kernel.rows.read() as session:
        assert session.query(LeadRow).count() == 0
    assert kernel.dispatcher.run_pending() == 0
    (entry,) = entries(kernel)
    assert (entry.act, entry.outcome, entry.actor, entry.unit) == (
        "calls.record.import", "refused", "officer-field", "pb-07"
    )  # fmt: skip
    assert entry.thing == room.name


def test_what_fails_after_its_act_leaves_no_entry(kernel, officers):
    with pytest.raises(ZeroDivisionError), kernel.work(officers["watch"]) as work:  # noqa: PT012
        thing = lead(kernel, work)
        work.act("findings.finding.close", thing)
        raise ZeroDivisionError
    assert entries(kernel) == []


def test_an_act_and_its_entry_are_committed_together(kernel, officers, under):
    actor = under(officers["watch"])
    with kernel.work(actor) as work:
        thing = lead(kernel, work)
        work.act("findings.finding.close", thing, reason="x")
    (entry,) = entries(kernel)
    assert (entry.outcome, entry.thing, entry.detail) == ("done", thing.name, {"reason": "x"})
    assert entry.authority == actor.authority.id


def test_a_refusal_in_a_view_stands_too(kernel, officers, room):
    with pytest.raises(Refused), kernel.view(officers["field"]) as view:
        view.permit(VIEW, room)
    assert [e.outcome for e in entries(kernel)] == ["refused"]


def test_sight_without_an_authority_masks_all_and_records_nothing(kernel, officers, room):
    with kernel.view(officers["investigator"]) as view:
        sight = view.sight(VIEW, room, "calls", [ONE, OTHER])
        assert not sight.shows(ONE)
        assert "7654" not in sight.subject(ONE)
        assert sight.subject(ONE) == sight.subject(ONE) != sight.subject(OTHER)
    assert entries(kernel) == []


def test_sight_shows_what_is_covered_and_enters_it_before(kernel, officers, room, under):
    with kernel.view(under(officers["investigator"])) as view:
        sight = view.sight(VIEW, room, "calls", [ONE, OTHER, OTHER])
        (entry,) = entries(kernel)  # it is on the disk already
        assert sight.subject(ONE) == ONE
        assert sight.subject(OTHER) != OTHER
    assert (entry.outcome, entry.detail["count"]) == ("read", 1)
    assert "7654321" not in str(entry.detail)  # and the ledger holds no number


def test_many_readings_at_once_are_entered_without_one_waiting_for_another(
    kernel, officers, room, under
):
    """More readers than shared connections; each waits for its entry with one in its hand."""
    actor = under(officers["investigator"])
    faults: list[BaseException] = []
    inside = threading.Semaphore(0)

    def look() -> None:
        try:
            with kernel.view(actor) as view:
                view.session.execute(text("SELECT 1"))
                inside.release()
                inside.acquire(timeout=0.2)  # let the others come in too
                assert view.sight(VIEW, room, "calls", [ONE]).shows(ONE)
                assert kernel.ledger.size() > 0
        except BaseException as fault:
            faults.append(fault)

    started = time.monotonic()
    threads = [threading.Thread(target=look) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert len(entries(kernel)) == 60
    assert time.monotonic() - started < 10


def test_a_pages_readings_are_entered_together_and_first(kernel, officers, under, noon):
    def one(subject: str) -> Finding:
        return Finding.make(
            kind="calls.out_fan", subjects=(subject,), start=noon, end=noon, confidence=0.9,
            reasons=[Reason("calls", 100, "calls", 50, "It called 100.")],
            records=[RecordRef("ab" * 32, 1)], detector="calls.test", version="1",
        )  # fmt: skip

    page = [
        (Thing("finding", new_id(), kernel.agency, Mark.GREEN), one(s)) for s in (ONE, OTHER, ONE)
    ]
    commits: list[int] = []
    append_many = kernel.ledger.append_many
    kernel.ledger.append_many = lambda e: commits.append(len(e)) or append_many(e)
    with kernel.view(under(officers["investigator"])) as view:
        shown = view.seen_all(VIEW, page)
        assert len(entries(kernel)) == 2
    assert commits == [2]
    assert [f.subjects == (ONE,) for f in shown] == [True, False, True]
    with kernel.work(under(officers["investigator"])) as work:
        work.seen_all(VIEW, page)
    assert len(entries(kernel)) == 4


def test_sight_ends_with_the_authority(kernel, officers, room, under, clock):
    actor = under(officers["investigator"])
    clock.advance(timedelta(days=1))
    with kernel.view(actor) as view:
        assert not view.sight(VIEW, room, "calls", [ONE]).shows(ONE)
    assert entries(kernel) == []


def test_sight_keeps_to_the_span_of_the_data(kernel, officers, room, under, noon):
    hour = timedelta(hours=1)
    actor = under(officers["investigator"], since=noon - hour, until=noon)
    with kernel.view(actor) as view:
        sight = view.sight(VIEW, room, "calls", [ONE])
        assert sight.shows(ONE, noon - hour)
        assert not sight.shows(ONE, noon - hour - timedelta(microseconds=1))
        assert not sight.shows(ONE, noon)
        assert sight.subject(ONE, noon + hour) != ONE


def test_payments_are_not_seen_under_an_authority_over_calls(kernel, officers, room, under):
    with kernel.view(under(officers["investigator"])) as view:
        assert not view.sight(VIEW, room, "payments", ["account:PK1"]).shows("account:PK1")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"authority": None}, "No authority is chosen"),
        ({"valid_until": -1}, "is expired"),
        ({"valid_from": 1}, "is not yet"),
        ({"withdrawn_at": 0}, "is withdrawn"),
        ({"kind": AuthorityKind.EMERGENCY}, "is lapsed"),
        ({"data": ("payments",)}, "does not cover"),
        ({"subjects": {OTHER}}, "does not cover"),
    ],
)
def test_what_no_authority_covers_is_refused_and_the_refusal_stands(
    kernel, officers, room, under, noon, changed, words
):
    if "authority" in changed:
        actor = officers["investigator"]
    else:
        moved = {
            k: noon + timedelta(hours=v) if isinstance(v, int) else v for k, v in changed.items()
        }
        actor = under(officers["investigator"], **moved)
    act = "calls.record.search"
    with pytest.raises(AuthorityRefused, match=words) as refused, kernel.work(actor) as work:
        work.under_authority(act, room, "calls", ONE)
    assert "7654321" not in str(refused.value)
    (entry,) = entries(kernel)
    assert (entry.act, entry.outcome) == (act, "refused")
    assert entry.detail == {"why": "authority_refused"}


def test_a_query_that_names_nobody_needs_a_scope_over_everyone(kernel, officers, room, under):
    act = "calls.record.search"
    with pytest.raises(AuthorityRefused), kernel.work(under(officers["investigator"])) as work:
        work.under_authority(act, room, "calls", None)
    with kernel.work(under(officers["investigator"], subjects=None)) as work:
        work.under_authority(act, room, "calls", None)
    assert [e.outcome for e in entries(kernel)] == ["refused", "read"]


def test_a_finding_is_shown_as_far_as_it_is_covered(kernel, officers, under, noon):
    finding = Finding.make(
        kind="calls.out_fan", subjects=(ONE, OTHER), start=noon, end=noon + timedelta(hours=1),
        confidence=0.9, reasons=[Reason("calls", 100, "calls", 50, f"{ONE[7:]} called 100.")],
        records=[RecordRef("ab" * 32, 1)], detector="calls.test", version="1",
    )  # fmt: skip
    card = Card(
        kind=finding.kind, name="x", version="1", title="t", looks_for="x", seriousness="notice",
        parameters={}, fooled_by=(), takes=(),
    )  # fmt: skip
    with kernel.work(kernel.node) as work:
        (id_,), _ = leads.keep(work, [finding], {finding.kind: card})
    assert id_ != finding.id  # its name tells nothing of whom it speaks
    for actor, clear in (
        (officers["investigator"], set()),
        (under(officers["investigator"]), {ONE}),
        (under(officers["investigator"], subjects=None), {ONE, OTHER}),
        (under(officers["investigator"], until=noon), set()),
    ):
        with kernel.view(actor) as view:
            kept = leads.get_finding(view, id_)
            seen = view.seen("findings.finding.view", kept.thing(), kept.finding)
        assert set(seen.subjects) & {ONE, OTHER} == clear
        if ONE not in clear:
            assert "+923007654321" not in str(seen.to_dict())
