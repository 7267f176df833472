"""How the room of money takes files in: what is its own of `kernel.bringing`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cordon.calls import Refusal, kind_of
from cordon.kernel.access.model import Actor, Authority, Mark
from cordon.kernel.bringing import TOLD, Bringing
from cordon.kernel.errors import AuthorityRefused, BadInput
from cordon.kernel.jobs import Jobs
from cordon.kernel.work import Kernel, Work
from cordon.money import intake
from cordon.money.bank.reading import reader_of
from cordon.money.given import told_with
from cordon.money.layouts.choosing import Choice, has_layout
from cordon.money.tables import MoneyFileRow, MoneyImportRow

KINDS = tuple(intake.FORMS)
"""What a file that is brought in may hold."""


class BringingMoney(Bringing):
    """Files of payments, accounts and complaints.

    Args:
        region: ISO 3166 code of the country whose numbering plan and clock apply.
        layouts: folder of the node's own layouts.
    """

    act = intake.ACT
    kinds = (TOLD, *KINDS)
    fields = ("account", "currency")
    table = MoneyImportRow
    file_table = MoneyFileRow
    mark = Mark.AMBER

    def __init__(
        self, kernel: Kernel, jobs: Jobs, *, largest: int, region: str, layouts: Path | None = None
    ) -> None:
        super().__init__(kernel, jobs, largest=largest)
        self._region = region
        self._layouts = layouts

    def covering(self, work: Work, kind: str) -> Authority:
        return intake.covering(work, kind)

    def ask_kept(
        self,
        actor: Actor,
        sha256: str,
        size: int,
        name: str,
        *,
        kind: str,
        layout: str,
        own: str = "",
        given: Mapping[str, str] | None = None,
    ) -> str:
        """Queue the import of bytes that the node keeps by their content.

        The same file under the same authority again gives a job that finds all of it repeated.

        Args:
            own: the text of one's own layout, which is then read by. given: what is told with the
                file where it tells none (`account`, `currency`).

        Raises:
            AuthorityRefused: no usable authority over payments is chosen.
            BadInput: there is no such kind or layout, or what is told with the file is none.
            Conflict: it was brought in as another kind.
        """
        if kind not in KINDS:
            raise BadInput(f"A file holds one of: {', '.join(KINDS)}.")
        given = self.told_with(given or {})
        if not own and layout not in self.layouts():
            raise BadInput("There is no such layout.", advice="Choose one of the list.")
        with self.kernel.work(actor) as work:
            authority = self.covering(work, kind)
            row = self.keep_file(work, authority, sha256, size, name, kind)
            assert isinstance(row, MoneyFileRow)
            work.act(self.act, row.thing(), file=sha256, size=size)
            params = {
                "sha256": sha256,
                "name": row.name,
                "mark": self.mark,
                "authority": authority.id,
                "kind": kind,
                "layout": layout,
                "own": own,
                "given": dict(given),
            }
            return self.jobs.ask(work, "money.import", row.name, params, resume=True)

    def told_with(self, told: Mapping[str, str]) -> Mapping[str, str]:
        return told_with(told.get("account", ""), told.get("currency", ""))

    def ask_item(self, actor: Actor, item: Mapping[str, Any]) -> str:
        how = {"kind": item["kind"], "layout": item["layout"], "given": item.get("told")}
        return self.ask_kept(actor, item["sha256"], item["size"], item["name"], **how)

    def refused_of(self, actor: Actor, path: Path, item: Mapping[str, Any]) -> Iterator[Refusal]:
        return self.refused(actor, path, item["layout"], item["kind"], given=item.get("told"))

    def kind_of(self, path: Path) -> str:
        """The kind that a file holds; `payments` where it is none of the plain formats.

        A bank's message has no columns, and whoever reads it says what else it looks like.
        """
        if reader_of(path) is not None:
            return "payments"
        found = kind_of(path)
        if found in KINDS:
            return found
        with suppress(BadInput):  # whoever reads it says what is wrong
            if has_layout(path, "accounts", self._layouts):
                of_payments = has_layout(path, "payments", self._layouts)
                return "payments" if of_payments else "accounts"
        return "payments"

    def layouts(self) -> list[str]:
        return list(intake.layout_names(self._layouts))

    def refused(
        self,
        actor: Actor,
        path: Path,
        layout: str,
        kind: str,
        *,
        own: str = "",
        given: Mapping[str, str] | None = None,
    ) -> Iterator[Refusal]:
        """Every row of a file that the actor's authority does not let in, or that is none."""
        with self.kernel.work(actor) as work:
            self.covering(work, kind)
        if actor.authority is None:
            raise AuthorityRefused("No authority is chosen.")
        choice = Choice(layout, own, given or {}, self._layouts)
        file = intake.opened(path, kind, choice, self._region, path.name)
        for batch in file.reading.batches():
            outside = intake.within(
                intake.as_written(batch.table, kind), actor.authority.scope, kind
            )[1]
            yield from sorted([*batch.refusals, *outside], key=lambda r: r.row)
