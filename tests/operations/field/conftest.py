"""A desk of phones, a boat that was sent, and messages as a phone writes them."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from cordon.kernel.clock import format_time
from cordon.operations.field.desk import FieldDesk

ORDER = "Go and look at it."


class Phone:
    """What the field page does, for one officer: numbers, ids, and its own clock."""

    def __init__(self, desk, officer, clock, slow=timedelta(0)):
        self.desk, self.officer, self.clock, self.slow = desk, officer, clock, slow
        self.id, self.number, self.kept = str(uuid.uuid4()), 0, []

    def now(self):
        return format_time(self.clock.now() - self.slow)

    def say(self, tasking, kind="step", **body):
        """Keep an act; it is sent by `sync`."""
        self.number += 1
        act = {"id": str(uuid.uuid4()), "number": self.number, "kind": kind, "at": self.now(),
               "tasking": tasking, "offset_ms": None, "position": None, **body}  # fmt: skip
        self.kept.append(act)
        return act

    def step(self, tasking, to, note="", **more):
        return self.say(tasking, to=to, note=note, **more)

    def sync(self, acts=None, fixes=()):
        """Send what was kept; the answers in order."""
        answers, _upto, _offset = self.desk.take(self.officer, {
            "phone": self.id, "officer": self.officer.id, "sent_at": self.now(),
            "acts": self.kept if acts is None else acts, "fixes": list(fixes)})  # fmt: skip
        return answers


@pytest.fixture
def desk(room, tmp_path):
    made = FieldDesk(room, room.cases, tmp_path / "field")
    made.subscribe(room.kernel.dispatcher)
    return made


@pytest.fixture
def sent(room, officers, raised, boat):
    """The id of a tasking that was sent to pb-07."""
    return room.send(officers["watch"], raised(), boat.id, ORDER).id


@pytest.fixture
def phone(desk, officers, clock):
    return Phone(desk, officers["field"], clock)


@pytest.fixture
def acts_of(kernel):
    """Acts in the ledger by their name."""

    def read(act):
        return [e for e in kernel.ledger.entries() if e.act == act]

    return read
