"""Invitations and data packages of TAK clients."""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import Json, UtcTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "operations_tak_invites",
        sa.Column("user_name", sa.String(length=40), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=True),
        sa.Column("group_names", Json, nullable=False),
        sa.Column("cleared", sa.String(length=20), nullable=False),
        sa.Column("invited_by", sa.String(length=80), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("client", sa.String(length=36), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client"],
            ["operations_tak_clients.id"],
            name=op.f("fk_operations_tak_invites_client_operations_tak_clients"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations_tak_invites")),
        sa.UniqueConstraint("user_name", name=op.f("uq_operations_tak_invites_user_name")),
    )
    op.create_table(
        "operations_tak_packages",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("media_type", sa.String(length=80), nullable=False),
        sa.Column("group_names", Json, nullable=False),
        sa.Column("client", sa.String(length=36), nullable=True),
        sa.Column("given_by", sa.String(length=80), nullable=True),
        sa.Column("creator", sa.String(length=128), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("removed_at", UtcTime(), nullable=True),
        sa.Column("removed_by", sa.String(length=80), nullable=True),
        sa.Column("removed_why", sa.String(length=500), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client"],
            ["operations_tak_clients.id"],
            name=op.f("fk_operations_tak_packages_client_operations_tak_clients"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations_tak_packages")),
    )
    with op.batch_alter_table("operations_tak_packages", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_operations_tak_packages_client"), ["client"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_operations_tak_packages_sha256"), ["sha256"], unique=False
        )


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
