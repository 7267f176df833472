"""API roots, collections, their objects, and the accounts of other agencies' programs."""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import Json, UtcTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sharing_accounts",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("secret", sa.String(length=200), nullable=False),
        sa.Column("cleared", sa.String(length=20), nullable=False),
        sa.Column("added_by", sa.String(length=80), nullable=False),
        sa.Column("used_at", UtcTime(), nullable=True),
        sa.Column("revoked_at", UtcTime(), nullable=True),
        sa.Column("revoked_by", sa.String(length=80), nullable=True),
        sa.Column("revoked_why", sa.String(length=500), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_sharing_accounts_name")),
    )
    op.create_table(
        "sharing_roots",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("most_bytes", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_roots")),
        sa.UniqueConstraint("name", name=op.f("uq_sharing_roots_name")),
    )
    op.create_table(
        "sharing_collections",
        sa.Column("root", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("alias", sa.String(length=80), nullable=True),
        sa.Column("media_types", Json, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.Column("old", sa.Boolean(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["root"], ["sharing_roots.id"], name=op.f("fk_sharing_collections_root_sharing_roots")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_collections")),
        sa.UniqueConstraint("number", name=op.f("uq_sharing_collections_number")),
    )
    with op.batch_alter_table("sharing_collections", schema=None) as batch_op:
        batch_op.create_index("uq_sharing_collections_alias", ["root", "alias"], unique=True)

    op.create_table(
        "sharing_statuses",
        sa.Column("root", sa.String(length=36), nullable=False),
        sa.Column("who", sa.String(length=80), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["root"], ["sharing_roots.id"], name=op.f("fk_sharing_statuses_root_sharing_roots")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_statuses")),
    )
    op.create_table(
        "sharing_cursors",
        sa.Column("peer", sa.String(length=60), nullable=False),
        sa.Column("remote", sa.String(length=80), nullable=False),
        sa.Column("local", sa.String(length=36), nullable=False),
        sa.Column("direction", sa.String(length=4), nullable=False),
        sa.Column("after", sa.String(length=40), nullable=False),
        sa.Column("moved_at", UtcTime(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["local"],
            ["sharing_collections.id"],
            name=op.f("fk_sharing_cursors_local_sharing_collections"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_cursors")),
    )
    with op.batch_alter_table("sharing_cursors", schema=None) as batch_op:
        batch_op.create_index(
            "uq_sharing_cursors_way", ["peer", "remote", "local", "direction"], unique=True
        )

    op.create_table(
        "sharing_objects",
        sa.Column("collection", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("serial", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stix_id", sa.String(length=300), nullable=False),
        sa.Column("type", sa.String(length=250), nullable=False),
        sa.Column("version", sa.String(length=27), nullable=False),
        sa.Column("spec", sa.SmallInteger(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("newer", sa.SmallInteger(), nullable=False),
        sa.Column("waits", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection"],
            ["sharing_collections.number"],
            name=op.f("fk_sharing_objects_collection_sharing_collections"),
        ),
        sa.PrimaryKeyConstraint("collection", "serial", name=op.f("pk_sharing_objects")),
    )
    with op.batch_alter_table("sharing_objects", schema=None) as batch_op:
        batch_op.create_index(
            "ix_sharing_objects_added", ["collection", "added", "serial"], unique=False
        )
        batch_op.create_index(
            "ix_sharing_objects_seen", ["collection", "newer", "rank", "serial"], unique=False
        )
        batch_op.create_index(
            "ix_sharing_objects_type", ["collection", "type", "serial"], unique=False
        )
        batch_op.create_index(
            "ix_sharing_objects_waits",
            ["collection", "serial"],
            unique=False,
            sqlite_where=sa.text("waits IS NOT NULL"),
            postgresql_where=sa.text("waits IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_sharing_objects_version", ["collection", "stix_id", "version"], unique=True
        )

    op.create_table(
        "sharing_rights",
        sa.Column("collection", sa.String(length=36), nullable=False),
        sa.Column("who", sa.String(length=80), nullable=False),
        sa.Column("read", sa.Boolean(), nullable=False),
        sa.Column("write", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection"],
            ["sharing_collections.id"],
            name=op.f("fk_sharing_rights_collection_sharing_collections"),
        ),
        sa.PrimaryKeyConstraint("collection", "who", name=op.f("pk_sharing_rights")),
    )
    with op.batch_alter_table("sharing_rights", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sharing_rights_who"), ["who"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
