"""Planned acts, whom they were checked with, and their conflicts."""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import Json, UtcTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sharing_planned_act_parties",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_sharing_planned_act_parties")),
    )
    op.create_table(
        "sharing_planned_acts",
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("radius_m", sa.Float(), nullable=False),
        sa.Column("reach_m", sa.Float(), nullable=False),
        sa.Column("area", Json, nullable=False),
        sa.Column("cell", sa.String(length=16), nullable=False),
        sa.Column("starts", UtcTime(), nullable=False),
        sa.Column("ends", UtcTime(), nullable=False),
        sa.Column("claim_start", UtcTime(), nullable=False),
        sa.Column("claim_end", UtcTime(), nullable=False),
        sa.Column("subject_start", UtcTime(), nullable=False),
        sa.Column("subject_end", UtcTime(), nullable=False),
        sa.Column("buffer_min", sa.Float(), nullable=False),
        sa.Column("subject_days", sa.Float(), nullable=False),
        sa.Column("subjects", Json, nullable=False),
        sa.Column("commander", sa.String(length=80), nullable=False),
        sa.Column("ring", sa.String(length=80), nullable=False),
        sa.Column("joint", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.String(length=80), nullable=False),
        sa.Column("why", sa.String(length=500), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_planned_acts")),
        sa.UniqueConstraint("ref", name=op.f("uq_sharing_planned_acts_ref")),
    )
    op.create_index(
        "ix_sharing_planned_acts_claim",
        "sharing_planned_acts",
        ["cell", "claim_end", "claim_start"],
    )
    op.create_index("ix_sharing_planned_acts_state", "sharing_planned_acts", ["state", "starts"])

    op.create_table(
        "sharing_conflicts",
        sa.Column("act", sa.String(length=36), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("their_revision", sa.Integer(), nullable=False),
        sa.Column("basis", Json, nullable=False),
        sa.Column("ring", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("who", sa.String(length=80), nullable=False),
        sa.Column("how", sa.String(length=500), nullable=False),
        sa.Column("theirs", sa.String(length=20), nullable=False),
        sa.Column("their_who", sa.String(length=80), nullable=False),
        sa.Column("their_how", sa.String(length=500), nullable=False),
        sa.Column("opened_at", UtcTime(), nullable=False),
        sa.Column("since", UtcTime(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["act"],
            ["sharing_planned_acts.id"],
            name=op.f("fk_sharing_conflicts_act_sharing_planned_acts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_conflicts")),
    )
    op.create_index("ix_sharing_conflicts_party", "sharing_conflicts", ["party"])
    op.create_index(
        "uq_sharing_conflicts_pair", "sharing_conflicts", ["act", "party", "ref"], unique=True
    )

    op.create_table(
        "sharing_planned_act_checks",
        sa.Column("act", sa.String(length=36), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("waits", sa.Boolean(), nullable=False),
        sa.Column("answered_at", UtcTime(), nullable=True),
        sa.Column("problem", sa.String(length=300), nullable=False),
        sa.Column("overridden_by", sa.String(length=80), nullable=False),
        sa.Column("overridden_why", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["act"],
            ["sharing_planned_acts.id"],
            name=op.f("fk_sharing_planned_act_checks_act_sharing_planned_acts"),
        ),
        sa.PrimaryKeyConstraint("act", "party", name=op.f("pk_sharing_planned_act_checks")),
    )
    op.create_index(
        "ix_sharing_planned_act_checks_waits",
        "sharing_planned_act_checks",
        ["party"],
        sqlite_where=sa.text("waits"),
        postgresql_where=sa.text("waits"),
    )

    op.create_table(
        "sharing_planned_act_tokens",
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("act", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["act"],
            ["sharing_planned_acts.id"],
            name=op.f("fk_sharing_planned_act_tokens_act_sharing_planned_acts"),
        ),
        sa.PrimaryKeyConstraint("token", "act", name=op.f("pk_sharing_planned_act_tokens")),
    )
    op.create_index("ix_sharing_planned_act_tokens_act", "sharing_planned_act_tokens", ["act"])


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
