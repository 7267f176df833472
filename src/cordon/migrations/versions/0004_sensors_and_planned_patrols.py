"""Sensors of the picture, what limits them, and planned patrols."""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import Json, UtcTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "picture_patrol_plans",
        sa.Column("unit", sa.String(length=80), nullable=False),
        sa.Column("sector", sa.String(length=80), nullable=False),
        sa.Column("starts", UtcTime(), nullable=False),
        sa.Column("ends", UtcTime(), nullable=False),
        sa.Column("route", Json, nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_patrol_plans")),
    )
    with op.batch_alter_table("picture_patrol_plans", schema=None) as batch_op:
        batch_op.create_index("ix_picture_patrol_plans_starts", ["starts"], unique=False)

    op.create_table(
        "picture_sensor_limits",
        sa.Column("sensor", sa.String(length=80), nullable=False),
        sa.Column("starts", UtcTime(), nullable=False),
        sa.Column("ends", UtcTime(), nullable=True),
        sa.Column("reach", sa.Float(), nullable=False),
        sa.Column("why", sa.String(length=80), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_sensor_limits")),
    )
    with op.batch_alter_table("picture_sensor_limits", schema=None) as batch_op:
        batch_op.create_index("ix_picture_sensor_limits_starts", ["starts"], unique=False)

    op.create_table(
        "picture_sensors",
        sa.Column("sensor", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_sensors")),
    )
    with op.batch_alter_table("picture_sensors", schema=None) as batch_op:
        batch_op.create_index("uq_picture_sensors_sensor", ["agency", "sensor"], unique=True)


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
