"""First tables; history and audit can only grow."""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('areas',
    sa.Column('name', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_areas'))
    )
    op.create_table('audit',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('action', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('facts', sa.String(), nullable=False),
    sa.Column('previous', sa.String(), nullable=False),
    sa.Column('hash', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit'))
    )
    op.create_table('candidates',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('chat', sa.String(), nullable=False),
    sa.Column('chat_kind', sa.String(), nullable=False),
    sa.Column('message_id', sa.String(), nullable=False),
    sa.Column('sender_key', sa.String(), nullable=False),
    sa.Column('sender_name', sa.String(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=True),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_candidates'))
    )
    with op.batch_alter_table('candidates', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_candidates_sender_key'), ['sender_key'], unique=False)

    op.create_table('chats',
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('registered', sa.Boolean(), nullable=False),
    sa.Column('robot_url', sa.String(), nullable=False),
    sa.Column('is_main', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('platform', 'id', name=op.f('pk_chats'))
    )
    op.create_table('counters',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('value', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_counters'))
    )
    op.create_table('dialogues',
    sa.Column('person_key', sa.String(), nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('chat', sa.String(), nullable=False),
    sa.Column('topic', sa.String(), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('person_key', 'platform', 'chat', name=op.f('pk_dialogues'))
    )
    op.create_table('enterprises',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('short_name', sa.String(), nullable=False),
    sa.Column('full_name', sa.String(), nullable=False),
    sa.Column('aliases', sa.JSON(), nullable=False),
    sa.Column('industry', sa.String(), nullable=False),
    sa.Column('area', sa.String(), nullable=False),
    sa.Column('grid', sa.Integer(), nullable=True),
    sa.Column('employees', sa.Integer(), nullable=True),
    sa.Column('scale', sa.String(), nullable=False),
    sa.Column('hazardous', sa.Boolean(), nullable=False),
    sa.Column('is_key', sa.Boolean(), nullable=False),
    sa.Column('from_seed', sa.Boolean(), nullable=False),
    sa.Column('group_name', sa.String(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_enterprises'))
    )
    with op.batch_alter_table('enterprises', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_enterprises_area'), ['area'], unique=False)
        batch_op.create_index(batch_op.f('ix_enterprises_short_name'), ['short_name'], unique=False)

    op.create_table('grids',
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('area', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_grids'))
    )
    op.create_table('heard_messages',
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('message_id', sa.String(), nullable=False),
    sa.Column('chat', sa.String(), nullable=False),
    sa.Column('sender_key', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('msg_type', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=True),
    sa.Column('attachments', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('platform', 'message_id', name=op.f('pk_heard_messages'))
    )
    with op.batch_alter_table('heard_messages', schema=None) as batch_op:
        batch_op.create_index('ix_heard_recent', ['platform', 'chat', 'sender_key', 'at'], unique=False)
        batch_op.create_index('ix_heard_spoken', ['chat', 'at'], unique=False, sqlite_where=sa.text("number IS NOT NULL"), postgresql_where=sa.text("number IS NOT NULL"))

    op.create_table('inbox',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('event_id', sa.String(), nullable=False),
    sa.Column('chat', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('error', sa.String(), nullable=False),
    sa.Column('received_at', sa.Float(), nullable=False),
    sa.Column('next_try', sa.Float(), nullable=False),
    sa.Column('payload', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inbox')),
    sa.UniqueConstraint('platform', 'event_id', name=op.f('uq_inbox_platform_event_id'))
    )
    with op.batch_alter_table('inbox', schema=None) as batch_op:
        batch_op.create_index('ix_inbox_new', ['chat', 'id'], unique=False, sqlite_where=sa.text("state = 'new'"), postgresql_where=sa.text("state = 'new'"))
        batch_op.create_index('ix_inbox_dead', ['id'], unique=False, sqlite_where=sa.text("state = 'dead'"), postgresql_where=sa.text("state = 'dead'"))

    op.create_table('job_runs',
    sa.Column('job', sa.String(), nullable=False),
    sa.Column('slot', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('job', 'slot', name=op.f('pk_job_runs'))
    )
    op.create_table('outbox',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('chat', sa.String(), nullable=False),
    sa.Column('chat_kind', sa.String(), nullable=False),
    sa.Column('person_id', sa.String(), nullable=True),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('ticket', sa.Integer(), nullable=True),
    sa.Column('content', sa.String(), nullable=False),
    sa.Column('card_key', sa.String(), nullable=False),
    sa.Column('dedupe_key', sa.String(), nullable=False),
    sa.Column('not_before', sa.DateTime(), nullable=True),
    sa.Column('not_after', sa.DateTime(), nullable=True),
    sa.Column('still', sa.String(), nullable=False),
    sa.Column('reply_token', sa.String(), nullable=False),
    sa.Column('answers', sa.Integer(), nullable=True),
    sa.Column('is_update', sa.Boolean(), nullable=False),
    sa.Column('next_try', sa.Float(), nullable=False),
    sa.Column('lease_until', sa.Float(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('error', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('sent_at', sa.DateTime(), nullable=True),
    sa.Column('ref', sa.String(), nullable=False),
    sa.Column('card_ref', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox'))
    )
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_card', ['chat', 'card_key'], unique=False)
        batch_op.create_index('ix_outbox_ref', ['ref'], unique=False)
        batch_op.create_index('ix_outbox_dead', ['id'], unique=False, sqlite_where=sa.text("state = 'dead'"), postgresql_where=sa.text("state = 'dead'"))
        batch_op.create_index(batch_op.f('ix_outbox_ticket'), ['ticket'], unique=False)
        batch_op.create_index('ix_outbox_waiting', ['priority', 'id'], unique=False, sqlite_where=sa.text("state IN ('waiting','sending')"), postgresql_where=sa.text("state IN ('waiting','sending')"))
        batch_op.create_index('uq_outbox_dedupe', ['dedupe_key'], unique=True, sqlite_where=sa.text("dedupe_key <> ''"), postgresql_where=sa.text("dedupe_key <> ''"))

    op.create_table('policies_of_office',
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('numbers', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('version', name=op.f('pk_policies_of_office'))
    )
    op.create_table('sandbox_messages',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('chat', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('sender_id', sa.String(), nullable=False),
    sa.Column('sender_name', sa.String(), nullable=False),
    sa.Column('is_bot', sa.Boolean(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('card', sa.JSON(), nullable=True),
    sa.Column('mentions', sa.JSON(), nullable=False),
    sa.Column('reply_to', sa.String(), nullable=False),
    sa.Column('attachments', sa.JSON(), nullable=False),
    sa.Column('client_id', sa.String(), nullable=False),
    sa.Column('delivery', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sandbox_messages'))
    )
    with op.batch_alter_table('sandbox_messages', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sandbox_messages_chat'), ['chat'], unique=False)
        batch_op.create_index(batch_op.f('ix_sandbox_messages_client_id'), ['client_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_sandbox_messages_delivery'), ['delivery'], unique=False)

    op.create_table('tokens',
    sa.Column('secret_hash', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('scope', sa.String(), nullable=False),
    sa.Column('enterprise_id', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('revoked', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('secret_hash', name=op.f('pk_tokens'))
    )
    op.create_table('pairings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('enterprise_id', sa.String(), nullable=False),
    sa.Column('liaison_id', sa.String(), nullable=True),
    sa.Column('leader_id', sa.String(), nullable=True),
    sa.Column('grid_chief_id', sa.String(), nullable=True),
    sa.Column('grid_member_id', sa.String(), nullable=True),
    sa.Column('starts_at', sa.DateTime(), nullable=False),
    sa.Column('ends_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['enterprise_id'], ['enterprises.id'], name=op.f('fk_pairings_enterprise_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pairings'))
    )
    with op.batch_alter_table('pairings', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pairings_enterprise_id'), ['enterprise_id'], unique=False)

    op.create_table('people',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('role', sa.String(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('area', sa.String(), nullable=False),
    sa.Column('grid', sa.Integer(), nullable=True),
    sa.Column('phone', sa.String(), nullable=False),
    sa.Column('enterprise_id', sa.String(), nullable=True),
    sa.Column('backup_person_id', sa.String(), nullable=True),
    sa.Column('on_leave', sa.Boolean(), nullable=False),
    sa.Column('department', sa.String(), nullable=False),
    sa.Column('on_duty', sa.Boolean(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['enterprise_id'], ['enterprises.id'], name=op.f('fk_people_enterprise_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_people'))
    )
    with op.batch_alter_table('people', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_people_enterprise_id'), ['enterprise_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_people_name'), ['name'], unique=False)
        batch_op.create_index(batch_op.f('ix_people_role'), ['role'], unique=False)

    op.create_table('tickets',
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('code', sa.String(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('body', sa.String(), nullable=False),
    sa.Column('category', sa.String(), nullable=False),
    sa.Column('urgency', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('cycle', sa.Integer(), nullable=False),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('confidential', sa.Boolean(), nullable=False),
    sa.Column('supervised', sa.String(), nullable=False),
    sa.Column('hazardous', sa.Boolean(), nullable=False),
    sa.Column('tone', sa.String(), nullable=False),
    sa.Column('enterprise_id', sa.String(), nullable=True),
    sa.Column('reporter_id', sa.String(), nullable=True),
    sa.Column('reporter_name', sa.String(), nullable=False),
    sa.Column('owner_id', sa.String(), nullable=True),
    sa.Column('owner_since', sa.DateTime(), nullable=True),
    sa.Column('source_platform', sa.String(), nullable=False),
    sa.Column('source_chat', sa.String(), nullable=False),
    sa.Column('source_message', sa.String(), nullable=False),
    sa.Column('source_channel', sa.String(), nullable=False),
    sa.Column('part', sa.Integer(), nullable=False),
    sa.Column('cycle_started_at', sa.DateTime(), nullable=True),
    sa.Column('claim_started_at', sa.DateTime(), nullable=True),
    sa.Column('progress_started_at', sa.DateTime(), nullable=True),
    sa.Column('claimed_at', sa.DateTime(), nullable=True),
    sa.Column('first_reply_at', sa.DateTime(), nullable=True),
    sa.Column('resolved_at', sa.DateTime(), nullable=True),
    sa.Column('closed_at', sa.DateTime(), nullable=True),
    sa.Column('due_claim', sa.DateTime(), nullable=True),
    sa.Column('due_first_reply', sa.DateTime(), nullable=True),
    sa.Column('due_progress', sa.DateTime(), nullable=True),
    sa.Column('due_resolution', sa.DateTime(), nullable=True),
    sa.Column('due_answer', sa.DateTime(), nullable=True),
    sa.Column('due_verdict', sa.DateTime(), nullable=True),
    sa.Column('due_department', sa.DateTime(), nullable=True),
    sa.Column('paused_since', sa.DateTime(), nullable=True),
    sa.Column('paused', sa.Float(), nullable=False),
    sa.Column('last_progress', sa.String(), nullable=False),
    sa.Column('result', sa.String(), nullable=False),
    sa.Column('question', sa.String(), nullable=False),
    sa.Column('department', sa.String(), nullable=False),
    sa.Column('review_at', sa.DateTime(), nullable=True),
    sa.Column('pending_owner_id', sa.String(), nullable=True),
    sa.Column('pending_since', sa.DateTime(), nullable=True),
    sa.Column('transfers', sa.Integer(), nullable=False),
    sa.Column('declines', sa.Integer(), nullable=False),
    sa.Column('pending_until', sa.DateTime(), nullable=True),
    sa.Column('pending_reason', sa.String(), nullable=False),
    sa.Column('extensions', sa.Integer(), nullable=False),
    sa.Column('pending_review', sa.DateTime(), nullable=True),
    sa.Column('pending_told', sa.String(), nullable=False),
    sa.Column('urges', sa.Integer(), nullable=False),
    sa.Column('urged_at', sa.DateTime(), nullable=True),
    sa.Column('acknowledged_at', sa.DateTime(), nullable=True),
    sa.Column('verdict', sa.String(), nullable=True),
    sa.Column('verdict_cycle', sa.Integer(), nullable=False),
    sa.Column('rating', sa.Integer(), nullable=True),
    sa.Column('rating_cycle', sa.Integer(), nullable=False),
    sa.Column('merged_into', sa.Integer(), nullable=True),
    sa.Column('merged_at', sa.DateTime(), nullable=True),
    sa.Column('parent', sa.Integer(), nullable=True),
    sa.Column('handlers', sa.JSON(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['enterprise_id'], ['enterprises.id'], name=op.f('fk_tickets_enterprise_id')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_tickets')),
    sa.UniqueConstraint('code', name=op.f('uq_tickets_code')),
    sa.UniqueConstraint('source_platform', 'source_message', 'part', name=op.f('uq_tickets_source_platform_source_message_part'))
    )
    with op.batch_alter_table('tickets', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tickets_created_at'), ['created_at'], unique=False)
        batch_op.create_index('ix_tickets_department', ['department', 'state'], unique=False, sqlite_where=sa.text("department <> ''"), postgresql_where=sa.text("department <> ''"))
        batch_op.create_index('ix_tickets_firm', ['enterprise_id', 'state'], unique=False)
        batch_op.create_index('ix_tickets_owner', ['owner_id', 'state'], unique=False)
        batch_op.create_index('ix_tickets_pending', ['pending_owner_id'], unique=False, sqlite_where=sa.text("pending_owner_id IS NOT NULL"), postgresql_where=sa.text("pending_owner_id IS NOT NULL"))
        batch_op.create_index('ix_tickets_reporter', ['reporter_id', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_tickets_updated_at'), ['updated_at'], unique=False)

    op.create_table('identities',
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('user_id', sa.String(), nullable=False),
    sa.Column('person_id', sa.String(), nullable=False),
    sa.Column('confirmed', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_identities_person_id')),
    sa.PrimaryKeyConstraint('platform', 'user_id', name=op.f('pk_identities'))
    )
    with op.batch_alter_table('identities', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_identities_person_id'), ['person_id'], unique=False)

    op.create_table('ticket_history',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('move', sa.String(), nullable=False),
    sa.Column('actor_id', sa.String(), nullable=True),
    sa.Column('actor_name', sa.String(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('from_state', sa.String(), nullable=True),
    sa.Column('to_state', sa.String(), nullable=False),
    sa.Column('changes', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['number'], ['tickets.number'], name=op.f('fk_ticket_history_number')),
    sa.PrimaryKeyConstraint('number', 'seq', name=op.f('pk_ticket_history'))
    )
    op.create_table('ticket_links',
    sa.Column('one', sa.Integer(), nullable=False),
    sa.Column('other', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['one'], ['tickets.number'], name=op.f('fk_ticket_links_one')),
    sa.ForeignKeyConstraint(['other'], ['tickets.number'], name=op.f('fk_ticket_links_other')),
    sa.PrimaryKeyConstraint('one', 'other', name=op.f('pk_ticket_links'))
    )
    op.create_table('ticket_messages',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('sender_id', sa.String(), nullable=True),
    sa.Column('sender_name', sa.String(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('chat', sa.String(), nullable=False),
    sa.Column('message_id', sa.String(), nullable=False),
    sa.Column('attachments', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['number'], ['tickets.number'], name=op.f('fk_ticket_messages_number')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_messages'))
    )
    with op.batch_alter_table('ticket_messages', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ticket_messages_number'), ['number'], unique=False)

    _only_grows("ticket_history")
    _only_grows("audit")


def _only_grows(table: str) -> None:
    """A trigger that refuses changes: these rows are evidence."""
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{what.lower()} BEFORE {what} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} only grows'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_grows() RETURNS trigger AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} only grows'; END $$ LANGUAGE plpgsql"
    )
    op.execute(
        f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_grows()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in ("ticket_history", "audit"):
            op.execute(f"DROP FUNCTION {table}_grows() CASCADE")
    with op.batch_alter_table('ticket_messages', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_ticket_messages_number'))

    op.drop_table('ticket_messages')
    op.drop_table('ticket_links')
    op.drop_table('ticket_history')
    with op.batch_alter_table('identities', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_identities_person_id'))

    op.drop_table('identities')
    with op.batch_alter_table('tickets', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_tickets_updated_at'))
        batch_op.drop_index('ix_tickets_reporter')
        batch_op.drop_index('ix_tickets_pending', sqlite_where=sa.text("pending_owner_id IS NOT NULL"), postgresql_where=sa.text("pending_owner_id IS NOT NULL"))
        batch_op.drop_index('ix_tickets_owner')
        batch_op.drop_index('ix_tickets_firm')
        batch_op.drop_index('ix_tickets_department', sqlite_where=sa.text("department <> ''"), postgresql_where=sa.text("department <> ''"))
        batch_op.drop_index(batch_op.f('ix_tickets_created_at'))

    op.drop_table('tickets')
    with op.batch_alter_table('people', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_people_role'))
        batch_op.drop_index(batch_op.f('ix_people_name'))
        batch_op.drop_index(batch_op.f('ix_people_enterprise_id'))

    op.drop_table('people')
    with op.batch_alter_table('pairings', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_pairings_enterprise_id'))

    op.drop_table('pairings')
    op.drop_table('tokens')
    with op.batch_alter_table('sandbox_messages', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sandbox_messages_delivery'))
        batch_op.drop_index(batch_op.f('ix_sandbox_messages_client_id'))
        batch_op.drop_index(batch_op.f('ix_sandbox_messages_chat'))

    op.drop_table('sandbox_messages')
    op.drop_table('policies_of_office')
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index('uq_outbox_dedupe', sqlite_where=sa.text("dedupe_key <> ''"), postgresql_where=sa.text("dedupe_key <> ''"))
        batch_op.drop_index('ix_outbox_waiting', sqlite_where=sa.text("state IN ('waiting','sending')"), postgresql_where=sa.text("state IN ('waiting','sending')"))
        batch_op.drop_index(batch_op.f('ix_outbox_ticket'))
        batch_op.drop_index('ix_outbox_dead', sqlite_where=sa.text("state = 'dead'"), postgresql_where=sa.text("state = 'dead'"))
        batch_op.drop_index('ix_outbox_ref')
        batch_op.drop_index('ix_outbox_card')

    op.drop_table('outbox')
    op.drop_table('job_runs')
    with op.batch_alter_table('inbox', schema=None) as batch_op:
        batch_op.drop_index('ix_inbox_dead', sqlite_where=sa.text("state = 'dead'"), postgresql_where=sa.text("state = 'dead'"))
        batch_op.drop_index('ix_inbox_new', sqlite_where=sa.text("state = 'new'"), postgresql_where=sa.text("state = 'new'"))

    op.drop_table('inbox')
    with op.batch_alter_table('heard_messages', schema=None) as batch_op:
        batch_op.drop_index('ix_heard_spoken', sqlite_where=sa.text("number IS NOT NULL"), postgresql_where=sa.text("number IS NOT NULL"))
        batch_op.drop_index('ix_heard_recent')

    op.drop_table('heard_messages')
    op.drop_table('grids')
    with op.batch_alter_table('enterprises', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_enterprises_short_name'))
        batch_op.drop_index(batch_op.f('ix_enterprises_area'))

    op.drop_table('enterprises')
    op.drop_table('dialogues')
    op.drop_table('counters')
    op.drop_table('chats')
    with op.batch_alter_table('candidates', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_candidates_sender_key'))

    op.drop_table('candidates')
    op.drop_table('audit')
    op.drop_table('areas')
