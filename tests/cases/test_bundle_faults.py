"""A sealing that is killed at any moment leaves no half bundle, and the next one cleans up."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cordon.cases.bundle import seal, verify
from cordon.kernel.errors import Conflict

SERVER = """
import dataclasses, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import Maker, SEALED, a_case
from cordon.cases.bundle import Signer, seal
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

signer = Signer(
    "mcg.example/ledger", Ed25519PrivateKey.from_private_bytes(b"k" * 32), "officer-9", "pk-mcg"
)

def seal_for_ever(out, sources):
    for number in range(10_000):
        make = Maker(sources, a_case())
        contents = make.contents()
        more = [make.exhibit(f"E-{n}", os.urandom(1 << 18), f"{n}.bin") for n in range(3, 8)]
        chains = [event for one in more for event in make.chain(one.exhibit.id)]
        contents = dataclasses.replace(
            contents,
            exhibits=[*contents.exhibits, *more],
            custody=[*contents.custody, *chains],
        )
        seal(contents, out / f"bundle-{number}", signer, SEALED)
        print("sealed", flush=True)

# forked for each turn, because starting Python anew takes longer than a hundred sealings
for line in sys.stdin:
    out, sources = map(Path, line.rstrip().split("\\t"))
    pid = os.fork()
    if pid == 0:
        seal_for_ever(out, sources)
        os._exit(1)
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("ended", flush=True)
"""


@pytest.mark.faults
def test_killed_at_any_moment_it_leaves_whole_bundles_or_none(tmp_path, make, signer, sealed_at):
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    partials = bundles = 0
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(Path(__file__).parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as server:
        for turn in range(15):
            out, sources = tmp_path / f"out{turn}", tmp_path / f"src{turn}"
            out.mkdir()
            sources.mkdir()
            server.stdin.write(f"{out}\t{sources}\n")
            lines = iter(server.stdout.readline, "ended\n")
            said, pid = [], 0
            # every other turn waits for a first bundle, so that both ends are met on a slow machine
            while not pid or (turn % 2 and not said):
                line = next(lines).strip()
                pid = int(line) if line.isdigit() else pid
                said += [line] if line == "sealed" else []
            time.sleep(chance.uniform(0.01, 0.15))
            os.kill(pid, signal.SIGKILL)
            acknowledged = len(said) + sum(1 for _ in lines)
            seen = sorted(p.name for p in out.iterdir())
            whole = [name for name in seen if name.startswith("bundle-")]
            assert len(whole) >= acknowledged, (seed, turn)
            for name in whole:
                assert verify(out / name).problems == (), (seed, turn, name)
            for name in set(seen) - set(whole):
                partials += 1
                assert name.startswith(".bundle-"), (seed, turn, name)
                assert name.endswith(".partial"), (seed, turn, name)
                assert not verify(out / name).ok, (seed, turn, name)
                place = out / name[1 : -len(".xxxxxxxxxxxx.partial")]
                if not place.exists():
                    assert seal(make.contents(), place, signer, sealed_at)
                    assert name not in {p.name for p in out.iterdir()}, (seed, turn, name)
            bundles += len(whole)
        server.stdin.close()
    assert bundles >= 7
    assert partials > 0, f"no kill hit a sealing at work (seed {seed})"


@pytest.mark.faults
def test_a_sealing_at_work_is_not_swept_away_by_another(tmp_path, make, signer, sealed_at):
    """Two officers seal to one place at once: one bundle stands, and it is whole."""
    done = []

    def second(*_: int) -> None:
        if not done:
            done.append(seal(make.contents(), tmp_path / "bundle", signer, sealed_at))

    with pytest.raises(Conflict):
        seal(make.contents(), tmp_path / "bundle", signer, sealed_at, second)
    assert verify(done[0].folder, done[0].public_key).ok
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bundle", "sources"]
