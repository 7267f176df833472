"""Columns of the tables in which a room keeps its files, and those brought in together."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.store.rows import Json, Owned


class FileColumns(Owned):
    """A file that came in under an authority; its bytes are kept by content.

    Columns:
        authority: id of the legal authority that it was brought in under.
        kind: what it holds, a word of the room.
        state: `kept`, or `stored` once its rows were read.
        counts: what became of its rows. refusals: the first ones, by row and reason.

    Attributes:
        thing_type: what policies call it.
    """

    thing_type: ClassVar[str]

    sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    authority: Mapped[str] = mapped_column(String(36))
    state: Mapped[str] = mapped_column(String(10))
    size: Mapped[int] = mapped_column(BigInteger)
    counts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    refusals: Mapped[list[Any]] = mapped_column(Json, default=list)

    def thing(self) -> Thing:
        """The file as policies see it."""
        return Thing(self.thing_type, self.id, self.agency, Mark(self.mark))


class BroughtColumns(Owned):
    """Files that somebody brought in together, so that one page can tell of them.

    Columns:
        authority: id of the legal authority. officer: who brought them in.
        items: for each file `name`, `kind`, `layout`, `dates` (of `Bringing.orders`, or empty),
            `sha256`, `size`, and `job` (its id) or `error`.
    """

    authority: Mapped[str] = mapped_column(String(36))
    officer: Mapped[str] = mapped_column(String(60))
    items: Mapped[list[Any]] = mapped_column(Json)

    def thing(self) -> Thing:
        """The files as policies see them."""
        return Thing("import", self.id, self.agency, Mark(self.mark))
