"""TAK clients that may join the node's own server."""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import Json, UtcTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "operations_tak_clients",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=True),
        sa.Column("group_names", Json, nullable=False),
        sa.Column("cleared", sa.String(length=20), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=False),
        sa.Column("uid", sa.String(length=128), nullable=True),
        sa.Column("enrolled_by", sa.String(length=80), nullable=False),
        sa.Column("valid_until", UtcTime(), nullable=False),
        sa.Column("revoked_at", UtcTime(), nullable=True),
        sa.Column("revoked_by", sa.String(length=80), nullable=True),
        sa.Column("revoked_why", sa.String(length=500), nullable=True),
        sa.Column("seen_at", UtcTime(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations_tak_clients")),
        sa.UniqueConstraint("certificate", name=op.f("uq_operations_tak_clients_certificate")),
        sa.UniqueConstraint("uid", name=op.f("uq_operations_tak_clients_uid")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
