"""The rings of calls, files brought in together, and whose page a pseudonym leads to."""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import Json, UtcTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calls_imports",
        sa.Column("authority", sa.String(length=36), nullable=False),
        sa.Column("officer", sa.String(length=60), nullable=False),
        sa.Column("items", Json, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls_imports")),
    )
    op.create_table(
        "calls_pseudonyms",
        sa.Column("pseudonym", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("pseudonym", name=op.f("pk_calls_pseudonyms")),
    )
    op.create_table(
        "calls_rings",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("authority", sa.String(length=36), nullable=False),
        sa.Column("finding", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("numbers", sa.Integer(), nullable=False),
        sa.Column("handsets", sa.Integer(), nullable=False),
        sa.Column("seats_least", sa.Integer(), nullable=True),
        sa.Column("seats_most", sa.Integer(), nullable=True),
        sa.Column("starts", UtcTime(), nullable=False),
        sa.Column("ends", UtcTime(), nullable=False),
        sa.Column("found_day", sa.Integer(), nullable=False),
        sa.Column("into", sa.String(length=36), nullable=True),
        sa.Column("part_of", sa.String(length=36), nullable=True),
        sa.Column("follows", sa.String(length=36), nullable=True),
        sa.Column("search", sa.String(length=36), nullable=False),
        sa.Column("detail", Json, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["finding"], ["findings.id"], name=op.f("fk_calls_rings_finding_findings")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls_rings")),
        sa.UniqueConstraint("finding", name=op.f("uq_calls_rings_finding")),
    )
    with op.batch_alter_table("calls_rings", schema=None) as batch_op:
        batch_op.create_index("ix_calls_rings_authority", ["authority", "id"], unique=False)
        batch_op.create_index("uq_calls_rings_name", ["agency", "year", "number"], unique=True)

    op.create_table(
        "calls_ring_events",
        sa.Column("ring", sa.String(length=36), nullable=False),
        sa.Column("what", sa.String(length=12), nullable=False),
        sa.Column("other", sa.String(length=36), nullable=True),
        sa.Column("counts", Json, nullable=False),
        sa.Column("search", sa.String(length=36), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ring"], ["calls_rings.id"], name=op.f("fk_calls_ring_events_ring_calls_rings")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls_ring_events")),
    )
    with op.batch_alter_table("calls_ring_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_calls_ring_events_ring"), ["ring"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
