"""What follows from a release that was received to those that were made of it: see `onward`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from cordon.kernel.work import Kernel, Work
from cordon.sharing.nodes.desk import Nodes
from cordon.sharing.releases.model import ReleaseState, digest
from cordon.sharing.releases.steps import note, row_of, thing_of
from cordon.sharing.releases.tables import ReleaseRow

OUT = (ReleaseState.SENT, ReleaseState.HELD)


class Following:
    """What was passed on goes, and is corrected, with what it was made of."""

    kernel: Kernel
    nodes: Nodes

    def gone_too(self, work: Work, row: ReleaseRow, why: str) -> None:
        """Call back what was passed on of a release whose content was removed here."""
        trusted = {p.code for p in self.nodes.trusted()}
        for on in self.made_of(work, row):
            if on.state == ReleaseState.WAITING:
                on.state = ReleaseState.DECLINED
            elif on.state in OUT:
                on.state = ReleaseState.RECALLING
                if on.peer in trusted:
                    said = why or "The time for which it was given is over."
                    self.nodes.tell(work, on.peer, "release.recall", {"id": on.id, "why": said})
            if on.parts:
                on.parts = []
                work.act(
                    "sharing.release.remove", thing_of(on), peer=on.peer, what="recalled",
                    sha256=on.sha256,
                )  # fmt: skip
                note(work, on, "recall", {"why": why})

    def corrected_too(
        self, work: Work, row: ReleaseRow, ref: str, why: str, part: dict[str, Any] | None
    ) -> None:
        """Tell a correction on to all to whom it was passed on."""
        trusted = {p.code for p in self.nodes.trusted()}
        for on in self.made_of(work, row):
            if on.state not in OUT or on.peer not in trusted:
                continue
            if part is not None:
                on.parts, on.sha256 = row.parts, digest(row.parts)
            self.nodes.tell(
                work, on.peer, "release.corrected",
                {"id": on.id, "ref": ref, "why": why, "part": part},
            )  # fmt: skip
            note(work, on, "corrected", {"ref": ref, "why": why})

    def tell_first(self, work: Work, row: ReleaseRow, word: str, proof: dict[str, Any]) -> None:
        """Tell the agency that it came from what the one says to whom it was passed on."""
        if row.source is None:
            return
        first = row_of(work.session, row.source)
        if first.peer in {p.code for p in self.nodes.trusted()}:
            told = {"id": first.id, "to": row.peer, **proof}
            self.nodes.tell(work, first.peer, f"release.{word}", told)

    def made_of(self, work: Work, row: ReleaseRow) -> Sequence[ReleaseRow]:
        """What was passed on of a release, or waits to be."""
        query = select(ReleaseRow).where(ReleaseRow.source == row.id).order_by(ReleaseRow.id)
        return work.session.scalars(query.with_for_update()).all()
