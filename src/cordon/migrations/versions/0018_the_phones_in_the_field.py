"""Phones in the field: their acts, positions, photos and calls for help."""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import Json, UtcTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "operations_field_phones",
        sa.Column("officer", sa.String(length=60), nullable=False),
        sa.Column("unit", sa.String(length=60), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("offset_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", UtcTime(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("accuracy_m", sa.Float(), nullable=True),
        sa.Column("fix_at", UtcTime(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations_field_phones")),
    )
    with op.batch_alter_table("operations_field_phones", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_operations_field_phones_officer"), ["officer"], unique=False
        )

    op.create_table(
        "operations_field_photos",
        sa.Column("tasking", sa.String(length=36), nullable=False),
        sa.Column("officer", sa.String(length=60), nullable=False),
        sa.Column("unit", sa.String(length=60), nullable=False),
        sa.Column("taken_at", UtcTime(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("kept_at", UtcTime(), nullable=True),
        sa.Column("exhibit", sa.String(length=36), nullable=True),
        sa.Column("case", sa.String(length=36), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations_field_photos")),
    )
    with op.batch_alter_table("operations_field_photos", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_operations_field_photos_officer"), ["officer"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_operations_field_photos_tasking"), ["tasking"], unique=False
        )

    op.create_table(
        "operations_field_acts",
        sa.Column("phone", sa.String(length=36), nullable=False),
        sa.Column("officer", sa.String(length=60), nullable=False),
        sa.Column("unit", sa.String(length=60), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("tasking", sa.String(length=36), nullable=True),
        sa.Column("said_at", UtcTime(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("offset_ms", sa.BigInteger(), nullable=False),
        sa.Column("clock_wrong", sa.Boolean(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("body", Json, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("settled_at", UtcTime(), nullable=True),
        sa.Column("settled_by", sa.String(length=60), nullable=True),
        sa.Column("settled_note", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["phone"],
            ["operations_field_phones.id"],
            name=op.f("fk_operations_field_acts_phone_operations_field_phones"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations_field_acts")),
    )
    with op.batch_alter_table("operations_field_acts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_operations_field_acts_officer", ["officer", "outcome"], unique=False
        )
        batch_op.create_index(
            "ix_operations_field_acts_open", ["outcome", "settled_at"], unique=False
        )
        batch_op.create_index(
            "ix_operations_field_acts_tasking", ["tasking", "created_at"], unique=False
        )

    op.create_table(
        "operations_field_fixes",
        sa.Column("phone", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("said_at", UtcTime(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("accuracy_m", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["phone"],
            ["operations_field_phones.id"],
            name=op.f("fk_operations_field_fixes_phone_operations_field_phones"),
        ),
        sa.PrimaryKeyConstraint("phone", "number", name=op.f("pk_operations_field_fixes")),
    )
    op.create_table(
        "operations_panics",
        sa.Column("phone", sa.String(length=36), nullable=False),
        sa.Column("officer", sa.String(length=60), nullable=False),
        sa.Column("unit", sa.String(length=60), nullable=False),
        sa.Column("pressed_at", UtcTime(), nullable=False),
        sa.Column("clock_wrong", sa.Boolean(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("accuracy_m", sa.Float(), nullable=True),
        sa.Column("position_at", UtcTime(), nullable=True),
        sa.Column("presses", sa.Integer(), nullable=False),
        sa.Column("safe_at", UtcTime(), nullable=True),
        sa.Column("finding", sa.String(length=36), nullable=True),
        sa.Column("records", Json, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["phone"],
            ["operations_field_phones.id"],
            name=op.f("fk_operations_panics_phone_operations_field_phones"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations_panics")),
    )
    with op.batch_alter_table("operations_panics", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_operations_panics_finding"), ["finding"], unique=False)
        batch_op.create_index(batch_op.f("ix_operations_panics_officer"), ["officer"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
