"""Search in tickets by bigrams.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE ticket_search USING fts5(grams, content='', detail=none)")
        return
    op.execute("CREATE TABLE ticket_search (number INTEGER PRIMARY KEY, grams TEXT[] NOT NULL)")
    op.execute("CREATE INDEX ix_ticket_search_grams ON ticket_search USING gin (grams)")


def downgrade() -> None:
    op.execute("DROP TABLE ticket_search")
    # Made again, it must be filled from the first ticket on.
    op.execute("DELETE FROM counters WHERE name = 'search'")
