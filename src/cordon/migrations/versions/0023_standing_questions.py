"""Standing questions, kept by the other side unread."""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import UtcTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sharing_standing",
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("authority", sa.String(length=200), nullable=False),
        sa.Column("authority_id", sa.String(length=36), nullable=False),
        sa.Column("why", sa.String(length=500), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("said", sa.String(length=300), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_standing")),
    )
    with op.batch_alter_table("sharing_standing", schema=None) as batch_op:
        batch_op.create_index("ix_sharing_standing_open", ["state", "until"], unique=False)

    op.create_table(
        "sharing_standing_kept",
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("public", sa.String(length=64), nullable=False),
        sa.Column("tags", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("authority", sa.String(length=200), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        sa.Column("over", sa.String(length=10), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_standing_kept")),
    )
    with op.batch_alter_table("sharing_standing_kept", schema=None) as batch_op:
        batch_op.create_index("uq_sharing_standing_kept", ["peer", "number"], unique=True)

    op.create_table(
        "sharing_standing_keys",
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seed", sa.String(length=200), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_standing_keys")),
    )
    with op.batch_alter_table("sharing_standing_keys", schema=None) as batch_op:
        batch_op.create_index("uq_sharing_standing_keys", ["peer", "kind"], unique=True)

    op.create_table(
        "sharing_standing_looks",
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("refused", sa.String(length=300), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_standing_looks")),
    )
    with op.batch_alter_table("sharing_standing_looks", schema=None) as batch_op:
        batch_op.create_index(
            "ix_sharing_standing_looks_at", ["peer", "kind", "created_at"], unique=False
        )

    op.create_table(
        "sharing_standing_seen",
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seed", sa.String(length=200), nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.Column("looked_at", UtcTime(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_standing_seen")),
    )
    with op.batch_alter_table("sharing_standing_seen", schema=None) as batch_op:
        batch_op.create_index("uq_sharing_standing_seen", ["peer", "kind"], unique=True)

    op.create_table(
        "sharing_standing_met",
        sa.Column("ours", sa.String(length=36), nullable=True),
        sa.Column("kept", sa.String(length=36), nullable=True),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False),
        sa.Column("rung_at", UtcTime(), nullable=True),
        sa.Column("rung_by", sa.String(length=80), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["kept"],
            ["sharing_standing_kept.id"],
            name=op.f("fk_sharing_standing_met_kept_sharing_standing_kept"),
        ),
        sa.ForeignKeyConstraint(
            ["ours"],
            ["sharing_standing.id"],
            name=op.f("fk_sharing_standing_met_ours_sharing_standing"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_standing_met")),
    )
    with op.batch_alter_table("sharing_standing_met", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sharing_standing_met_kept"), ["kept"], unique=False)
        batch_op.create_index(batch_op.f("ix_sharing_standing_met_ours"), ["ours"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
