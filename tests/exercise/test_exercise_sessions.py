"""Internet sessions of the world “callcentre”: hard innocents, and no other file changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordon.calls import read_plain
from cordon.calls.forms import SESSIONS
from cordon.cli import main
from cordon.exercise import read_truths
from cordon.exercise.worlds import callcentre


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """One world without its sessions and with them."""
    folder = tmp_path_factory.mktemp("sessions")
    return [
        callcentre.generate(5, 5.0, 0.02, folder / str(asked), sessions=asked)
        for asked in (False, True)
    ]


def test_sessions_change_no_other_file(both) -> None:
    plain, more = both
    assert set(more.files) - set(plain.files) == {"sessions"}
    for name, path in plain.files.items():
        assert more.files[name].read_bytes() == path.read_bytes(), name


def test_sessions_hold_what_ties_and_what_does_not(both) -> None:
    made = both[1]
    read = read_plain(made.files["sessions"], SESSIONS)
    assert read.counts.kept == read.counts.read == made.rows["sessions"]
    users: dict[str, set[str]] = {}
    for row in read.table.select(["number", "public_ip", "remote_ip"]).to_pylist():
        users.setdefault(row["public_ip"], set()).add(row["number"])
        users.setdefault(row["remote_ip"], set()).add(row["number"])
    everybody = len(set(read.table["number"].to_pylist()))
    assert max(map(len, users.values())) > 0.3 * everybody  # a messenger
    planted = [
        {s.removeprefix("number:") for s in t.subjects if s.startswith("number:")}
        for t in read_truths(made.files["truth"])
        if t.kind == "calls.call_centre"
    ]
    told = [max(len(u & p) for u in users.values() if len(u - p) <= 2) for p in planted]
    assert max(told) >= 3  # a centre's own gateway
    every = set().union(*planted)
    # a firm's box, a family's disk, a registered centre's gateway
    assert [u for u in users.values() if len(u) >= 3 and not u & every]


def test_another_world_has_none(tmp_path: Path) -> None:
    asked = ["exercise", "generate", "watch", "--out", str(tmp_path / "w"), "--sessions"]
    with pytest.raises(SystemExit) as ended:
        main(asked)
    assert ended.value.code == 2
    assert not (tmp_path / "w").exists()
