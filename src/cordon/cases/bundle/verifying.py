"""Verifying: check every byte of a bundle with nothing but the folder and a public key."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from cordon.cases.bundle import layout
from cordon.cases.bundle.contents import Problem, Progress, Verification
from cordon.cases.bundle.folder import (
    bundle_folder,
    hash_file,
    read_manifest,
    read_small,
    shown,
    walk,
)
from cordon.cases.bundle.sense import make_sense
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import CordonError
from cordon.kernel.ledger.notes import Note, Verifier, open_note

MOST_PROBLEMS = 1_000


@dataclass
class _Seal:
    """What the seal says, once its signature holds; `data` is None where it does not."""

    data: Mapping[str, Any] | None = None
    verifier: Verifier | None = None
    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def verify(
    folder: Path,
    public_key: Verifier | str | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Check a sealed bundle that nobody has vouched for; it needs no node and no network.

    Args:
        folder: the bundle's folder.
        public_key: the agency's verifier key (`name+id+base64`), got by another way than the
            bundle. Without it the key inside is taken, and the remarks say what that is worth.
        progress: called with bytes done and in all.

    Raises:
        BadInput: there is no such folder, or the public key cannot be read. Everything that is
            wrong with the bundle itself is a problem in the answer, never an exception.
    """
    given = Verifier.parse(public_key) if isinstance(public_key, str) else public_key
    root = bundle_folder(folder)
    found = walk(root)
    problems = list(found.problems)
    seal = _read_seal(root, given)
    problems += seal.problems
    problems += _check_shape(found.files)
    tags, wrong = read_manifest(root, layout.TAG_MANIFEST)
    problems += wrong
    payload, wrong = read_manifest(root, layout.MANIFEST)
    problems += wrong
    problems += _check_complete(found.files, tags, payload)

    good, read, wrong = _hash_all(root, found.files, {**tags, **payload}, progress)
    problems += wrong
    try:
        until = parse_time(seal.data["sealed_at"]) if seal.data else None
    except (CordonError, AttributeError):
        until = None
        problems.append(Problem(layout.SEAL, "has no time of the seal that can be read"))
    there = {path: payload[path] for path in payload if path in good}
    number = seal.data["case"]["number"] if seal.data else None
    sense = make_sense(root, there, found.files, case=number, until=until)
    # what is missing or changed is told already; what follows from it only once
    told = {p.file for p in problems}
    problems += [p for p in sense.problems if p.file not in told]
    return _answer(root, seal, given is not None, problems, sense.remarks, read, len(there))


