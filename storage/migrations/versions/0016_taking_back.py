"""Messages that are taken back; who is logged in to the console.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("more_refs", "asked_in", "tried"):
        op.add_column("outbox", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.add_column("outbox", sa.Column("takes_back", sa.Integer(), nullable=True))
    op.add_column(
        "outbox", sa.Column("says_so", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "sessions",
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_sessions")),
        sa.UniqueConstraint("state", name=op.f("uq_sessions_state")),
    )
    op.create_index(op.f("ix_sessions_person_id"), "sessions", ["person_id"])
    op.create_index(op.f("ix_sessions_until"), "sessions", ["until"])


def downgrade() -> None:
    op.drop_table("sessions")
    for name in ("says_so", "takes_back", "tried", "asked_in", "more_refs"):
        op.drop_column("outbox", name)
