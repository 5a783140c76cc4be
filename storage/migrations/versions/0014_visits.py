"""The visit book; checklists; whose a group is, what for and until when.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _visits()
    _campaigns()
    _groups()


def _visits() -> None:
    op.create_table(
        "visits",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("enterprise_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=True),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("visitors", sa.JSON(), nullable=False),
        sa.Column("met", sa.JSON(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("production", sa.String(), nullable=False),
        sa.Column("workforce", sa.String(), nullable=False),
        sa.Column("orders", sa.String(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("next_at", sa.DateTime(), nullable=True),
        sa.Column("next_until", sa.DateTime(), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("backfilled", sa.Boolean(), nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("entered_at", sa.DateTime(), nullable=False),
        sa.Column("entered_by", sa.String(), nullable=False),
        sa.Column("source_platform", sa.String(), nullable=False),
        sa.Column("source_message", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name=op.f("fk_visits_enterprise_id")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_visits")),
        sa.UniqueConstraint("code", name=op.f("uq_visits_code")),
    )
    op.create_index(op.f("ix_visits_enterprise_id"), "visits", ["enterprise_id"])
    op.create_index(op.f("ix_visits_at"), "visits", ["at"])
    op.create_index(op.f("ix_visits_source_message"), "visits", ["source_message"])


def _campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("states", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=True),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("milestones", sa.JSON(), nullable=False),
        sa.Column("by_group", sa.Boolean(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("name", name=op.f("uq_campaigns_name")),
    )
    op.create_table(
        "campaign_targets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("marks", sa.JSON(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("grid", sa.Integer(), nullable=True),
        sa.Column("enterprise_id", sa.String(), nullable=True),
        sa.Column("owner_id", sa.String(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign"], ["campaigns.number"], name=op.f("fk_campaign_targets_campaign")
        ),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprises.id"], name=op.f("fk_campaign_targets_enterprise_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_targets")),
        sa.UniqueConstraint("campaign", "key", name=op.f("uq_campaign_targets_campaign_key")),
    )
    op.create_table(
        "campaign_tickings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by_whom", sa.String(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("undone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign"], ["campaigns.number"], name=op.f("fk_campaign_tickings_campaign")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_tickings")),
    )
    op.create_index(op.f("ix_campaign_tickings_by_whom"), "campaign_tickings", ["by_whom"])
    op.create_table(
        "campaign_milestones",
        sa.Column("campaign", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign"], ["campaigns.number"], name=op.f("fk_campaign_milestones_campaign")
        ),
        sa.PrimaryKeyConstraint("campaign", "key", name=op.f("pk_campaign_milestones")),
    )
    op.create_table(
        "campaign_tickets",
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["target"], ["campaign_targets.id"], name=op.f("fk_campaign_tickets_target")
        ),
        sa.ForeignKeyConstraint(
            ["number"], ["tickets.number"], name=op.f("fk_campaign_tickets_number")
        ),
        sa.PrimaryKeyConstraint("target", "number", name=op.f("pk_campaign_tickets")),
    )


_GROUP_COLUMNS = (
    ("owner_id", sa.String()),
    ("purpose", sa.String()),
    ("ends_on", sa.Date()),
    ("asked_at", sa.DateTime()),
    ("archived_at", sa.DateTime()),
)


def _groups() -> None:
    with op.batch_alter_table("chats") as chats:
        for name, kind in _GROUP_COLUMNS:
            needed = name == "purpose"
            chats.add_column(
                sa.Column(name, kind, nullable=not needed, server_default="" if needed else None)
            )


def downgrade() -> None:
    with op.batch_alter_table("chats") as chats:
        for name, _ in _GROUP_COLUMNS:
            chats.drop_column(name)
    for table in ("tickets", "milestones", "tickings", "targets"):
        op.drop_table(f"campaign_{table}")
    op.drop_table("campaigns")
    op.drop_table("visits")
