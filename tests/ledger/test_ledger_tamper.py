"""Whoever changes, drops, reorders, repeats, adds or cuts off entries is caught, each time."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from sqlalchemy import text

from cordon.kernel.errors import BadInput, BadUsage, DoesNotVerify
from cordon.kernel.ledger import (
    Ledger,
    NewEntry,
    Report,
    checkpoint,
    export,
    export_slice,
    merkle,
    tables,
    verify_export,
    verify_rows,
)
from cordon.kernel.store.rows import Rows

Make = Callable[..., NewEntry]
Open = Callable[..., Ledger]
SIZE = 300  # one kept subtree of 256 and a rest
FILE = 128


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    for name in ("export", "verify"):
        module = importlib.import_module(f"cordon.kernel.ledger.{name}")
        monkeypatch.setattr(module, "FILE_ENTRIES", FILE)


@pytest.fixture
def full(ledger: Ledger, entry: Make) -> Ledger:
    for start in range(0, SIZE, 50):
        ledger.append_many([entry(n) for n in range(start, start + 50)])
    return ledger


def lines_of(folder: Path) -> list[bytes]:
    files = sorted(folder.glob("entries-*.jsonl"))
    return [line for f in files for line in f.read_bytes().splitlines()]


def write_lines(folder: Path, lines: list[bytes], *, hashes: bool) -> None:
    """Write an export's entries anew; with their hashes, as a careful forger would."""
    for path in [*folder.glob("entries-*"), *folder.glob("hashes-*")]:
        if hashes or path.name.startswith("entries"):
            path.unlink()
    for number, first in enumerate(range(0, len(lines), FILE)):
        part = lines[first : first + FILE]
        (folder / f"entries-{number:06d}.jsonl").write_bytes(b"".join(x + b"\n" for x in part))
        if hashes:
            digests = b"".join(merkle.leaf_hash(x) for x in part)
            (folder / f"hashes-{number:06d}.bin").write_bytes(digests)


def change(lines: list[bytes], pick: random.Random) -> int | None:
    n = pick.randrange(len(lines))
    data = orjson.loads(lines[n])
    data[pick.choice(["actor", "thing", "authority", "outcome"])] = "changed"
    lines[n] = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    return n


def drop(lines: list[bytes], pick: random.Random) -> int | None:
    n = pick.randrange(len(lines))
    del lines[n]
    return n


def drop_and_renumber(lines: list[bytes], pick: random.Random) -> int | None:
    n = drop(lines, pick)
    for i in range(n, len(lines)):
        data = orjson.loads(lines[i])
        data["index"] = i
        lines[i] = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    return None


def reorder(lines: list[bytes], pick: random.Random) -> int | None:
    a, b = sorted(pick.sample(range(len(lines)), 2))
    lines[a], lines[b] = lines[b], lines[a]
    return a


def truncate(lines: list[bytes], pick: random.Random) -> int | None:
    n = pick.randrange(len(lines))
    del lines[n:]
    return n


def repeat(lines: list[bytes], pick: random.Random) -> int | None:
    n = pick.randrange(len(lines))
    lines.insert(n, lines[n])
    return n


def insert(lines: list[bytes], pick: random.Random) -> int | None:
    n = pick.randrange(len(lines) + 1)
    data = orjson.loads(lines[min(n, len(lines) - 1)])
    data.update(index=n, actor="added")
    lines.insert(n, orjson.dumps(data, option=orjson.OPT_SORT_KEYS))
    return n if n < SIZE else None


MUTATIONS = [change, drop, drop_and_renumber, reorder, truncate, repeat, insert]


