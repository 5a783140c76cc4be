"""The ladder: when a ticket's next rung is due, what fired, who was reminded on which day.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_DUE = sa.text("next_due_at IS NOT NULL")
_NOTICED = sa.text("person_id IS NOT NULL AND sent_at IS NOT NULL")
_WAITING = sa.text("person_id IS NOT NULL AND sent_at IS NULL")


def upgrade() -> None:
    for name in ("escalated_at", "held_until", "asked_at", "next_due_at"):
        op.add_column("tickets", sa.Column(name, sa.DateTime(), nullable=True))
    # The first sweep looks at every ticket whose clocks may run, and works out the rest.
    op.execute(
        "UPDATE tickets SET next_due_at = created_at WHERE state IN ('open', 'in_progress', "
        "'waiting_enterprise', 'waiting_department', 'shelved', 'resolved')"
    )
    op.create_index(
        "ix_tickets_next_due",
        "tickets",
        ["next_due_at"],
        sqlite_where=_DUE,
        postgresql_where=_DUE,
    )
    op.create_table(
        "firings",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("planned_at", sa.DateTime(), nullable=False),
        sa.Column("fired_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["tickets.number"], name=op.f("fk_firings_number")),
        sa.PrimaryKeyConstraint(
            "number", "cycle", "clock", "since", "level", name=op.f("pk_firings")
        ),
    )
    op.create_table(
        "reminded",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["tickets.number"], name=op.f("fk_reminded_number")),
        sa.PrimaryKeyConstraint("number", "person_id", "day", name=op.f("pk_reminded")),
    )
    op.add_column(
        "outbox", sa.Column("bundle", sa.String(), nullable=False, server_default="")
    )
    op.create_index(
        "ix_outbox_noticed",
        "outbox",
        ["person_id", "sent_at"],
        sqlite_where=_NOTICED,
        postgresql_where=_NOTICED,
    )
    op.create_index(
        "ix_outbox_person",
        "outbox",
        ["person_id"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_person", "outbox")
    op.drop_index("ix_outbox_noticed", "outbox")
    op.drop_column("outbox", "bundle")
    op.drop_table("reminded")
    op.drop_table("firings")
    op.drop_index("ix_tickets_next_due", "tickets")
    for name in ("next_due_at", "asked_at", "held_until", "escalated_at"):
        op.drop_column("tickets", name)
