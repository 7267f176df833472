"""How the room of calls takes files in: what is its own of `kernel.bringing`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from cordon.calls import beside
from cordon.calls.layouts import AUTO, all_layouts
from cordon.calls.layouts.dates import SAID
from cordon.calls.model import Refusal
from cordon.calls.sniffing import kind_of
from cordon.calls.tables import CallFileRow, ImportRow
from cordon.kernel.access.model import Actor, Authority, Mark
from cordon.kernel.bringing import TOLD, Bringing, Brought
from cordon.kernel.work import Work

if TYPE_CHECKING:
    from cordon.calls.service import Calls

KINDS = (TOLD, *beside.KINDS)


class BringingCalls(Bringing):
    """Files of calls, and of what stands beside them."""

    act = "calls.record.import"
    kinds = KINDS
    orders = tuple(SAID)
    table = ImportRow
    file_table = CallFileRow
    mark = Mark.AMBER

    def __init__(self, room: Calls) -> None:
        super().__init__(room.kernel, room.jobs, largest=room.largest)
        self._room = room

    def covering(self, work: Work, kind: str) -> Authority:
        return beside.covering(work, kind)

    def ask_kept(
        self, actor: Actor, sha256: str, size: int, name: str, *, kind: str, layout: str
    ) -> str:
        return self._room.ask_kept(actor, sha256, size, name, kind=kind, layout=layout)

    def ask_item(self, actor: Actor, item: Mapping[str, Any]) -> str:
        said = {key: item.get(key, "") for key in ("kind", "layout", "dates")}
        return self._room.ask_kept(actor, item["sha256"], item["size"], item["name"], **said)

    def kind_of(self, path: Path) -> str:
        return kind_of(path, self._room.layouts)

    def layouts(self) -> list[str]:
        return [AUTO, *(one.name for one in all_layouts(self._room.layouts))]

    def refused(self, actor: Actor, path: Path, layout: str, kind: str) -> Iterator[Refusal]:
        return self._room.refusals(actor, path, layout, kind)

    def refused_of(self, actor: Actor, path: Path, item: Mapping[str, Any]) -> Iterator[Refusal]:
        said = item["layout"], item["kind"], item.get("dates", "")
        return self._room.refusals(actor, path, *said)

    def first_kind(self, actor: Actor) -> str:
        only_payments = actor.authority is not None and "calls" not in actor.authority.scope.data
        return "payments" if only_payments else "calls"


def bring(
    room: Calls,
    actor: Actor,
    files: Sequence[tuple[str, BinaryIO]],
    *,
    kind: str,
    layout: str = AUTO,
    dates: str = "",
) -> str:
    """Take files in and queue a job for each; see `Bringing.bring`."""
    return room.brings.bring(actor, files, kind=kind, layout=layout, dates=dates)


def brought(room: Calls, actor: Actor, id_: str) -> Brought:
    """Files brought in together, as they stand now."""
    return room.brings.brought(actor, id_)
