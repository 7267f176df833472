"""The kernel's policy, read as a whole: no act without one, no stranger in one, no surprise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cordon.kernel.access import walk
from cordon.kernel.access.acts import ACTS
from cordon.kernel.access.gate import Gate, GateRefused
from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.errors import WrongSetting

TABLE = Path(__file__).with_name("policy_table.txt")
POLICY = (
    Path(__file__).parents[2].joinpath("src/cordon/kernel/access/policy.cedar").read_text("utf-8")
)


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate({"kernel": POLICY}, ACTS)


@pytest.fixture(scope="module")
def cells(gate: Gate) -> list[walk.Cell]:
    return list(walk.walk(gate, Role, ACTS, Mark))


def test_every_act_is_somebodys(gate, cells):
    assert walk.nobody_may(gate, cells, ACTS) == []
    bare = Gate({"kernel": ""}, ACTS)
    assert len(walk.nobody_may(bare, walk.walk(bare, Role, ACTS, Mark), ACTS)) == len(ACTS)


def test_the_node_alone_may_end_unconfirmed_authorities(gate, cells):
    assert not any(c.unnamed or c.named for c in cells if c.act == "access.authority.lapse")
    node = Actor("node", "", walk.AGENCY, None, frozenset({Role.SERVICE}), Mark.RED)
    thing = walk.thing("authority", Mark.AMBER)
    assert gate.decide(node, "access.authority.lapse", thing).policies == (
        "access.unconfirmed_authorities_end",
    )


def test_policies_name_only_what_there_is():
    assert walk.strangers({"kernel": POLICY}, ACTS) == []
    wrong = 'permit (principal in Role::"wizard", action == Action::"access.spell", resource);'
    assert walk.strangers({"x": wrong}, ACTS) == ["x: Action::access.spell", "x: Role::wizard"]


def test_each_policy_is_named_and_explained():
    assert walk.unexplained({"kernel": POLICY}) == []
    assert len(walk.unexplained({"x": "permit (principal, action, resource);"})) == 1


def test_the_table_is_the_one_that_was_read(cells):
    now = walk.table(cells)
    if os.environ.get("TEST_WRITE_TABLES"):
        TABLE.write_text(now, "utf-8")
    assert now == TABLE.read_text("utf-8"), (
        "who may do what has changed; read the difference, and where it is meant run "
        "`TEST_WRITE_TABLES=1 pytest tests/access/test_access_policy.py`"
    )


def test_nobody_reaches_into_another_agency(gate):
    for role in Role:
        stranger = walk.actor(role, agency="yy-other")
        for act in ACTS:
            for type_ in ("room", walk.thing_of(act.name)):
                for mark in Mark:
                    thing = walk.thing(type_, mark, named=stranger.id)
                    assert not gate.decide(stranger, act.name, thing).allowed, (role, act, mark)


# What the overseer reads whatever the mark: that something exists and was done, never what it says
_ANY_MARK = {
    "ledger.entry.view", "ledger.export", "ledger.verify", "access.authority.view",
    "access.session.view", "access.token.view", "access.settings.view",
}  # fmt: skip


def test_nobody_handles_a_mark_above_their_clearance(gate):
    for role in Role:
        for cleared in Mark:
            officer = walk.actor(role, cleared=cleared)
            for act in ACTS:
                for mark in Mark:
                    if mark.rank <= officer.cleared.rank:
                        continue
                    allowed = gate.decide(
                        officer, act.name, walk.thing(walk.thing_of(act.name), mark)
                    ).allowed
                    overseen = role is Role.OVERSEER and act.name in _ANY_MARK
                    assert allowed == overseen, (role, act.name, cleared, mark)


def test_red_findings_are_for_the_named_alone(cells):
    red = [c for c in cells if c.mark is Mark.RED and c.act.startswith("findings.")]
    assert not any(c.unnamed for c in red)
    assert {c.role for c in red if c.named and c.act == "findings.finding.view"} == {
        Role.WATCH_OFFICER,
        Role.SUPERVISOR,
        Role.INVESTIGATOR,
        Role.FIELD_OFFICER,
        Role.OVERSEER,
    }


def test_roles_added_to_overseer_or_administrator_give_nothing(gate):
    finding = walk.thing("finding", Mark.AMBER)
    both = Actor("o", "", walk.AGENCY, "u", frozenset({Role.OVERSEER, Role.SUPERVISOR}), Mark.RED)
    assert gate.decide(both, "findings.finding.view", finding).allowed
    assert not gate.decide(both, "findings.finding.close", finding).allowed
    admin = Actor("a", "", walk.AGENCY, "u", frozenset({Role.ADMINISTRATOR, *Role}), Mark.RED)
    for act in ("findings.finding.view", "access.authority.choose", "ledger.entry.view"):
        assert not gate.decide(admin, act, walk.thing(walk.thing_of(act), Mark.GREEN)).allowed


def test_nobody_confirms_or_raises_themselves(gate):
    supervisor = walk.actor(Role.SUPERVISOR)
    mine = walk.thing("authority", Mark.AMBER, named=supervisor.id)
    assert not gate.decide(supervisor, "access.authority.confirm", mine).allowed
    other = walk.thing("authority", Mark.AMBER)
    assert gate.decide(supervisor, "access.authority.confirm", other).allowed
    admin = walk.actor(Role.ADMINISTRATOR)
    own = walk.thing("officer", Mark.GREEN, named=admin.id)
    with pytest.raises(GateRefused):
        gate.check(admin, "access.officer.change", own)


def test_decisions_are_forgotten_with_their_policies(gate):
    other = Gate({"kernel": POLICY}, ACTS)
    watch, finding = walk.actor(Role.WATCH_OFFICER), walk.thing("finding", Mark.AMBER)
    assert other.decide(watch, "findings.finding.view", finding).allowed
    other.replace({"kernel": POLICY + '@id("none") forbid (principal, action, resource);'})
    assert not other.decide(watch, "findings.finding.view", finding).allowed
    with pytest.raises(WrongSetting):
        other.replace({"kernel": "permit ("})


def test_asking_about_an_undeclared_act_is_a_mistake_in_the_program(gate):
    with pytest.raises(LookupError):
        gate.decide(walk.actor(Role.SUPERVISOR), "cases.spell.cast", walk.thing("case", Mark.GREEN))
