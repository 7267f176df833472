"""Reading a bundle's folder that nobody has vouched for yet: no link followed, sizes bound."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from cordon.cases.bundle import layout
from cordon.cases.bundle.contents import Problem
from cordon.cases.bundle.names import folded, why_unsafe
from cordon.kernel.errors import BadInput, Unavailable

CHUNK = 1 << 20
MOST_SMALL = 1 << 20  # bytes of bagit.txt, bag-info.txt, seal.json, seal.sig
MOST_LISTED = 1 << 28  # bytes of a manifest or a JSON file that is read whole
MOST_LINE = 1 << 26  # bytes of one line of JSON Lines
MOST_DEPTH = 24
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


@dataclass
class Found:
    """What stands in the folder: each regular file's size, and what is wrong with the rest."""

    files: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def walk(root: Path) -> Found:
    """List a folder without following anything; links, devices and unsafe names are problems."""
    found, folders = Found(), [("", 0)]
    seen: dict[str, str] = {}
    while folders:
        prefix, depth = folders.pop()
        try:
            with os.scandir(root / prefix) as entries:
                inside = sorted(entries, key=lambda e: e.name)
        except OSError as fault:
            found.problems.append(_unreadable(prefix, fault))
            continue
        if not inside and prefix:
            found.problems.append(Problem(shown(prefix), "is an empty folder, which no seal names"))
        for entry in inside:
            path = prefix + entry.name
            wrong = why_unsafe(path)
            if entry.is_symlink():
                wrong = "is a symbolic link; a bundle holds files only"
            elif entry.is_dir(follow_symlinks=False):
                if wrong is None and depth < MOST_DEPTH:
                    folders.append((path + "/", depth + 1))
                    continue
                wrong = wrong or "lies too deep"
            elif not entry.is_file(follow_symlinks=False):
                wrong = "is no regular file"
            elif wrong is None:
                other = seen.setdefault(folded(path), path)
                if other != path:
                    wrong = f"differs from {other} in nothing but case, and would take its place"
            if wrong:
                found.problems.append(Problem(shown(path), wrong))
            else:
                found.files[path] = entry.stat(follow_symlinks=False).st_size
    return found


def open_file(root: Path, path: str) -> BinaryIO:
    """Open a regular file of the bundle; OSError where it is a link or something else."""
    # O_NONBLOCK, so that a pipe put there meanwhile does not make the reader wait for ever
    handle = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(f"{path} is no regular file")
    return os.fdopen(handle, "rb")


def read_small(root: Path, path: str, most: int = MOST_SMALL) -> bytes:
    """All bytes of a file; raises BadInput where it cannot be read or is longer than `most`."""
    try:
        with open_file(root, path) as source:
            data = source.read(most + 1)
    except OSError as fault:
        raise BadInput(_unreadable(path, fault).says) from None
    if len(data) > most:
        raise BadInput(f"is longer than {most:,} bytes, which no seal writes")
    return data


def read_json(root: Path, path: str) -> Any:
    """A JSON file of the bundle; raises BadInput saying what is wrong with it."""
    try:
        return orjson.loads(read_small(root, path, MOST_LISTED))
    except orjson.JSONDecodeError:
        raise BadInput("is no JSON") from None


def read_lines(root: Path, path: str) -> Iterator[tuple[int, Any]]:
    """Number (from 1) and value of each line of a JSON Lines file; raises BadInput."""
    try:
        with open_file(root, path) as source:
            number = 0
            while line := source.readline(MOST_LINE):
                number += 1
                if not line.endswith(b"\n"):
                    raise BadInput(f"line {number} is cut off, or too long")
                try:
                    yield number, orjson.loads(line)
                except orjson.JSONDecodeError:
                    raise BadInput(f"line {number} is no JSON") from None
    except OSError as fault:
        raise BadInput(_unreadable(path, fault).says) from None


def hash_file(root: Path, path: str, most: int, tick: Callable[[int], None]) -> str | None:
    """SHA-256 (hex) of a file, in chunks; None where it has more than `most` bytes."""
    digest, read = hashlib.sha256(), 0
    with open_file(root, path) as source:
        while chunk := source.read(CHUNK):
            read += len(chunk)
            if read > most:
                return None
            digest.update(chunk)
            tick(len(chunk))
    return digest.hexdigest()


def read_manifest(root: Path, path: str) -> tuple[dict[str, str], list[Problem]]:
    """A manifest as path to SHA-256 (hex), and each of its lines that is refused."""
    entries: dict[str, str] = {}
    seen: dict[str, str] = {}
    problems: list[Problem] = []
    try:
        text = read_small(root, path, MOST_LISTED).decode()
    except UnicodeDecodeError:
        return {}, [Problem(path, "is not UTF-8")]
    except BadInput as fault:
        return {}, [Problem(path, fault.message)]
    lines = text.split("\n")
    if lines.pop() != "":
        problems.append(Problem(path, "is cut off: its last line does not end"))
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None:
            problems.append(Problem(path, f"line {number} is no hash and path"))
            continue
        name = match[2]
        wrong = why_unsafe(name)
        inside = name.startswith("data/") if path == layout.MANIFEST else name in layout.TAG_FILES
        if wrong is None and not inside:
            wrong = "does not belong in this manifest"
        if wrong is None and name in entries:
            wrong = "stands there twice"
        if wrong is None and seen.setdefault(folded(name), name) != name:
            wrong = f"differs from {seen[folded(name)]} in nothing but case"
        if wrong:
            problems.append(Problem(path, f"line {number}, {shown(name)}: {wrong}"))
        else:
            entries[name] = match[1]
    return entries, problems


def shown(path: str) -> str:
    """A path as it can be printed: escapes for what is not printable, at most 200 characters."""
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in path)
    return text if len(text) <= 200 else text[:199] + "…"


def bundle_folder(folder: Path) -> Path:
    """The folder, where there is one; raises BadInput or Unavailable saying what to do."""
    try:
        if not folder.is_dir():
            raise BadInput(
                f"{shown(folder.name)} is no folder of a bundle.",
                advice="Unpack it first, and name the folder that holds seal.json.",
            )
        return folder.resolve()
    except OSError as fault:
        raise Unavailable(
            f"The bundle's folder cannot be read: {fault.strerror}.",
            advice="Check its permissions, or the disk that it is on.",
        ) from fault


def _unreadable(path: str, fault: OSError) -> Problem:
    if isinstance(fault, FileNotFoundError):
        return Problem(shown(path), "is missing")
    return Problem(shown(path), f"cannot be read ({fault.strerror or 'no regular file'})")
