"""A queue by who has it and how serious it is; subjects by what they are of"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alerts_assignee"))
        for column in ("assignee", "rank"):
            batch_op.create_index(
                f"ix_alerts_{column}_queue",
                [column, "queued", "behind", "due_at", "id"],
                unique=False,
            )
    with op.batch_alter_table("alert_subjects", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_subjects_alert"), ["alert"], unique=False)
    with op.batch_alter_table("finding_subjects", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_finding_subjects_finding"), ["finding"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
