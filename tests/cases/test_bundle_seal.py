"""A bundle is written whole, a peer reads it, and everyday tools check it."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
import re
import resource
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import bagit
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cordon.cases.bundle import (
    DeclaredBreak,
    ExtractedRecord,
    Piece,
    RowUnit,
    WholeRecord,
    WithheldRecord,
    seal,
    verify,
)
from cordon.cases.custody import Rule, check
from cordon.kernel.errors import BadInput, Conflict, DoesNotVerify, Unavailable
from cordon.kernel.ids import new_id
from cordon.kernel.ledger.notes import Verifier, add_cosignature, open_note


def left_beside(out: Path) -> list[str]:
    return sorted(p.name for p in out.parent.iterdir() if "bundle" in p.name or "partial" in p.name)


def test_it_verifies_with_the_key_and_a_peer_reads_the_bag(make, signer, sealed_at, tmp_path):
    told = []
    contents = make.contents()
    done = seal(contents, tmp_path / "bundle", signer, sealed_at, lambda *a: told.append(a))
    found = verify(done.folder, done.public_key)
    assert found.problems == ()
    assert found.ok
    assert found.key_given
    assert (found.sealed_at, found.by, found.agency) == (sealed_at, "officer-9", "pk-mcg")
    assert (found.key_name, found.fingerprint) == ("mcg.example/ledger", done.fingerprint)
    assert (found.files, found.size, found.root) == (
        done.files,
        done.size
        + sum((done.folder / t).stat().st_size for t in ("bagit.txt", "bag-info.txt"))
        + (done.folder / "manifest-sha256.txt").stat().st_size,
        done.root,
    )
    assert any("withheld" in r for r in found.remarks)
    assert any("extract" in r for r in found.remarks)
    assert told[-1][0] == told[-1][1]
    assert told == sorted(told)

    bag = bagit.Bag(str(done.folder))
    assert bag.validate()
    assert bag.version_info == (1, 0)
    assert bag.algorithms == ["sha256"]
    assert bag.info["External-Identifier"] == "C-2026-0001"
    assert set(bag.payload_entries()) == {
        str(p.relative_to(done.folder)) for p in (done.folder / "data").rglob("*") if p.is_file()
    }
    names = {p.name for p in (done.folder / "data/exhibits").iterdir()}
    assert names == {"E-1-wheel_house.jpg", "E-2-بیان_۱.txt"}
    for one in contents.exhibits:
        written = next((done.folder / "data/exhibits").glob(f"{one.exhibit.label}-*"))
        assert written.read_bytes() == one.source
    extract = next((done.folder / "data/records").glob("*.extract"))
    assert extract.read_bytes() == b"row two\n"
    assert left_beside(done.folder) == ["bundle"]


def test_without_a_key_it_says_what_that_is_worth(sealed_once):
    folder, key = sealed_once
    found = verify(folder)
    assert found.ok
    assert not found.key_given
    assert "key inside the bundle" in found.remarks[0]
    assert Verifier.parse(key).fingerprint in found.remarks[0]


def test_another_key_does_not_verify(sealed_once):
    folder, _ = sealed_once
    other = Ed25519PrivateKey.generate().public_key()
    found = verify(folder, Verifier.of("mcg.example/ledger", other))
    assert [p.file for p in found.problems] == ["seal.sig"]
    assert "No key that is trusted" in found.problems[0].says
    assert found.sealed_at is None
    assert found.by is None


def test_the_seal_is_a_signed_note_and_takes_a_witness(sealed_once, tmp_path, sealed_at):
    source, key = sealed_once
    folder = shutil.copytree(source, tmp_path / "b")
    note = (folder / "seal.sig").read_text()
    text = open_note(note, [key]).text
    assert text.startswith("cordon-evidence/1\ncase C-2026-0001\nagency pk-mcg\n")
    witness = Ed25519PrivateKey.generate()
    (folder / "seal.sig").write_text(add_cosignature(note, "fia.example", witness, sealed_at))
    found = verify(folder, key)
    assert found.ok
    assert any("1 more signature" in r for r in found.remarks)


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl on this machine")
def test_the_commands_of_its_readme_work_as_they_stand(sealed_once, tmp_path):
    source, key = sealed_once
    folder = shutil.copytree(source, tmp_path / "b")
    readme = (folder / "data/README.txt").read_text()
    commands = "\n".join(
        line[4:] for line in readme.split("What is in data/")[0].splitlines() if line[:4] == "    "
    ).replace(Verifier.parse(key).fingerprint, "")
    script = f"set -eu -o pipefail\n{commands}"
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TMPDIR": str(tmp_path)}

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", script], cwd=folder, env=env, capture_output=True, text=True
        )

    good = run()
    assert good.returncode == 0, good.stderr
    assert good.stdout.split("\n")[:7] == sorted(p.name for p in folder.iterdir())
    assert "Signature Verified Successfully" in good.stdout
    assert good.stdout.count(": OK") == 2
    assert Verifier.parse(key).fingerprint.removeprefix("SHA256:") in good.stdout
    seal_file = folder / "seal.json"
    seal_file.write_bytes(seal_file.read_bytes().replace(b"officer-9", b"officer-8"))
    assert run().returncode != 0
    shutil.copy(source / "seal.json", seal_file)
    note = folder / "seal.sig"
    note.write_text(note.read_text().replace("officer-9", "officer-8"))
    assert run().returncode != 0


def test_nothing_is_written_over(make, signer, sealed_at, tmp_path):
    out = tmp_path / "bundle"
    for present in (out.mkdir, lambda: (out / "x").touch(), lambda: None):
        present()
        with pytest.raises(Conflict):
            seal(make.contents(), out, signer, sealed_at)
    (out / "x").unlink()
    out.rmdir()
    out.symlink_to(tmp_path / "nowhere")
    with pytest.raises(Conflict):
        seal(make.contents(), out, signer, sealed_at)
    with pytest.raises(BadInput, match="no folder"):
        seal(make.contents(), tmp_path / "not" / "there", signer, sealed_at)


def test_wrong_bytes_are_not_sealed(make, signer, sealed_at, tmp_path):
    contents = make.contents()
    first = contents.exhibits[0]
    changed = dataclasses.replace(first, source=bytes(first.source)[:-1] + b"!")
    whole = contents.records[0]
    other = make.file("other.csv", whole.source.read_bytes() + b"more\r\n")
    cases = [
        dataclasses.replace(contents, exhibits=[changed, *contents.exhibits[1:]]),
        dataclasses.replace(
            contents, records=[dataclasses.replace(whole, source=other), *contents.records[1:]]
        ),
        dataclasses.replace(
            contents,
            records=[
                *contents.records[:2],
                dataclasses.replace(contents.records[2], source=other),
                contents.records[3],
            ],
        ),
    ]
    for wrong in cases:
        with pytest.raises(DoesNotVerify, match="not those that were registered"):
            seal(wrong, tmp_path / "bundle", signer, sealed_at)
        assert left_beside(tmp_path / "bundle") == []


def test_a_pointer_into_nothing_is_not_sealed(make, signer, sealed_at, tmp_path):
    contents = make.contents()
    csv, packed, extract, _ = contents.records
    for pointer, says in [
        (("0" * 64, 1), "neither here nor withheld"),
        ((csv.sha256, 3), "no row 3"),
        ((csv.sha256, 0), "before its first"),
        ((packed.sha256, 4), "no row 4"),
        ((extract.sha256, 1), "not in its extract"),
    ]:
        wrong = dataclasses.replace(contents, findings=[make.finding(pointer)])
        with pytest.raises(BadInput, match=says):
            seal(wrong, tmp_path / "bundle", signer, sealed_at)
        assert left_beside(tmp_path / "bundle") == []


@pytest.mark.parametrize("unit", list(RowUnit))
@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
def test_the_last_row_is_there_and_the_next_is_not(
    make, signer, sealed_at, tmp_path, unit, packing
):
    rows = 5
    if unit is RowUnit.PARQUET_ROW:
        path = make.folder / "r.parquet"
        pq.write_table(pa.table({"a": list(range(rows))}), path)
        last = rows
    else:
        data = b"head\n" + b'"q\nq",1\n' * (rows - 1) + b"end"
        path = make.file("r.csv", data)
        if packing:
            path = make.folder / f"r.csv{packing}"
            with pa.output_stream(
                str(path), compression={"gz": "gzip"}.get(packing[1:], "zstd")
            ) as out:
                out.write(data)
        last = {RowUnit.BYTE: len(data) - 1, RowUnit.LINE: 10, RowUnit.CSV_ROW: rows}[unit]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    whole = WholeRecord(digest, path.name, unit, path)
    base = dataclasses.replace(make.contents(), records=[whole])
    good = dataclasses.replace(base, findings=[make.finding((digest, last))])
    done = seal(good, tmp_path / "bundle", signer, sealed_at)
    assert verify(done.folder, done.public_key).ok
    wrong = dataclasses.replace(base, findings=[make.finding((digest, last + 1))])
    with pytest.raises(BadInput, match="has no row"):
        seal(wrong, tmp_path / "bundle2", signer, sealed_at)


def test_a_broken_chain_is_sealed_only_when_declared(make, signer, sealed_at, tmp_path):
    contents = make.contents()
    gap = [e for e in contents.custody if e.act != "moved"]
    broken = dataclasses.replace(contents, custody=gap)
    with pytest.raises(BadInput, match="custody of E-1 is broken") as refused:
        seal(broken, tmp_path / "bundle", signer, sealed_at)
    assert "E-2" in str(refused.value)
    declared = [
        DeclaredBreak(b.exhibit, b.event, b.rule, "The store's book was lost in the flood.")
        for b in check(gap)
    ]
    done = seal(
        dataclasses.replace(broken, declared_breaks=declared),
        tmp_path / "bundle",
        signer,
        sealed_at,
    )
    found = verify(done.folder, done.public_key)
    assert found.ok
    assert sum("flood" in r for r in found.remarks) == len(declared)
    untrue = [*declared, DeclaredBreak(declared[0].exhibit, None, Rule.NO_RECEIPT, "It is not so.")]
    with pytest.raises(BadInput, match="that is none"):
        seal(
            dataclasses.replace(broken, declared_breaks=untrue),
            tmp_path / "bundle2",
            signer,
            sealed_at,
        )


def test_custody_later_than_the_seal_is_refused(make, signer, sealed_at, tmp_path):
    with pytest.raises(BadInput, match="after_end"):
        seal(make.contents(), tmp_path / "bundle", signer, sealed_at - timedelta(days=4))


def test_things_of_another_case_and_doubles_are_refused(make, signer, sealed_at, tmp_path):
    contents = make.contents()
    first = contents.exhibits[0]
    stranger = dataclasses.replace(first.exhibit, case=new_id())
    for wrong in [
        {"exhibits": [dataclasses.replace(first, exhibit=stranger)]},
        {"exhibits": [first, first]},
        {"records": [contents.records[0], contents.records[0]]},
        {"ledger_files": {"a": b"", "A": b""}},
        {"ledger_files": {"a": b"", "a/b": b""}},
        {"ledger_files": {"../../seal.json": b""}},
        {"ledger_files": {"/etc/passwd": b""}},
        {"ledger_files": {"con.txt": b""}},
        {"ledger_files": {"a\nb": b""}},
    ]:
        with pytest.raises(BadInput):
            seal(dataclasses.replace(contents, **wrong), tmp_path / "bundle", signer, sealed_at)
        assert left_beside(tmp_path / "bundle") == []


def test_an_extract_outside_of_its_file_is_refused(make, signer, sealed_at, tmp_path):
    contents = make.contents()
    extract = contents.records[2]
    for piece in [Piece(2, 20, 100), Piece(2, -1, 5), Piece(2, 0, 0), Piece(2, 10**9, 1)]:
        wrong = dataclasses.replace(extract, pieces=(piece,))
        records = [*contents.records[:2], wrong, contents.records[3]]
        with pytest.raises(BadInput, match="outside of its file"):
            seal(
                dataclasses.replace(contents, records=records),
                tmp_path / "bundle",
                signer,
                sealed_at,
            )
    with pytest.raises(BadInput, match="no piece"):
        ExtractedRecord(extract.sha256, "x", RowUnit.LINE, extract.source, ())
    with pytest.raises(BadInput, match="without a reason"):
        WithheldRecord(extract.sha256, " ")


def test_sources_that_are_no_files_are_refused(make, signer, sealed_at, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "gone", tmp_path / "pipe", tmp_path):
        one = make.exhibit("E-1", b"abc", path=path)
        contents = dataclasses.replace(make.contents(), exhibits=[one], custody=[], findings=[])
        with pytest.raises(BadInput):
            seal(contents, tmp_path / "bundle", signer, sealed_at)


def test_calling_off_leaves_nothing(make, signer, sealed_at, tmp_path):
    class CalledOff(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise CalledOff

    with pytest.raises(CalledOff):
        seal(make.contents(), tmp_path / "bundle", signer, sealed_at, stop)
    assert left_beside(tmp_path / "bundle") == []


def test_a_disk_that_fills_at_the_sync_leaves_nothing(
    make, signer, sealed_at, tmp_path, monkeypatch
):
    real, calls = os.fsync, []

    def fsync(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 7:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(Unavailable, match="Free space"):
        seal(make.contents(), tmp_path / "bundle", signer, sealed_at)
    assert left_beside(tmp_path / "bundle") == []


CHILD = """
import sys, hashlib
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import Maker, SEALED, a_case
from cordon.cases.bundle import Contents, Signer, seal
from cordon.kernel.errors import Unavailable
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
signer = Signer("mcg.example/ledger", Ed25519PrivateKey.from_private_bytes(b"k" * 32), "o", "a")
make = Maker(Path(sys.argv[2]), a_case())
data = b"x" * (1 << 20)
size = int(sys.argv[4])
path = make.folder / "big.bin"
with path.open("wb") as out:
    for _ in range(size): out.write(data)
