"""Who may write that an exhibit was handed on."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from cordon.cases import CustodyAct, CustodyBroken


@pytest.fixture
def photo(cases, officers, clock):
    case = cases.open(officers["investigator"], title="A silent vessel")
    added = cases.add_file(
        officers["custodian"], case, io.BytesIO(b"\xff\xd8x"), title="deck.jpg",
        received_from="officer:officer-field",
    )  # fmt: skip
    clock.advance(timedelta(minutes=1))
    return added


def rules_of(broken):
    return [str(b.rule) for b in broken.value.breaks]


def test_nobody_gives_away_what_another_officer_holds(cases, photo, officers, kernel):
    meddler = officers["investigator"]
    for act, to in ((CustodyAct.MOVED, "person:friend"), (CustodyAct.DISPOSED, None)):
        with pytest.raises(CustodyBroken) as broken:
            cases.record_custody(meddler, photo.id, act, to_holder=to, note="because")
        assert rules_of(broken) == ["not_holder"]
    assert len(kernel.ledger.entries(outcome="refused", thing=f"exhibit:{photo.id}")) == 2
    # the one who receives it may write so, and then dispose of it as its holder
    cases.record_custody(meddler, photo.id, CustodyAct.MOVED, to_holder=f"officer:{meddler.id}")
    cases.record_custody(meddler, photo.id, CustodyAct.DISPOSED, note="ordered by the court")


def test_moving_what_a_third_party_holds_takes_a_reason(cases, photo, officers):
    custodian = officers["custodian"]
    cases.record_custody(custodian, photo.id, CustodyAct.MOVED, to_holder="store:Store 2")
    with pytest.raises(CustodyBroken) as broken:
        cases.record_custody(custodian, photo.id, CustodyAct.RELEASED, to_holder="court:Sindh")
    assert rules_of(broken) == ["no_reason"]
    cases.record_custody(custodian, photo.id, CustodyAct.RELEASED, to_holder="court:Sindh",
                         note="Order 12 of the Sindh court")  # fmt: skip
    back = officers["investigator"]
    cases.record_custody(back, photo.id, CustodyAct.RETURNED, to_holder=f"officer:{back.id}")
