"""The rooms' tables."""

import sqlalchemy as sa
from alembic import op

from cordon.kernel.store.rows import Json, UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calls_files",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("authority", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("counts", Json, nullable=False),
        sa.Column("refusals", Json, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls_files")),
    )
    with op.batch_alter_table("calls_files", schema=None) as batch_op:
        batch_op.create_index("uq_calls_files_sha256", ["sha256", "authority"], unique=True)

    op.create_table(
        "case_counters",
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "year", name=op.f("pk_case_counters")),
    )
    op.create_table(
        "cases",
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("lead_officer", sa.String(length=60), nullable=False),
        sa.Column("seriousness", sa.String(length=10), nullable=False),
        sa.Column("closed_at", UtcTime(), nullable=True),
        sa.Column("closed_reason", sa.String(length=40), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.create_index("ix_cases_state", ["state", "id"], unique=False)
        batch_op.create_index("uq_cases_number", ["agency", "number"], unique=True)

    op.create_table(
        "exercise_runs",
        sa.Column("world", sa.String(length=40), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("days", sa.Float(), nullable=False),
        sa.Column("scale", sa.Float(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("begins", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("shift_s", sa.Float(), nullable=False),
        sa.Column("truth", Json, nullable=False),
        sa.Column("score", Json, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercise_runs")),
    )
    op.create_table(
        "operations_units",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("sector", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("speed_kn", sa.Float(), nullable=False),
        sa.Column("contact", sa.String(length=120), nullable=False),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("position_at", UtcTime(), nullable=True),
        sa.Column("tasking", sa.String(length=36), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations_units")),
        sa.UniqueConstraint("agency", "code", name=op.f("uq_operations_units_agency")),
    )
    op.create_table(
        "picture_feeds",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("url", sa.String(length=200), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("heard_at", UtcTime(), nullable=True),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("kept", sa.BigInteger(), nullable=False),
        sa.Column("repeated", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("last_reason", sa.String(length=200), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_feeds")),
        sa.UniqueConstraint("name", name=op.f("uq_picture_feeds_name")),
    )
    op.create_table(
        "picture_files",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("origin", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("counts", Json, nullable=False),
        sa.Column("refusals", Json, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_files")),
    )
    with op.batch_alter_table("picture_files", schema=None) as batch_op:
        batch_op.create_index("ix_picture_files_state", ["state", "id"], unique=False)
        batch_op.create_index("uq_picture_files_sha256", ["sha256"], unique=True)

    op.create_table(
        "picture_zones",
        sa.Column("zone", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("feature", Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_zones")),
    )
    with op.batch_alter_table("picture_zones", schema=None) as batch_op:
        batch_op.create_index("uq_picture_zones_zone", ["agency", "zone"], unique=True)

    op.create_table(
        "alerts",
        sa.Column("finding", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("seriousness", sa.String(length=10), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("radius_m", sa.Float(), nullable=True),
        sa.Column("starts", UtcTime(), nullable=False),
        sa.Column("ends", UtcTime(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("state", sa.String(length=14), nullable=False),
        sa.Column("queued", sa.Boolean(), nullable=False),
        sa.Column("acknowledged_by", sa.String(length=60), nullable=True),
        sa.Column("acknowledged_at", UtcTime(), nullable=True),
        sa.Column("assignee", sa.String(length=60), nullable=True),
        sa.Column("unit", sa.String(length=32), nullable=True),
        sa.Column("case", sa.String(length=36), nullable=True),
        sa.Column("stands_with", sa.String(length=36), nullable=False),
        sa.Column("alike", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["finding"], ["findings.id"], name=op.f("fk_alerts_finding_findings")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("finding", name=op.f("uq_alerts_finding")),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alerts_assignee"), ["assignee"], unique=False)
        batch_op.create_index("ix_alerts_kind_starts", ["kind", "starts"], unique=False)
        batch_op.create_index("ix_alerts_queue", ["queued", "rank", "due_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_alerts_stands_with"), ["stands_with"], unique=False)
        batch_op.create_index("ix_alerts_state", ["state", "rank", "due_at", "id"], unique=False)

    op.create_table(
        "bundles",
        sa.Column("case", sa.String(length=36), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("folder", sa.String(length=100), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sealed_at", UtcTime(), nullable=False),
        sa.Column("sealed_by", sa.String(length=60), nullable=False),
        sa.Column("ledger_size", sa.BigInteger(), nullable=False),
        sa.Column("withheld", sa.Integer(), nullable=False),
        sa.Column("holds", Json, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name=op.f("fk_bundles_case_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundles")),
    )
    with op.batch_alter_table("bundles", schema=None) as batch_op:
        batch_op.create_index("uq_bundles_place", ["case", "place"], unique=True)

    op.create_table(
        "case_links",
        sa.Column("case", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("target", sa.String(length=36), nullable=False),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name=op.f("fk_case_links_case_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_links")),
    )
    with op.batch_alter_table("case_links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_links_target"), ["target"], unique=False)
        batch_op.create_index("uq_case_links_target", ["case", "kind", "target"], unique=True)

    op.create_table(
        "case_members",
        sa.Column("case", sa.String(length=36), nullable=False),
        sa.Column("officer", sa.String(length=60), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name=op.f("fk_case_members_case_cases")),
        sa.PrimaryKeyConstraint("case", "officer", name=op.f("pk_case_members")),
    )
    op.create_table(
        "exhibits",
        sa.Column("case", sa.String(length=36), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("received_from", sa.String(length=120), nullable=False),
        sa.Column("finding", sa.String(length=36), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name=op.f("fk_exhibits_case_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exhibits")),
    )
    with op.batch_alter_table("exhibits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exhibits_sha256"), ["sha256"], unique=False)
        batch_op.create_index("uq_exhibits_place", ["case", "place"], unique=True)

    op.create_table(
        "alert_findings",
        sa.Column("finding", sa.String(length=36), nullable=False),
        sa.Column("alert", sa.String(length=36), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert"], ["alerts.id"], name=op.f("fk_alert_findings_alert_alerts")
        ),
        sa.ForeignKeyConstraint(
            ["finding"], ["findings.id"], name=op.f("fk_alert_findings_finding_findings")
        ),
        sa.PrimaryKeyConstraint("finding", name=op.f("pk_alert_findings")),
    )
    with op.batch_alter_table("alert_findings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_findings_alert"), ["alert"], unique=False)

    op.create_table(
        "alert_subjects",
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("alert", sa.String(length=36), nullable=False),
        sa.Column("acts", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert"], ["alerts.id"], name=op.f("fk_alert_subjects_alert_alerts")
        ),
        sa.PrimaryKeyConstraint("subject", "alert", name=op.f("pk_alert_subjects")),
    )
    op.create_table(
        "custody_events",
        sa.Column("exhibit", sa.String(length=36), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("act", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("from_holder", sa.String(length=120), nullable=True),
        sa.Column("to_holder", sa.String(length=120), nullable=True),
        sa.Column("where", sa.String(length=200), nullable=True),
        sa.Column("seal_number", sa.String(length=60), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exhibit"], ["exhibits.id"], name=op.f("fk_custody_events_exhibit_exhibits")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody_events")),
    )
    with op.batch_alter_table("custody_events", schema=None) as batch_op:
        batch_op.create_index("uq_custody_events_place", ["exhibit", "place"], unique=True)

    op.create_table(
        "taskings",
        sa.Column("alert", sa.String(length=36), nullable=False),
        sa.Column("unit", sa.String(length=36), nullable=False),
        sa.Column("unit_code", sa.String(length=32), nullable=False),
        sa.Column("order_text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=14), nullable=False),
        sa.Column("sent_by", sa.String(length=60), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name=op.f("fk_taskings_alert_alerts")),
        sa.ForeignKeyConstraint(
            ["unit"], ["operations_units.id"], name=op.f("fk_taskings_unit_operations_units")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taskings")),
    )
    with op.batch_alter_table("taskings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_taskings_alert"), ["alert"], unique=False)
        batch_op.create_index("ix_taskings_state", ["state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_taskings_unit"), ["unit"], unique=False)
        batch_op.create_index(batch_op.f("ix_taskings_unit_code"), ["unit_code"], unique=False)

    op.create_table(
        "tasking_steps",
        sa.Column("tasking", sa.String(length=36), nullable=False),
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=14), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("by_officer", sa.String(length=60), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tasking"], ["taskings.id"], name=op.f("fk_tasking_steps_tasking_taskings")
        ),
        sa.PrimaryKeyConstraint("tasking", "number", name=op.f("pk_tasking_steps")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade")
