"""Layouts that a node has learned: proposed from a file, corrected by a person, kept as data."""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cordon.calls import beside
from cordon.calls.layouts import Layout, all_layouts, layouts
from cordon.calls.layouts.model import FIELDS
from cordon.calls.learning import PASSED_OVER, Proposal, learn
from cordon.calls.service import Calls
from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, Conflict, NotFound, TooLarge
from cordon.kernel.store.files import written_whole

VIEW, CHANGE = "calls.layout.view", "calls.layout.change"
MEANINGS = (PASSED_OVER, *sorted(FIELDS))
LARGEST = 64 << 20  # bytes of a file that a layout is learned from
KEPT_S = 3600.0  # seconds that such a file waits for the form to come back

_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")
_TOKEN = re.compile(r"[0-9a-f]{32}")
_NAMES_ARE = "2 to 40 lower-case letters, digits and dashes; the first is a letter."


@dataclass(frozen=True, slots=True)
class Known:
    """A layout in a list; `own` where this node learned it."""

    layout: Layout
    own: bool


@dataclass(frozen=True, slots=True)
class Learning:
    """A proposal that waits for a person's answer.

    Attributes:
        token: names the file that it was made from. file: as it was called. name: of the layout.
    """

    token: str
    file: str
    name: str
    proposal: Proposal


def known(room: Calls, actor: Actor) -> list[Known]:
    """Every layout, this node's own first."""
    with room.kernel.view(actor) as view:
        view.permit(VIEW, room.thing())
    built_in = {one.name for one in layouts()}
    return [Known(one, one.name not in built_in) for one in all_layouts(room.layouts)]


def one(room: Calls, actor: Actor, name: str) -> Known:
    """The layout of that name; NotFound where there is none."""
    found = next((k for k in known(room, actor) if k.layout.name == name), None)
    if found is None:
        raise NotFound("There is no layout of that name.")
    return found


def begin(room: Calls, actor: Actor, source: BinaryIO, file: str) -> Learning:
    """Propose a layout for a file; the file waits an hour for the answer and is then removed.

    Raises:
        BadInput: nothing can be proposed. TooLarge. AuthorityRefused: the file holds call
        records, and no authority over them is chosen.
    """
    with room.kernel.work(actor) as work:
        work.permit(CHANGE, room.thing())
        beside.covering(work, "calls")
        work.act(CHANGE, room.thing(), learn=True)
    folder = _waiting(room)
    token = secrets.token_hex(16)
    path = folder / f"{token}-{_whose(actor)}"
    size = 0
    with path.open("wb") as out:
        path.chmod(0o600)
        while block := source.read(1 << 20):
            size += len(block)
            if size > LARGEST:
                break
            out.write(block)
    if size > LARGEST:
        path.unlink()
        raise TooLarge(
            f"The file has more than {LARGEST >> 20} MB.",
            advice="The first thousands of its rows are enough: cut it and try again.",
        )
    try:
        return _proposed(room, path, token, Path(file).name[:120], {})
    except BadInput:
        path.unlink()
        raise


def save(
    room: Calls, actor: Actor, token: str, file: str, name: str, said: Mapping[str, str]
) -> Layout:
    """Keep a layout with what a person said its columns mean.

    Args:
        said: meaning by column, only of those columns that the proposal had otherwise.

    Raises:
        BadInput: the name or a meaning is none, or what is needed is missing.
        Conflict: there is a layout of that name. NotFound: the file waits no longer.
    """
    if room.layouts is None:
        raise Conflict("This node keeps no layouts.")
    if not _NAME.fullmatch(name):
        raise BadInput("That is no name for a layout.", advice=_NAMES_ARE)
    if any(k.layout.name == name for k in known(room, actor)):
        raise Conflict("There is a layout of that name already.", advice="Choose another name.")
    learning = proposed(room, actor, token, file, said)
    if learning.proposal.lacks:
        # the form that comes back says each of them
        raise BadInput(learning.proposal.lacks[0], advice="Say which columns hold it.")
    proposal = _proposed(room, _path(room, actor, token), token, file, said, name).proposal
    with room.kernel.work(actor) as work:
        work.act(CHANGE, room.thing(), layout=name, corrected=len(said))
        room.layouts.mkdir(parents=True, exist_ok=True)
        with written_whole(room.layouts / f"{name}.yaml") as partial:
            partial.write_text(proposal.as_yaml(), "utf-8")
    _path(room, actor, token).unlink(missing_ok=True)
    return one(room, actor, name).layout


def proposed(room: Calls, actor: Actor, token: str, file: str, said: Mapping[str, str]) -> Learning:
    """The proposal once more, with what was said of it so far."""
    return _proposed(room, _path(room, actor, token), token, Path(file).name[:120], said)


def remove(room: Calls, actor: Actor, name: str) -> None:
    """Take a layout of this node's own out; files that were read by it stay as they are."""
    found = one(room, actor, name)
    if not found.own or room.layouts is None:
        raise Conflict("This layout comes with the program and stays.")
    with room.kernel.work(actor) as work:
        work.act(CHANGE, room.thing(), layout=name, removed=True)
        for path in room.layouts.glob("*.yaml"):
            if path.stem == name:
                path.unlink()


def _proposed(
    room: Calls, path: Path, token: str, file: str, said: Mapping[str, str], name: str = ""
) -> Learning:
    wrong = sorted(set(said.values()) - set(MEANINGS))
    if wrong:
        raise BadInput("A column cannot mean that.", advice="Choose a meaning of the list.")
    named = name or _proposed_name(file)
    try:
        proposal = learn(
            path,
            name=named,
            zone=room.country.zone.key,
            region=room.region,
            layouts=all_layouts(room.layouts),
            corrections=said,
        )
    except BadInput as odd:  # it names the file by the name that it waits under
        raise BadInput(odd.message.replace(path.name, file), advice=odd.advice) from None
    return Learning(token, file, named, proposal)


def _proposed_name(file: str) -> str:
    from cordon.calls.learning import name_of

    name = name_of(Path(file))[:40].strip("-")
    return name if _NAME.fullmatch(name) else "learned"


def _path(room: Calls, actor: Actor, token: str) -> Path:
    path = _waiting(room) / f"{token}-{_whose(actor)}"
    if not _TOKEN.fullmatch(token) or not path.is_file():
        raise NotFound(
            "The file that this layout was proposed from is gone.",
            advice="Choose the file again.",
        )
    return path


def _waiting(room: Calls) -> Path:
    """Where files wait for an answer; what waited too long is removed."""
    if room.layouts is None:
        raise Conflict("This node keeps no layouts.")
    folder = room.layouts / ".learning"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > KEPT_S:
            shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
    return folder


def _whose(actor: Actor) -> str:
    return hashlib.sha256(actor.id.encode()).hexdigest()[:16]
