"""Points and clock of alerts, and what units say they can do; hand-overs."""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import Json, UtcTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_alerts_queue", "alerts")
    op.drop_index("ix_alerts_state", "alerts")
    for column in (
        sa.Column("confidence", sa.Float(), nullable=False, server_default="0"),
        sa.Column("parts", Json, nullable=True),
        sa.Column("behind", sa.Float(), nullable=False, server_default="0"),
        sa.Column("act_by", UtcTime(), nullable=True),
        sa.Column("turns_at", UtcTime(), nullable=True),
        sa.Column("level", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("escalate_at", UtcTime(), nullable=True),
    ):
        op.add_column("alerts", column)
    # the node counts the points of what is there with the first tick of its clock
    op.execute(
        "UPDATE alerts SET behind = 200 - 30 * rank, confidence = coalesce("
        "(SELECT findings.confidence FROM findings WHERE findings.id = alerts.finding), 0)"
    )
    op.execute("UPDATE alerts SET turns_at = created_at WHERE state <> 'closed'")
    op.execute("UPDATE alerts SET escalate_at = due_at WHERE state = 'open' AND queued")
    op.create_index("ix_alerts_queue", "alerts", ["queued", "behind", "due_at", "id"])
    op.create_index("ix_alerts_state", "alerts", ["state", "behind", "due_at", "id"])
    op.create_index("ix_alerts_kind_queue", "alerts", ["kind", "queued", "behind", "due_at", "id"])
    op.create_index(op.f("ix_alerts_withdrawn_at"), "alerts", ["withdrawn_at"])
    op.create_index(op.f("ix_alerts_turns_at"), "alerts", ["turns_at"])
    op.create_index(op.f("ix_alerts_escalate_at"), "alerts", ["escalate_at"])
    op.create_table(
        "alert_escalations",
        sa.Column("alert", sa.String(length=36), nullable=False),
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert"], ["alerts.id"], name=op.f("fk_alert_escalations_alert_alerts")
        ),
        sa.PrimaryKeyConstraint("alert", "level", name=op.f("pk_alert_escalations")),
    )
    op.create_table(
        "unit_statements",
        sa.Column("unit", sa.String(length=36), nullable=False),
        sa.Column("said_by", sa.String(length=60), nullable=False),
        sa.Column("crew", sa.Integer(), nullable=True),
        sa.Column("range_nm", sa.Float(), nullable=True),
        sa.Column("equipment", Json, nullable=False),
        sa.Column("acts", Json, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["unit"], ["operations_units.id"], name=op.f("fk_unit_statements_unit_operations_units")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_statements")),
    )
    op.create_index("ix_unit_statements_unit", "unit_statements", ["unit", "id"])
    op.create_table(
        "handovers",
        sa.Column("watch", sa.String(length=40), nullable=False),
        sa.Column("starts", UtcTime(), nullable=False),
        sa.Column("ends", UtcTime(), nullable=False),
        sa.Column("outgoing", sa.String(length=60), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("told", Json, nullable=False),
        sa.Column("incoming", sa.String(length=60), nullable=True),
        sa.Column("accepted_at", UtcTime(), nullable=True),
        sa.Column("passed", Json, nullable=True),
        sa.Column("replaced", sa.Boolean(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handovers")),
    )
    op.create_index("ix_handovers_waiting", "handovers", ["accepted_at", "replaced", "id"])


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