digest = hashlib.sha256()
for _ in range(size): digest.update(data)
import dataclasses
one = make.exhibit("E-1", b"")
exhibit = dataclasses.replace(one.exhibit, sha256=digest.hexdigest(), size=size << 20)
one = dataclasses.replace(one, exhibit=exhibit, source=path)
contents = Contents(make.case, [one], make.chain(exhibit.id))
try:
    seal(contents, Path(sys.argv[3]), signer, SEALED)
except Unavailable as full:
    print("UNAVAILABLE", full)
import resource
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def child(tmp_path: Path, out: Path, megabytes: int, *before: str) -> list[str]:
    sources = tmp_path / f"src{megabytes}"
    sources.mkdir()
    args = [sys.executable, "-c", CHILD, str(Path(__file__).parent), str(sources), str(out)]
    done = subprocess.run(
        [*before, *args, str(megabytes)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_memory_stays_flat(tmp_path):
    small = int(child(tmp_path, tmp_path / "small", 1)[-1])
    large = int(child(tmp_path, tmp_path / "large", 50)[-1])
    assert large - small < 8_000  # KiB, of 50 MiB sealed
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert verify(tmp_path / "large").ok
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8_000


@pytest.mark.faults
def test_a_full_disk_is_named_and_left_clean(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=2m tmpfs {disk}"
    if subprocess.run(["unshare", "-Urm", "sh", "-c", mount], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    script = f'{mount} && "$@" && ls -A {disk} | wc -l'
    lines = child(tmp_path, disk / "bundle", 5, "unshare", "-Urm", "sh", "-c", script, "sh")
    assert lines[0].startswith("UNAVAILABLE The disk")
    assert "Free space" in lines[0]
    assert lines[-1].strip() == "0"


def test_no_text_of_the_case_is_lost(sealed_once):
    folder, _ = sealed_once
    case = orjson.loads((folder / "data/case.json").read_bytes())
    assert case["case"]["title"] == "Fuel carried by night off Gwadar"
    assert [e["title"] for e in case["exhibits"]] == ["wheel house.jpg", "بیان ۱.txt"]
    authorities = orjson.loads((folder / "data/authorities.json").read_bytes())
    assert authorities[0]["scope"]["subjects"] == ["mmsi:463012345"]
    assert len((folder / "data/custody.jsonl").read_bytes().splitlines()) == 16
    info = (folder / "bag-info.txt").read_text()
    assert re.search(r"^Payload-Oxum: \d+\.\d+$", info, re.M)