@pytest.mark.parametrize("rows_url", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("small_files")
def test_every_random_change_of_an_export_is_caught(full: Ledger, tmp_path: Path) -> None:
    good = tmp_path / "export"
    assert export(full, good) == SIZE
    report = verify_export(good, full.verifier)
    assert report.ok, report.problems
    assert (report.checked, report.size) == (SIZE, SIZE)
    pick = random.Random(8)
    forged = tmp_path / "forged"
    for mutation in MUTATIONS:
        for turn in range(25):
            shutil.rmtree(forged, ignore_errors=True)
            shutil.copytree(good, forged)
            lines = lines_of(good)
            where = mutation(lines, pick)
            careful = turn % 2 == 1
            write_lines(forged, lines, hashes=careful)
            report = verify_export(forged, full.verifier)
            assert not report.ok, (mutation.__name__, where, careful)
            if where is not None and not (careful and mutation is change):
                named = {p.index for p in report.problems}
                assert where in named, (mutation.__name__, where, report.problems[:5])
            with pytest.raises(DoesNotVerify):
                report.require()


@pytest.mark.parametrize("rows_url", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("small_files")
def test_every_random_byte_of_an_export_counts(full: Ledger, tmp_path: Path) -> None:
    good = tmp_path / "export"
    export(full, good)
    pick = random.Random(9)
    files = sorted(good.iterdir())
    assert len(files) == 8
    for turn in range(200):
        path = files[turn % len(files)]
        kept = path.read_bytes()
        data = bytearray(kept)
        place = pick.randrange(len(data) - (path.name == "verifier"))  # not its line's end
        data[place] ^= pick.randrange(1, 256)
        path.write_bytes(bytes(data[:place]) if turn % 5 == 0 else bytes(data))
        report = verify_export(good)
        assert not report.ok, (path.name, place)
        path.write_bytes(kept)
    for path in files:
        kept = path.read_bytes()
        path.unlink()
        if path.name.startswith("hashes"):
            assert verify_export(good).ok  # they only help to name the place
        else:
            assert not verify_export(good).ok, path.name
        path.write_bytes(kept)
    assert verify_export(good).ok


@pytest.mark.usefixtures("small_files")
def test_an_export_from_later_on_and_an_older_checkpoint(
    full: Ledger, entry: Make, tmp_path: Path
) -> None:
    old = full.checkpoint()
    full.append_many([entry(n) for n in range(200)])
    export(full, tmp_path / "all")
    export(full, tmp_path / "rest", since=SIZE)
    export(full, tmp_path / "end", since=SIZE + 50)
    for name, since, kind in (("all", 0, "whole"), ("rest", SIZE, "rest")):
        report = verify_export(tmp_path / name, full.verifier, since=since, against=old)
        assert report.ok, report.problems
        assert (report.kind, report.start) == (kind, since)
    assert verify_export(tmp_path / "end", full.verifier, since=SIZE + 50).ok
    late = verify_export(tmp_path / "end", full.verifier, since=SIZE + 50, against=old)
    assert "too late" in late.problems[0].says
    start = tmp_path / "rest" / "start.json"
    data = orjson.loads(start.read_bytes())
    data["hashes"] = data["hashes"][::-1]
    start.write_bytes(orjson.dumps(data))
    assert not verify_export(tmp_path / "rest", full.verifier, since=SIZE).ok
    cut = verify_export(tmp_path / "all", full.verifier, against=full.checkpoint())
    assert cut.ok
    with pytest.raises(BadUsage):
        export(full, tmp_path / "all")
    with pytest.raises(BadInput):
        export(full, tmp_path / "none", since=10_000)
    assert not (tmp_path / "none").exists()
    assert not list(tmp_path.glob(".*partial"))


@pytest.mark.parametrize("rows_url", ["sqlite"], indirect=True)
def test_a_ledger_that_was_started_again_is_not_the_old_one(
    full: Ledger, entry: Make, tmp_path: Path, clock: object, key: object
) -> None:
    """Even by the one who has the key: that is what an older checkpoint in other hands is for."""
    from cordon.kernel.store.rows import Base

    old = full.checkpoint()
    other = Rows(f"sqlite:///{tmp_path / 'other.db'}")
    Base.metadata.create_all(other.engine)
    again = Ledger(other, clock, agency="pk-mcg", origin=full.origin, key=key)
    again.append_many([entry(n) for n in range(SIZE + 10)])
    export(again, tmp_path / "again")
    assert verify_export(tmp_path / "again", full.verifier).ok
    report = verify_export(tmp_path / "again", full.verifier, against=old)
    assert "are not those of the older checkpoint" in report.problems[0].says
    export_slice(again, tmp_path / "slice", [4], against=again.checkpoint())
    assert not verify_export(tmp_path / "slice", full.verifier, slice_=True, against=old).ok
    again.close()
    other.close()


def test_a_slice_proves_its_entries(full: Ledger, entry: Make, tmp_path: Path) -> None:
    old = full.checkpoint()
    full.append_many([entry(n) for n in range(33)])
    folder = tmp_path / "slice"
    assert export_slice(full, folder, [7, 255, 256, 7, 320], against=old) == 4
    report = verify_export(folder, full.verifier, slice_=True, against=old)
    assert report.ok, report.problems
    assert (report.kind, report.checked) == ("slice", 4)
    path = folder / "proof-255.json"
    kept = orjson.loads(path.read_bytes())
    wrong = [
        {"leaf": kept["leaf"].replace("officer", "0fficer")},
        {"index": 256},
        {"size": 332},
        {"index": 255.0},
        {"index": True},
        {"size": 333.0},
        {"leaf": kept["leaf"].replace('"index":255', '"index":255.0')},
        {"proof": kept["proof"][1:]},
        {"proof": kept["proof"][::-1]},
        {"leaf": "[]"},
        {"proof": ["x"]},
    ]
    for changed in wrong:
        path.write_bytes(orjson.dumps({**kept, **changed}))
        report = verify_export(folder, full.verifier, slice_=True)
        assert [p.index for p in report.problems] == [255], changed
    path.rename(folder / "proof-254.json")
    assert not verify_export(folder, full.verifier, slice_=True).ok


def test_an_export_without_its_first_entries_does_not_pass_as_a_whole_one(
    full: Ledger, tmp_path: Path
) -> None:
    """start.json needs no key: whoever drops entries can write one that fits."""
    export(full, tmp_path / "all")
    for since in (SIZE - 1, SIZE):
        folder = tmp_path / f"from-{since}"
        export(full, folder, since=since)
        report = verify_export(folder, full.verifier)
        assert [p.index for p in report.problems] == [0]
        assert f"begins at entry {since}" in report.problems[0].says
        assert not verify_export(folder, full.verifier, since=since - 1).ok
        said = verify_export(folder, full.verifier, since=since).to_dict()
        assert (said["ok"], said["kind"], said["start"]) == (True, "rest", since)
        assert f"begins at entry {since}" in said["remarks"][0]
    assert not verify_export(tmp_path / "all", full.verifier, since=5).ok


def test_a_slice_does_not_pass_as_an_export_nor_an_export_as_a_slice(
    full: Ledger, tmp_path: Path
) -> None:
    export(full, tmp_path / "all")
    export_slice(full, tmp_path / "slice", [4])
    assert not verify_export(tmp_path / "slice", full.verifier).ok
    assert not verify_export(tmp_path / "all", full.verifier, slice_=True).ok
    good = verify_export(tmp_path / "slice", full.verifier, slice_=True)
    assert (good.ok, good.kind, good.start, good.checked) == (True, "slice", None, 1)
    assert "no others" in good.remarks()[0]
    (tmp_path / "slice" / "proof-4.json").rename(tmp_path / "all" / "proof-4.json")
    assert not verify_export(tmp_path / "slice", full.verifier, slice_=True).ok
    assert not verify_export(tmp_path / "all", full.verifier).ok
    export(full, tmp_path / "from", since=SIZE)
    for path in (tmp_path / "from").iterdir():
        path.replace(tmp_path / "slice" / path.name)
    (tmp_path / "all" / "proof-4.json").rename(tmp_path / "slice" / "proof-4.json")
    assert not verify_export(tmp_path / "slice", full.verifier, since=SIZE).ok


@pytest.mark.parametrize("rows_url", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("small_files")
def test_a_hostile_export_gives_a_report_and_never_a_fault(full: Ledger, tmp_path: Path) -> None:
    good = tmp_path / "good"
    export(full, good)
    note = (good / "checkpoint").read_text()
    lines = (good / "entries-000000.jsonl").read_bytes()
    start = b'{"size": %s, "hashes": []}'
    files = [
        ("checkpoint", note.replace(f"\n{SIZE}\n", "\n" + "9" * 5000 + "\n").encode()),
        ("checkpoint", note.replace(f"\n{SIZE}\n", "\n" + "9" * 30 + "\n").encode()),
        ("checkpoint", b"x" * (2 << 20)),
        ("checkpoint", None),
        ("verifier", None),
        ("start.json", None),
        *(("start.json", start % size) for size in (b"0.0", b"false", b'"0"', b"-1", b"1e400")),
        ("start.json", b"[" * 100_000),
        ("entries-000000.jsonl", None),
        ("entries-000000.jsonl", lines[: lines.index(b"\n") + 1]),  # the next file follows
        ("entries-000000.jsonl", lines.replace(b'"index":3,', b'"index":3.0,')),
        ("entries-000000.jsonl", lines.replace(b'"index":3,', b'"index":3e300,')),
        ("entries-000000.jsonl", lines.replace(b'"index":3,', b'"index":[3],')),
        ("hashes-000000.bin", b"x"),
        ("proof-9.json", b"{}"),
    ]
    for number, (name, data) in enumerate(files):
        folder = tmp_path / f"hostile-{number}"
        shutil.copytree(good, folder)
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir() if data is None else (folder / name).write_bytes(data)
        for how in ({}, {"since": 3}, {"slice_": True}):
            assert not verify_export(folder, **how).ok, (name, data and data[:40], how)


def test_which_key_it_was_checked_with_is_told(full: Ledger, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cordon.kernel.ledger import Verifier

    export(full, tmp_path / "x")
    own = verify_export(tmp_path / "x")
    assert own.ok
    assert full.verifier.fingerprint in own.remarks()[0]
    assert not verify_export(tmp_path / "x", str(full.verifier)).remarks()
    other = Verifier.of(full.origin, Ed25519PrivateKey.generate().public_key())
    assert not verify_export(tmp_path / "x", other).ok
    witness = Ed25519PrivateKey.generate()
    path = tmp_path / "x" / "checkpoint"
    path.write_text(
        checkpoint.add_witness(path.read_text(), "ae-cg.example/w", witness, full.get(0).at)
    )
    key = Verifier.of("ae-cg.example/w", witness.public_key(), 4)
    report = verify_export(tmp_path / "x", full.verifier, witnesses=[key])
    assert [s.verifier.name for s in report.signed] == [full.origin, "ae-cg.example/w"]
    assert report.to_dict()["signed"][1]["at"] is not None


def test_an_empty_folder_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert not verify_export(tmp_path / "empty").ok
    with pytest.raises(BadInput):
        verify_export(tmp_path / "absent")


class Forger:
    """Somebody who owns the database: drops the triggers, and puts everything back after."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        drop = tables.DROP_TRIGGERS_SQLITE if rows.is_sqlite else tables.DROP_TRIGGERS_POSTGRESQL
        with rows.write() as session:
            for statement in drop:
                session.execute(text(statement))
        with rows.read() as session:
            self.kept = {
                t: session.execute(t.select()).mappings().all()
                for t in (
                    tables.LedgerEntry.__table__,
                    tables.LedgerNode.__table__,
                    tables.LedgerHead.__table__,
                )
            }

    def run(self, *statements: str, **values: object) -> None:
        with self.rows.write() as session:
            for statement in statements:
                session.execute(text(statement), values)

    def restore(self) -> None:
        with self.rows.write() as session:
            for table, kept in self.kept.items():
                session.execute(table.delete())
                if kept:
                    session.execute(table.insert(), [dict(row) for row in kept])


def test_every_random_change_of_the_database_is_caught(full: Ledger, rows: Rows) -> None:
    forger = Forger(rows)
    pick = random.Random(10)
    assert verify_rows(full).ok
    size = "octet_length" if not rows.is_sqlite else "length"

    def check(statements: list[str], index: int | None, **values: object) -> Report:
        forger.run(*statements, **values)
        report = verify_rows(full)
        assert not report.ok, (statements, values)
        if index is not None:
            assert index in {p.index for p in report.problems}, (statements, report.problems[:4])
        forger.restore()
        return report

    for _ in range(6):
        n = pick.randrange(SIZE - 1)
        at = {"n": n}
        for column in ("act", "actor", "unit", "thing", "mark", "authority", "outcome", "agency"):
            check([f"UPDATE ledger_entries SET {column} = 'x.y:z' WHERE \"index\" = :n"], n, **at)
        forged = full.leaf(n).replace(b"officer", b"0fficer")
        change = 'UPDATE ledger_entries SET leaf = :leaf, actor = :who WHERE "index" = :n'
        who = orjson.loads(forged)["actor"]
        check([change], n, leaf=forged, who=who, **at)
        # the careful one changes the leaf hash as well: then the kept subtree names the stretch
        digest = merkle.leaf_hash(forged)
        both = change.replace("leaf = :leaf", "leaf = :leaf, leaf_hash = :digest")
        check([both], 0 if n < 256 else None, leaf=forged, who=who, digest=digest, **at)
        check(['DELETE FROM ledger_entries WHERE "index" = :n'], n, **at)
        check(['DELETE FROM ledger_entries WHERE "index" >= :n'], n, **at)
        swap = [
            'UPDATE ledger_entries SET "index" = -1 WHERE "index" = :n',
            'UPDATE ledger_entries SET "index" = :n WHERE "index" = :m',
            'UPDATE ledger_entries SET "index" = :m WHERE "index" = -1',
        ]
        m = pick.randrange(n + 1, SIZE)
        check(swap, n, m=m, **at)
        check([swap[0]], n, **at)
        check(['UPDATE ledger_entries SET "index" = 100000000000 WHERE "index" = :n'], n, **at)
        move = (
            "UPDATE ledger_entries SET at = (SELECT at FROM ledger_entries ORDER BY at {} LIMIT 1)"
        )
        order = "" if n > 60 else "DESC"
        check([move.format(order) + ' WHERE "index" = :n'], n, **at)
        check(['UPDATE ledger_entries SET leaf_hash = leaf WHERE "index" = :n'], n, **at)
        copy = (
            "INSERT INTO ledger_entries SELECT 300, at, agency, act, outcome, actor, unit, thing, "
            'mark, authority, leaf, leaf_hash FROM ledger_entries WHERE "index" = :n'
        )
        check([copy], SIZE, **at)
    check(["UPDATE ledger_nodes SET hash = (SELECT min(leaf_hash) FROM ledger_entries)"], 0)
    check(["DELETE FROM ledger_nodes"], 0)
    check(["INSERT INTO ledger_nodes SELECT 1, 7, hash FROM ledger_nodes"], None)
    check(["DELETE FROM ledger_head"], 0)
    check(["UPDATE ledger_head SET size = size + 1"], SIZE)
    check(["UPDATE ledger_head SET at = (SELECT min(at) FROM ledger_entries)"], None)
    check(["UPDATE ledger_head SET note = replace(note, '300', '301')"], None)
    check([f"UPDATE ledger_head SET frontier = substr(frontier, 1, {size}(frontier) - 32)"], None)
    assert verify_rows(full).ok


def test_a_database_put_back_to_an_earlier_day_is_caught_by_the_file(
    ledger: Ledger, open_ledger: Open, rows: Rows, entry: Make
) -> None:
    """All of it right and signed, only earlier: nothing in the database itself can tell."""
    ledger.append_many([entry(n) for n in range(280)])
    forger = Forger(rows)
    ledger.append_many([entry(n) for n in range(50)])
    ledger.close()
    forger.restore()
    with pytest.raises(DoesNotVerify, match=r"ends at 280 entries.*says 330"):
        open_ledger()
    report = verify_rows(open_ledger(check=False))
    assert [p.index for p in report.problems] == [280]
    # and a node that was running all the while goes no further
    with pytest.raises(DoesNotVerify, match="cut off"), rows.write() as session:
        ledger.append_in(session, [entry(0)])


def test_another_history_of_the_same_length_is_caught_by_the_file(
    ledger: Ledger, open_ledger: Open, rows: Rows, entry: Make, tmp_path: Path
) -> None:
    ledger.append_many([entry(n) for n in range(5)])
    forger = Forger(rows)
    ledger.append_many([entry(n) for n in range(10)])
    ledger.close()
    forger.restore()
    (tmp_path / "ledger" / "checkpoint").rename(tmp_path / "aside")
    other = open_ledger()
    other.append_many([entry(n) for n in range(20, 40)])
    other.close()
    (tmp_path / "aside").rename(tmp_path / "ledger" / "checkpoint")
    with pytest.raises(DoesNotVerify, match="not those of the checkpoint file"):
        open_ledger()
    assert not verify_rows(open_ledger(check=False)).ok


def test_a_damaged_checkpoint_file_is_told(full: Ledger, open_ledger: Open, tmp_path: Path) -> None:
    full.close()
    path = tmp_path / "ledger" / "checkpoint"
    path.write_text(path.read_text().replace("300", "290"))
    with pytest.raises(DoesNotVerify, match="checkpoint file"):
        open_ledger()
