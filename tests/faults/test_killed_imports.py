"""kill -9 at random moments of an import: nothing lost, nothing twice, and it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cordon.kernel.clock import SystemClock
from cordon.kernel.ledger import verify_rows

from .conftest import SOAK, run, set_up, state, stray

pytestmark = [pytest.mark.faults, pytest.mark.timeout(280)]
KILLS = {"sqlite": 50, "postgresql": 20} if SOAK else {"sqlite": 10, "postgresql": 6}


def files_of(worlds, kind: str) -> list[str]:
    if kind == "calls":
        return [str(w / "calls.csv") for w in worlds[:2]]
    if kind == "money":
        return [str(payments(w / "payments.csv", at)) for at, w in enumerate(worlds[:2])]
    return [str(w / name) for w in worlds[:2] for name in ("ais.nmea", "positions.csv")]


def payments(path: Path, at: int) -> Path:
    """Some hundreds of payments; two files share half of theirs, and each has bad rows."""
    lines = ["payment_id,at,from_account,to_account,amount,currency,channel"]
    for n in range(at * 150, at * 150 + 300):
        when = f"2026-01-{1 + n // 24 % 28:02d}T{n % 24:02d}:00:00Z"
        amount = -1 if n % 50 == 7 else n * 3.25
        lines.append(f"P{n},{when},ACC-{n % 17},ACC-{n % 23},{amount},PKR,transfer")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def acknowledged(said: list[dict[str, Any]]) -> dict[str, list[int]]:
    """The checkpoints that were committed, by job, in order."""
    found: dict[str, list[int]] = {}
    for line in said:
        if "committed" in line:
            at = line["committed"].get("parts", line["committed"].get("batches", 0))
            found.setdefault(line["job"], []).append(at)
    return found


def killed_at_work(said: list[dict[str, Any]]) -> int:
    """How many were killed after something that they committed."""
    count, committed = 0, False
    for line in said:
        committed |= "committed" in line
        if "turn" in line:
            count += committed and line["status"] < 0
            committed = False
    return count


@pytest.mark.parametrize("kind", ["positions", "calls", "money"])
def test_an_import_killed_again_and_again_ends_as_one_never_killed(
    kind, rows_url, second_url, worlds, tmp_path, open_node
):
    files = files_of(worlds, kind)
    calm, rough = open_node(tmp_path / "calm", second_url), open_node(tmp_path / "rough", rows_url)
    for node in (calm, rough):
        reference = set_up(node, worlds[0] / "zones.geojson")
        # the masked ids of findings are made under a key of each node's own
        node.kernel.masker = rough.kernel.masker
    key = (tmp_path / "rough" / "keys" / "masking-key").read_bytes()
    (tmp_path / "calm" / "keys" / "masking-key").write_bytes(key)

    told = run(tmp_path / "calm", second_url, "once", kind, reference, *files)
    assert {line.get("state") for line in told if "file" in line} == {"done"}
    kills = KILLS[rough.kernel.rows.url.get_backend_name()]
    if kind == "money":  # it takes the same steps as an import of calls
        kills //= 2
    said = run(tmp_path / "rough", rows_url, "kill", str(kills), "7", kind, reference, *files)
    turns = [line["status"] for line in said if "turn" in line]
    assert turns == [-9] * kills + [0]
    # most were killed at work, not only while they began
    assert killed_at_work(said) > kills // 2
    assert not [line for line in said if line.get("error") or line.get("fault")]
    # each commit that was acknowledged stood: the next turn went on after it, never before
    for checkpoints in acknowledged(said).values():
        assert checkpoints == sorted(checkpoints)

    dataset = "money.payments" if kind == "money" else kind
    expected, found = state(calm, dataset), state(rough, dataset)
    assert expected["rows"]
    assert found == expected
    if kind == "positions":
        assert expected["findings"]
    # what the kills left half-written is gone with the next start
    rough.kernel.files.sweep()
    rough.kernel.columns.sweep()
    assert stray(rough) == []
    assert all(whole for _, whole in rough.kernel.files.check())
    rough.kernel.ledger.check_head()
    assert rough.kernel.dispatcher.failing() == []
    times = [e.at for e in rough.kernel.ledger.entries(limit=1000)]
    assert times == sorted(times, reverse=True)
    assert times[0] <= SystemClock().now()
    assert verify_rows(rough.kernel.ledger).ok
