"""How API roots, collections, their objects, accounts and rights are kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.store.rows import Base, Json, Owned, UtcTime


class RootRow(Owned, Base):
    """An API root; `most_bytes` is what TAXII calls `max_content_length`."""

    __tablename__ = "sharing_roots"

    name: Mapped[str] = mapped_column(String(60), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    most_bytes: Mapped[int] = mapped_column(BigInteger)


class CollectionRow(Owned, Base):
    """A collection.

    Columns:
        mark: of objects without one of their own. number: short key of its objects.
        last: serial given last; whoever adds holds this row, so that serials become visible
        in their order. newest: date added given last (microseconds since the epoch).
        old: it holds, or held, objects of STIX 2.0.
    """

    __tablename__ = "sharing_collections"
    __table_args__ = (Index("uq_sharing_collections_alias", "root", "alias", unique=True),)

    root: Mapped[str] = mapped_column(ForeignKey("sharing_roots.id"))
    number: Mapped[int] = mapped_column(Integer, unique=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    alias: Mapped[str | None] = mapped_column(String(80))
    media_types: Mapped[list[str]] = mapped_column(Json)
    last: Mapped[int] = mapped_column(BigInteger, default=0)
    newest: Mapped[int] = mapped_column(BigInteger, default=0)
    old: Mapped[bool] = mapped_column(Boolean, default=False)


class ObjectRow(Base):
    """One version of an object.

    Columns:
        serial: its place in the collection, rising in the order of `added`.
        version: `modified`, `created` or the date added, with six digits of fraction.
        spec: 20 or 21. added: microseconds since the epoch. rank: of its mark, 0 to 4, or
        `HIDDEN`. newer: the loosest rank among newer versions, or `NEVER`: it is the last
        version for whoever is cleared for `rank` and below `newer`.
        waits: marking definitions that it names and that are not there, by spaces.
        body: its JSON, written once when it was checked.
    """

    __tablename__ = "sharing_objects"
    __table_args__ = (
        Index("uq_sharing_objects_version", "collection", "stix_id", "version", unique=True),
        Index("ix_sharing_objects_seen", "collection", "newer", "rank", "serial"),
        Index("ix_sharing_objects_type", "collection", "type", "serial"),
        Index("ix_sharing_objects_added", "collection", "added", "serial"),
        Index(
            "ix_sharing_objects_waits",
            "collection",
            "serial",
            sqlite_where=text("waits IS NOT NULL"),
            postgresql_where=text("waits IS NOT NULL"),
        ),
    )

    collection: Mapped[int] = mapped_column(
        ForeignKey("sharing_collections.number"), primary_key=True, autoincrement=False
    )
    serial: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    stix_id: Mapped[str] = mapped_column(String(300))
    type: Mapped[str] = mapped_column(String(250))
    version: Mapped[str] = mapped_column(String(27))
    spec: Mapped[int] = mapped_column(SmallInteger)
    added: Mapped[int] = mapped_column(BigInteger)
    rank: Mapped[int] = mapped_column(SmallInteger)
    newer: Mapped[int] = mapped_column(SmallInteger)
    waits: Mapped[str | None] = mapped_column(Text)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class AccountRow(Owned, Base):
    """A service account; `secret` is Argon2id's own encoding.

    Columns:
        certificate: SHA-256 of the certificate that it signs in with, or NULL.
    """

    __tablename__ = "sharing_accounts"
    __table_args__ = (Index("uq_sharing_accounts_certificate", "certificate", unique=True),)

    name: Mapped[str] = mapped_column(String(80), unique=True)
    secret: Mapped[str] = mapped_column(String(200))
    cleared: Mapped[str] = mapped_column(String(20))
    added_by: Mapped[str] = mapped_column(String(80))
    used_at: Mapped[datetime | None] = mapped_column(UtcTime())
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime())
    revoked_by: Mapped[str | None] = mapped_column(String(80))
    revoked_why: Mapped[str | None] = mapped_column(String(500))
    certificate: Mapped[str | None] = mapped_column(String(64))


class RightRow(Base):
    """What one may do with a collection; without a row the collection is not there for them.

    Columns:
        who: `service:<id>` of an account or of a token.
    """

    __tablename__ = "sharing_rights"

    collection: Mapped[str] = mapped_column(ForeignKey("sharing_collections.id"), primary_key=True)
    who: Mapped[str] = mapped_column(String(80), primary_key=True, index=True)
    read: Mapped[bool] = mapped_column(Boolean)
    write: Mapped[bool] = mapped_column(Boolean)


class StatusRow(Owned, Base):
    """The status resource of one envelope; it is for `who` alone. body: its JSON."""

    __tablename__ = "sharing_statuses"

    root: Mapped[str] = mapped_column(ForeignKey("sharing_roots.id"))
    who: Mapped[str] = mapped_column(String(80))
    body: Mapped[bytes] = mapped_column(LargeBinary)


class CursorRow(Owned, Base):
    """How far a peer's collection was fetched, or one of ours was handed on.

    Columns:
        peer: its name in the file of peers. remote: id of the peer's collection.
        direction: poll or push. after: the peer's date added, or our serial, of the last one.
    """

    __tablename__ = "sharing_cursors"
    __table_args__ = (
        Index("uq_sharing_cursors_way", "peer", "remote", "local", "direction", unique=True),
    )

    peer: Mapped[str] = mapped_column(String(60))
    remote: Mapped[str] = mapped_column(String(80))
    local: Mapped[str] = mapped_column(ForeignKey("sharing_collections.id"))
    direction: Mapped[str] = mapped_column(String(4))
    after: Mapped[str] = mapped_column(String(40))
    moved_at: Mapped[datetime] = mapped_column(UtcTime())
