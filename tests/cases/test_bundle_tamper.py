"""Whatever is done to a bundle after its seal is found, and named by its file."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import bagit
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cordon.cases.bundle import Verification, seal, verify
from cordon.kernel.errors import BadInput
from cordon.kernel.ledger.notes import sign_note

logging.getLogger("bagit").setLevel(logging.CRITICAL)
OUTSIDE_OF_THE_BAG = {"seal.json", "seal.sig"}  # no manifest lists them: the signature does
KEYS = ("format", "exhibits", "case", "id", "file", "sha256", "kind", "row", "pieces", "records")
SLOW_OK = settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@contextmanager
def copied(source: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as there:
        yield shutil.copytree(source, Path(there) / "b", symlinks=True)


def files_of(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def refused(folder: Path, key: str, *named: str) -> Verification:
    found = verify(folder, key)
    assert not found.ok
    for name in named:
        assert any(name in p.file or name in p.says for p in found.problems), found.problems
    assert not verify(folder).ok  # nor with the key inside
    return found


def agrees(folder: Path) -> bool:
    try:
        return bool(bagit.Bag(str(folder)).is_valid())
    except (bagit.BagError, UnicodeDecodeError, ValueError):
        return False


@SLOW_OK
@given(st.data())
def test_any_changed_byte_is_caught(sealed_once, data):
    source, key = sealed_once
    name = data.draw(st.sampled_from(files_of(source)))
    was = (source / name).read_bytes()
    at = data.draw(st.integers(0, len(was) - 1))
    bit = data.draw(st.integers(0, 7))
    with copied(source) as folder:
        now = bytearray(was)
        now[at] ^= 1 << bit
        (folder / name).write_bytes(now)
        refused(folder, key, name)
        if name not in OUTSIDE_OF_THE_BAG | {"tagmanifest-sha256.txt"}:
            assert not agrees(folder)


def test_every_byte_of_the_seal_counts(sealed_once):
    source, key = sealed_once
    with copied(source) as folder:
        for name in sorted(OUTSIDE_OF_THE_BAG | {"tagmanifest-sha256.txt"}):
            was = (folder / name).read_bytes()
            for at in range(len(was)):
                now = bytearray(was)
                now[at] ^= 1
                (folder / name).write_bytes(now)
                assert not verify(folder, key).ok, (name, at)
            (folder / name).write_bytes(was)
        assert verify(folder, key).ok


@SLOW_OK
@given(st.data())
def test_truncated_grown_dropped_renamed_or_swapped_is_caught(sealed_once, data):
    source, key = sealed_once
    files = files_of(source)
    name = data.draw(st.sampled_from(files))
    was = (source / name).read_bytes()
    what = data.draw(st.sampled_from(["truncate", "grow", "drop", "rename", "swap", "empty"]))
    with copied(source) as folder:
        path = folder / name
        if what == "truncate":
            path.write_bytes(was[: data.draw(st.integers(0, len(was) - 1))])
        elif what == "grow":
            path.write_bytes(was + data.draw(st.binary(min_size=1, max_size=9)))
        elif what == "empty":
            path.write_bytes(b"")
        elif what == "drop":
            path.unlink()
        elif what == "rename":
            path.rename(path.with_name("x" + path.name))
        else:
            other = data.draw(st.sampled_from([f for f in files if f != name]))
            path.write_bytes((folder / other).read_bytes())
        refused(folder, key, name)
        if name.startswith("data/"):
            assert not agrees(folder)


@SLOW_OK
@given(
    name=st.sampled_from(
        ["data/new", "data/exhibits/E-3-x", "data/sub/a", "new.txt", "manifest-md5.txt", "x/y"]
    ),
    content=st.binary(max_size=20),
)
def test_anything_added_is_caught(sealed_once, name, content):
    source, key = sealed_once
    with copied(source) as folder:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        refused(folder, key, name)


def resealed(folder: Path, signer, change: Callable[[Path], None]) -> str:
    """Change a bundle and seal it again with the agency's own key: what a thief of it could do."""
    change(folder)

    def digest(path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()

    manifest, tags = folder / "manifest-sha256.txt", folder / "tagmanifest-sha256.txt"
    lines, there = [], set(files_of(folder))
    for line in manifest.read_text().splitlines():
        name = line[66:]
        # split only: strange lines that a test put there stay as they are
        there = (
            name.startswith("data/")
            and ".." not in name
            and len(name) < 250
            and (folder / name).is_file()
        )
        lines.append(f"{digest(folder / name)}  {name}" if there else line)
    manifest.write_text("".join(f"{line}\n" for line in lines))
    names = [line[66:] for line in tags.read_text().splitlines()]
    tags.write_text("".join(f"{digest(folder / n)}  {n}\n" for n in names if "/" not in n))
    seal_file = folder / "seal.json"
    data = orjson.loads(seal_file.read_bytes())
    data["root"] = digest(tags)
    seal_file.write_bytes(orjson.dumps(data))
    from cordon.cases.bundle.layout import seal_text

    note = sign_note(seal_text(data, digest(seal_file)), signer.name, signer.key)
    (folder / "seal.sig").write_text(note)
    return data["public_key"]


def edit(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes())) and None


