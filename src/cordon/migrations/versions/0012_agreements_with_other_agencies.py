"""Agreements with other agencies, and the parties' signatures."""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import UtcTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sharing_agreements",
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("drafted_by", sa.String(length=80), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=40), nullable=True),
        sa.Column("ended_why", sa.String(length=500), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_agreements")),
    )
    op.create_table(
        "sharing_agreement_signatures",
        sa.Column("agreement", sa.String(length=36), nullable=False),
        sa.Column("signer", sa.String(length=40), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("signature", sa.String(length=100), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agreement"],
            ["sharing_agreements.id"],
            name=op.f("fk_sharing_agreement_signatures_agreement_sharing_agreements"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_agreement_signatures")),
    )
    op.create_index(
        "uq_sharing_agreement_signatures_of",
        "sharing_agreement_signatures",
        ["agreement", "signer"],
        unique=True,
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