def _read_seal(root: Path, given: Verifier | None) -> _Seal:
    seal = _Seal(verifier=given)
    try:
        raw = read_small(root, layout.SEAL)
        data = orjson.loads(raw)
        inside = Verifier.parse(data["public_key"])
        seal.verifier = given or inside
    except (CordonError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as fault:
        says = fault.message if isinstance(fault, CordonError) else "is no seal that can be read"
        seal.problems.append(Problem(layout.SEAL, says))
        return seal
    try:
        text = read_small(root, layout.SIGNATURE).decode()
        note = open_note(text, [seal.verifier])
        said = layout.seal_text(data, hashlib.sha256(raw).hexdigest())
    except UnicodeDecodeError:
        seal.problems.append(Problem(layout.SIGNATURE, "is not UTF-8"))
        return seal
    except (CordonError, KeyError, TypeError) as fault:
        says = str(fault) if isinstance(fault, CordonError) else "does not fit to seal.json"
        seal.problems.append(Problem(layout.SIGNATURE, says))
        return seal
    if note.text != said:
        seal.problems.append(Problem(layout.SEAL, f"is not what {layout.SIGNATURE} signs"))
        return seal
    if not _written_plainly(text, note):
        says = "has a signature line that is written in another way than its key writes it"
        seal.problems.append(Problem(layout.SIGNATURE, says))
    if str(inside) != str(seal.verifier):
        seal.problems.append(Problem(layout.SEAL, "names another key than the one that signed"))
    seal.data = data
    if note.others:
        seal.remarks.append(
            f"{len(note.others)} more signatures stand below the seal, by keys not checked here."
        )
    try:
        tag_manifest = read_small(root, layout.TAG_MANIFEST)
    except CordonError:
        return seal  # that it is missing is told with the other files
    if hashlib.sha256(tag_manifest).hexdigest() != data["root"]:
        seal.problems.append(Problem(layout.TAG_MANIFEST, "is not the one that was sealed"))
    return seal


def _written_plainly(text: str, note: Note) -> bool:
    """True where no bit of the signature lines is free: base64 has spare bits at its end."""
    lines = text[len(note.text) + 1 :].splitlines()
    for line in lines:
        encoded = line.rpartition(" ")[2]
        if base64.b64encode(base64.b64decode(encoded)).decode() != encoded:
            return False
    return True


def _check_shape(files: Mapping[str, int]) -> list[Problem]:
    problems = []
    for path in sorted(files):
        if path == "fetch.txt":
            says = "asks to fetch files from elsewhere; a sealed bundle carries all that it has"
            problems.append(Problem(path, says))
        elif not path.startswith("data/") and path not in layout.TOP:
            problems.append(Problem(shown(path), "is not part of the bundle"))
    return problems


def _check_complete(
    files: Mapping[str, int], tags: Mapping[str, str], payload: Mapping[str, str]
) -> list[Problem]:
    problems = [
        Problem(name, "is not listed in the tag manifest")
        for name in layout.TAG_FILES
        if name not in tags
    ]
    must = dict.fromkeys((*layout.TOP, *layout.LEAST, *payload))
    problems += [Problem(shown(path), "is missing") for path in must if path not in files]
    for path in sorted(files):
        if path.startswith("data/") and path not in payload:
            problems.append(Problem(shown(path), "is in no manifest: it was added after the seal"))
    return problems


def _hash_all(
    root: Path, files: Mapping[str, int], listed: Mapping[str, str], progress: Progress | None
) -> tuple[set[str], int, list[Problem]]:
    """Hash each listed file that is there; which hold, bytes read, and which do not."""
    total = sum(files[path] for path in listed if path in files)
    done, good, problems = 0, set(), []

    def tick(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(min(done, total), total)

    for path, expected in listed.items():
        if path not in files:
            continue
        try:
            digest = hash_file(root, path, files[path], tick)
        except OSError as fault:
            problems.append(Problem(path, f"cannot be read ({fault.strerror or 'no file'})"))
            continue
        if digest == expected:
            good.add(path)
        else:
            problems.append(Problem(path, "was changed: its SHA-256 is not the one sealed"))
    return good, done, problems


def _answer(
    root: Path,
    seal: _Seal,
    given: bool,
    problems: list[Problem],
    remarks: list[str],
    read: int,
    files: int,
) -> Verification:
    unique = list(dict.fromkeys(problems))
    if len(unique) > MOST_PROBLEMS:
        more = len(unique) - MOST_PROBLEMS
        unique = [*unique[:MOST_PROBLEMS], Problem(shown(root.name), f"has {more:,} more problems")]
    key, data = seal.verifier, seal.data or {}
    if key is not None and not given:
        remarks = [
            "Checked against the key inside the bundle: that shows it is unchanged since it was "
            f"sealed, not by whom. Compare {key.fingerprint} with the agency by telephone.",
            *remarks,
        ]
    sealed_at = None
    if seal.data is not None and not any("time of the seal" in p.says for p in unique):
        sealed_at = parse_time(data["sealed_at"])
    return Verification(
        ok=not unique,
        problems=tuple(unique),
        remarks=(*remarks, *seal.remarks),
        sealed_at=sealed_at,
        by=data.get("by"),
        agency=data.get("agency"),
        case=data["case"]["number"] if data else None,
        key_name=key.name if key else None,
        key_id=key.key_id.hex() if key else None,
        fingerprint=key.fingerprint if key else None,
        key_given=given,
        root=data.get("root"),
        files=files,
        size=read,
    )