def in_json(name: str, change: Callable[[object], object]) -> Callable[[Path], None]:
    return edit(name, lambda raw: orjson.dumps(change(orjson.loads(raw))))


def add_line(name: str) -> Callable[[Path], None]:
    return edit("manifest-sha256.txt", lambda raw: raw + f"{'0' * 64}  {name}\n".encode())


def test_sealing_again_unchanged_still_verifies(sealed_once, signer):
    """The helper itself is right: else the tests below would pass for the wrong reason."""
    source, key = sealed_once
    with copied(source) as folder:
        assert resealed(folder, signer, lambda _: None) == key
        assert verify(folder, key).problems == ()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (add_line("data/../../../etc/passwd"), "leads out of the bundle"),
        (add_line("/etc/passwd"), "leads out of the bundle"),
        (add_line("~/x"), "leads out of the bundle"),
        (add_line("data/con.txt"), "reserved"),
        (add_line("data/a\u202etxt"), "not safe"),
        (add_line("data/e\u0301"), "composed form"),
        (add_line("data/README.txt"), "twice"),
        (add_line("data/readme.txt"), "nothing but case"),
        (add_line("seal.json"), "does not belong"),
        (add_line("data/" + "x" * 300), "too long"),
        (add_line("data/missing"), "is missing"),
        (edit("manifest-sha256.txt", lambda b: b[:-1]), "read"),
        (edit("manifest-sha256.txt", lambda b: b + b"\n"), "no hash and path"),
        (edit("manifest-sha256.txt", lambda b: b + b"\xff\n"), "not UTF-8"),
        (edit("tagmanifest-sha256.txt", lambda b: b.replace(b"bag-info.txt", b"data/x")), "listed"),
    ],
)
def test_hostile_manifests_are_refused_though_signed(sealed_once, signer, change, says):
    source, key = sealed_once
    with copied(source) as folder:
        if says == "read":
            # cutting the last newline is undone by sealing again, so it is checked unsigned
            change(folder)
            refused(folder, key, "cut off")
        elif says == "not UTF-8":
            change(folder)
            refused(folder, key, says)
        else:
            resealed(folder, signer, change)
            refused(folder, key, says)


@pytest.mark.parametrize(
    ("change", "file", "says"),
    [
        (edit("data/custody.jsonl", lambda b: b.split(b"\n", 1)[1]), "custody", "no_receipt"),
        (edit("data/custody.jsonl", lambda b: b""), "custody", "no_receipt"),
        (edit("data/custody.jsonl", lambda b: b"[]\n" + b), "custody", "cannot be read"),
        (edit("data/custody.jsonl", lambda b: b[:-1]), "custody", "cut off"),
        (edit("data/custody.jsonl", lambda b: b"{\n" + b), "custody", "no JSON"),
        (edit("data/findings.jsonl", lambda b: b'{"id":1}\n'), "findings", "has no"),
        (edit("data/findings.jsonl", lambda b: b.replace(b'"row":2', b'"row":9')), "", "row 9"),
        (edit("data/findings.jsonl", lambda b: b.replace(b'"row":1', b'"row":-1')), "", "row -1"),
        (in_json("data/records/index.json", lambda i: i[1:]), "", "neither here nor withheld"),
        (in_json("data/records/index.json", lambda i: i[:3]), "", "neither here nor withheld"),
        (in_json("data/records/index.json", lambda _: {"a": 1}), "index.json", "shape"),
        (in_json("data/case.json", lambda c: {**c, "format": "x"}), "case.json", "format"),
        (in_json("data/case.json", lambda c: {**c, "exhibits": []}), "", "no exhibit that"),
        (
            edit("data/case.json", lambda b: b.replace(b"-0001", b"-0002")),
            "case.json",
            "seal names",
        ),
        (in_json("data/authorities.json", lambda _: [{"kind": "warrant"}]), "authorities", "read"),
        (in_json("data/case.json", lambda _: 7), "case.json", "shape"),
        (in_json("data/custody_breaks.json", lambda _: [3]), "custody_breaks", "cannot be read"),
        (edit("data/case.json", lambda b: b"\x00"), "case.json", "no JSON"),
    ],
)
def test_what_makes_no_sense_is_refused_though_signed(sealed_once, signer, change, file, says):
    source, key = sealed_once
    with copied(source) as folder:
        resealed(folder, signer, change)
        found = refused(folder, key, says)
        assert any(file in p.file and says in p.says for p in found.problems)
        assert found.sealed_at is not None  # the signature does hold


def test_a_changed_record_is_not_the_one_pointed_at(sealed_once, signer):
    source, key = sealed_once
    with copied(source) as folder:
        record = next((folder / "data/records").glob("*fixes.csv"))
        resealed(folder, signer, edit(f"data/records/{record.name}", lambda b: b"x" + b[1:]))
        refused(folder, key, "not the file that the findings point at")


