"""Crews that the exercise plays"""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import Json, UtcTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exercise_crew_plays",
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("begins", UtcTime(), nullable=False),
        sa.Column("held", Json, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercise_crew_plays")),
    )
    with op.batch_alter_table("exercise_crew_plays", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exercise_crew_plays_state"), ["state"], unique=False)

    op.create_table(
        "exercise_crew_answers",
        sa.Column("play", sa.String(length=36), nullable=False),
        sa.Column("alert", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("opened_at", UtcTime(), nullable=False),
        sa.Column("sent_at", UtcTime(), nullable=False),
        sa.Column("sent", sa.String(length=32), nullable=False),
        sa.Column("made_by", sa.String(length=32), nullable=True),
        sa.Column("made_s", sa.Float(), nullable=True),
        sa.Column("best", sa.String(length=32), nullable=True),
        sa.Column("best_s", sa.Float(), nullable=True),
        sa.Column("first", sa.String(length=32), nullable=True),
        sa.Column("first_s", sa.Float(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["play"],
            ["exercise_crew_plays.id"],
            name=op.f("fk_exercise_crew_answers_play_exercise_crew_plays"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercise_crew_answers")),
        sa.UniqueConstraint("play", "alert", name=op.f("uq_exercise_crew_answers_play")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
