"""How TAK clients are kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.store.rows import Base, Json, Owned, UtcTime


class TakClientRow(Owned, Base):
    """One phone or gateway that may join.

    Columns:
        name: as officers call it. unit: code of the unit that carries it, or None.
        groups: names of the groups that it sees and is seen in. cleared: strictest mark of an
            alert that it is told. certificate: SHA-256 (hex) of its certificate in DER.
        uid: of the device, bound when it was first used; None until then.
        valid_until: when its certificate ends. revoked_why: as the officer wrote it.
        seen_at: when it last joined.
    """

    __tablename__ = "operations_tak_clients"

    name: Mapped[str] = mapped_column(String(60))
    unit: Mapped[str | None] = mapped_column(String(32))
    groups: Mapped[list[str]] = mapped_column("group_names", Json)
    cleared: Mapped[str] = mapped_column(String(20))
    certificate: Mapped[str] = mapped_column(String(64), unique=True)
    uid: Mapped[str | None] = mapped_column(String(128), unique=True)
    enrolled_by: Mapped[str] = mapped_column(String(80))
    valid_until: Mapped[datetime] = mapped_column(UtcTime())
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime())
    revoked_by: Mapped[str | None] = mapped_column(String(80))
    revoked_why: Mapped[str | None] = mapped_column(String(500))
    seen_at: Mapped[datetime | None] = mapped_column(UtcTime())

    def thing(self) -> Thing:
        """The client as policies see it."""
        return Thing("tak", self.id, self.agency, Mark(self.mark))


class TakInviteRow(Owned, Base):
    """An invitation by which one phone enrols itself.

    Columns:
        user: the name that it enrols under. secret: SHA-256 (hex) of the one-time password.
        name, unit, groups, cleared: of the client that comes of it. until: when it ends by
        itself. tries: wrong passwords so far. ended_at: when it was used, taken back, or tried
        too often. client: that came of it, or None.
    """

    __tablename__ = "operations_tak_invites"

    user: Mapped[str] = mapped_column("user_name", String(40), unique=True)
    secret: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(60))
    unit: Mapped[str | None] = mapped_column(String(32))
    groups: Mapped[list[str]] = mapped_column("group_names", Json)
    cleared: Mapped[str] = mapped_column(String(20))
    invited_by: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime] = mapped_column(UtcTime())
    tries: Mapped[int]
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime())
    client: Mapped[str | None] = mapped_column(ForeignKey("operations_tak_clients.id"))

    def thing(self) -> Thing:
        """The invitation as policies see it."""
        return Thing("tak", self.id, self.agency, Mark(self.mark))


class TakPackageRow(Owned, Base):
    """A data package that is kept for TAK clients; the bytes are kept by content.

    Columns:
        sha256: of the bytes (hex). size: of them. name: of the file. media_type: as it was told.
        groups: whose clients may have it. client: that sent it, or None where an officer gave it.
        given_by: that officer, or None. creator: uid of the device, as it said. public: whether
        it is listed; who knows its hash may have it all the same. removed_why: as the officer
        wrote it.
    """

    __tablename__ = "operations_tak_packages"

    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(80))
    groups: Mapped[list[str]] = mapped_column("group_names", Json)
    client: Mapped[str | None] = mapped_column(ForeignKey("operations_tak_clients.id"), index=True)
    given_by: Mapped[str | None] = mapped_column(String(80))
    creator: Mapped[str] = mapped_column(String(128))
    public: Mapped[bool]
    removed_at: Mapped[datetime | None] = mapped_column(UtcTime())
    removed_by: Mapped[str | None] = mapped_column(String(80))
    removed_why: Mapped[str | None] = mapped_column(String(500))

    def thing(self) -> Thing:
        """The package as policies see it."""
        return Thing("tak", self.id, self.agency, Mark(self.mark))