def test_links_pipes_fetch_and_empty_folders_are_refused_by_name(sealed_once, tmp_path):
    source, key = sealed_once
    exhibit = next(n for n in files_of(source) if "wheel" in n)

    def link_file(folder: Path) -> str:
        shutil.move(folder / exhibit, tmp_path / "kept")
        (folder / exhibit).symlink_to(tmp_path / "kept")  # the bytes are right, and yet
        return exhibit

    def link_folder(folder: Path) -> str:
        shutil.move(folder / "data/records", tmp_path / "records")
        (folder / "data/records").symlink_to(tmp_path / "records")
        return "data/records"

    def link_around(folder: Path) -> str:
        (folder / "data/loop").symlink_to("..")
        return "data/loop"

    def pipe(folder: Path) -> str:
        (folder / exhibit).unlink()
        os.mkfifo(folder / exhibit)  # a reader that opens it blindly waits for ever
        return exhibit

    def fetch(folder: Path) -> str:
        (folder / "fetch.txt").write_text("http://example.org/x 1 data/x\n")
        return "fetch.txt"

    def empty(folder: Path) -> str:
        (folder / "data/empty").mkdir()
        return "data/empty"

    def folder_for_file(folder: Path) -> str:
        (folder / "seal.json").unlink()
        (folder / "seal.json").mkdir()
        return "seal.json"

    def mixed_case(folder: Path) -> str:
        shutil.copy(folder / "data/README.txt", folder / "data/readme.TXT")
        return "readme.TXT"

    def unprintable(folder: Path) -> str:
        (folder / "data").joinpath("a\x1b[2Jb").write_bytes(b"")
        return "\\x1b"

    def not_utf8(folder: Path) -> str:
        Path(os.fsdecode(os.fsencode(folder / "data") + b"/\xff\xfe")).write_bytes(b"")
        return "\\udcff"

    def deep(folder: Path) -> str:
        path = folder / "data" / "/".join("d" * 60)
        path.mkdir(parents=True)
        (path / "f").write_bytes(b"")
        return "d/d"

    for change in (
        link_file, link_folder, link_around, pipe, fetch, empty, folder_for_file, mixed_case,
        unprintable, not_utf8, deep,
    ):  # fmt: skip
        with copied(source) as folder:
            name = change(folder)
            found = refused(folder, key, name)
            assert all(p.file.isprintable() for p in found.problems), change


def test_a_huge_file_is_not_read_when_nobody_listed_it(sealed_once):
    source, key = sealed_once
    read = []
    with copied(source) as folder:
        with (folder / "data/huge").open("wb") as out:
            out.truncate(1 << 40)
        with (folder / "seal.json").open("ab") as out:
            out.truncate(1 << 38)
        found = verify(folder, key, lambda done, total: read.append(total))
    assert max(read) < 1 << 20
    assert {"data/huge", "seal.json"} <= {p.file for p in found.problems}


@SLOW_OK
@given(st.data())
def test_random_bytes_in_place_of_any_file_never_crash_it(sealed_once, signer, data):
    source, key = sealed_once
    name = data.draw(st.sampled_from([n for n in files_of(source) if n.startswith("data/")]))
    values = st.recursive(
        st.none() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(KEYS),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    )
    content = data.draw(
        st.binary(max_size=40)
        | values.map(lambda v: orjson.dumps(v, default=str) if _fits(v) else b"1")
    )
    with copied(source) as folder:
        was = (folder / name).read_bytes()
        resealed(folder, signer, edit(name, lambda _: content))
        found = verify(folder, key)
        if name.endswith((".json", ".jsonl")) and content != was and content.strip():
            assert found.ok in (False, content == b"[]")


def _fits(value: object) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


def test_wrong_places_and_keys_are_errors(tmp_path, sealed_once):
    source, _ = sealed_once
    with pytest.raises(BadInput, match="no folder"):
        verify(tmp_path / "nothing")
    with pytest.raises(BadInput, match="verifier key"):
        verify(source, "not a key")
    (tmp_path / "empty").mkdir()
    found = verify(tmp_path / "empty")
    assert {"seal.json", "bagit.txt", "manifest-sha256.txt"} <= {p.file for p in found.problems}
    assert found.fingerprint is None


def test_a_bundle_of_another_agency_cannot_pass_as_ours(make, signer, sealed_at, tmp_path):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    thief = dataclasses.replace(signer, key=Ed25519PrivateKey.generate())
    done = seal(make.contents(), tmp_path / "bundle", thief, sealed_at)
    assert verify(done.folder).ok  # it is unchanged since somebody sealed it
    ours = seal(make.contents(), tmp_path / "bundle2", signer, sealed_at).public_key
    refused_ = verify(done.folder, ours)
    assert not refused_.ok
    assert refused_.by is None
