"""The watch list of the picture, overlays, and saved views."""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import Json, UtcTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "picture_overlays",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("original", sa.String(length=64), nullable=False),
        sa.Column("drawn", sa.String(length=64), nullable=False),
        sa.Column("features", sa.Integer(), nullable=False),
        sa.Column("told", Json, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_overlays")),
    )
    with op.batch_alter_table("picture_overlays", schema=None) as batch_op:
        batch_op.create_index("ix_picture_overlays_owner", ["owner"], unique=False)

    op.create_table(
        "picture_views",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=2000), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_views")),
    )
    with op.batch_alter_table("picture_views", schema=None) as batch_op:
        batch_op.create_index("ix_picture_views_owner", ["owner"], unique=False)

    op.create_table(
        "picture_watched",
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        sa.Column("listed_by", sa.String(length=80), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.Column("ended_why", sa.String(length=500), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_watched")),
    )
    with op.batch_alter_table("picture_watched", schema=None) as batch_op:
        batch_op.create_index("ix_picture_watched_subject", ["subject"], unique=False)
        batch_op.create_index("ix_picture_watched_until", ["until"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
