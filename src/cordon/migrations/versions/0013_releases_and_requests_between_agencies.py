"""Releases to and from other agencies, what became of them, and requests."""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import Json, UtcTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sharing_requests",
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("urgency", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("basis", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("escalated_at", UtcTime(), nullable=True),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("ground", sa.String(length=30), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_requests")),
    )
    op.create_index(
        "ix_sharing_requests_due", "sharing_requests", ["state", "due_at"], unique=False
    )

    op.create_table(
        "sharing_releases",
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("originator", sa.String(length=40), nullable=False),
        sa.Column("agreement", sa.String(length=36), nullable=False),
        sa.Column("purpose", sa.String(length=30), nullable=False),
        sa.Column("marks", Json, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("parts", Json, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("second_by", sa.String(length=80), nullable=True),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agreement"],
            ["sharing_agreements.id"],
            name=op.f("fk_sharing_releases_agreement_sharing_agreements"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_releases")),
    )
    op.create_index(
        "ix_sharing_releases_state", "sharing_releases", ["state", "expires_at"], unique=False
    )
    op.create_index(
        "ix_sharing_releases_way", "sharing_releases", ["way", "created_at"], unique=False
    )

    op.create_table(
        "sharing_release_steps",
        sa.Column("release", sa.String(length=36), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("detail", Json, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["release"],
            ["sharing_releases.id"],
            name=op.f("fk_sharing_release_steps_release_sharing_releases"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_release_steps")),
    )
    op.create_index(
        "ix_sharing_release_steps_of", "sharing_release_steps", ["release", "id"], unique=False
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
