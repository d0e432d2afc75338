"""The first schema of the control store."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('account',
    sa.Column('name', sa.String(length=128), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=False),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('created_us', sa.BigInteger(), nullable=False),
    sa.Column('password_us', sa.BigInteger(), nullable=False),
    sa.Column('disabled_us', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_account'))
    )
    op.create_table('alert',
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('rule', sa.String(length=128), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('environment', sa.String(length=32), nullable=True),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('since_us', sa.BigInteger(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('episode', sa.Integer(), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('ack_by', sa.String(length=128), nullable=True),
    sa.Column('ack_us', sa.BigInteger(), nullable=True),
    sa.Column('ack_note', sa.Text(), nullable=True),
    sa.Column('ack_episode', sa.Integer(), nullable=True),
    sa.Column('ack_until_us', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('fingerprint', name=op.f('pk_alert'))
    )
    op.create_index('ix_alert_state', 'alert', ['state', 'since_us'], unique=False)
    op.create_table('api_key',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('secret_sha256', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=128), nullable=False),
    sa.Column('scopes', sa.JSON(), nullable=False),
    sa.Column('sources', sa.JSON(), nullable=False),
    sa.Column('environment', sa.String(length=32), nullable=True),
    sa.Column('created_by', sa.String(length=128), nullable=False),
    sa.Column('created_us', sa.BigInteger(), nullable=False),
    sa.Column('revoked_us', sa.BigInteger(), nullable=True),
    sa.Column('last_used_us', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_key'))
    )
    op.create_table('audit',
    sa.Column('seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('at_us', sa.BigInteger(), nullable=False),
    sa.Column('actor', sa.String(length=128), nullable=False),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('via', sa.String(length=16), nullable=False),
    sa.Column('action', sa.String(length=64), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('prev_hash', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_audit'))
    )
    op.create_index('ix_audit_subject', 'audit', ['subject', 'seq'], unique=False)
    op.create_table('config_version',
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('origin', sa.Text(), nullable=False),
    sa.Column('applied_by', sa.String(length=128), nullable=False),
    sa.Column('applied_us', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_config_version'))
    )
    op.create_table('dead_letter',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('environment', sa.String(length=32), nullable=False),
    sa.Column('source', sa.String(length=64), nullable=False),
    sa.Column('endpoint', sa.String(length=128), nullable=False),
    sa.Column('event_id', sa.String(length=256), nullable=False),
    sa.Column('event_type', sa.String(length=256), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('how', sa.String(length=32), nullable=True),
    sa.Column('died_us', sa.BigInteger(), nullable=False),
    sa.Column('settled_us', sa.BigInteger(), nullable=True),
    sa.Column('failed_replays', sa.Integer(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=True),
    sa.Column('error_class', sa.String(length=256), nullable=True),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dead_letter')),
    sa.UniqueConstraint('environment', 'source', 'endpoint', 'event_id', name=op.f('uq_dead_letter_environment_source_endpoint_event_id'))
    )
    op.create_index('ix_dead_letter_died_us', 'dead_letter', ['died_us', 'id'], unique=False)
    op.create_index('ix_dead_letter_endpoint', 'dead_letter', ['environment', 'source', 'endpoint', 'state', 'died_us'], unique=False)
    op.create_index('ix_dead_letter_state', 'dead_letter', ['state', 'died_us', 'id'], unique=False)
    op.create_table('endpoint',
    sa.Column('environment', sa.String(length=32), nullable=False),
    sa.Column('source', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=128), nullable=False),
    sa.Column('url', sa.Text(), nullable=True),
    sa.Column('insecure', sa.Boolean(), nullable=False),
    sa.Column('probe', sa.JSON(), nullable=False),
    sa.Column('replay_secret', sa.LargeBinary(), nullable=True),
    sa.Column('ack_deadline_ms', sa.Integer(), nullable=True),
    sa.Column('managed_by', sa.String(length=8), nullable=False),
    sa.Column('first_seen_us', sa.BigInteger(), nullable=False),
    sa.Column('updated_us', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('environment', 'source', 'name', name=op.f('pk_endpoint'))
    )
    op.create_table('idempotent_answer',
    sa.Column('key_sha256', sa.String(length=64), nullable=False),
    sa.Column('request_sha256', sa.String(length=64), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('created_us', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('key_sha256', name=op.f('pk_idempotent_answer'))
    )
    op.create_index('ix_idempotent_answer_created_us', 'idempotent_answer', ['created_us'], unique=False)
    op.create_table('issue',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('environment', sa.String(length=32), nullable=False),
    sa.Column('source', sa.String(length=64), nullable=False),
    sa.Column('endpoint', sa.String(length=128), nullable=False),
    sa.Column('event_type', sa.String(length=256), nullable=False),
    sa.Column('error_class', sa.String(length=256), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('first_seen_us', sa.BigInteger(), nullable=False),
    sa.Column('last_seen_us', sa.BigInteger(), nullable=False),
    sa.Column('failures', sa.BigInteger(), nullable=False),
    sa.Column('record_id', sa.String(length=36), nullable=False),
    sa.Column('regressed_us', sa.BigInteger(), nullable=True),
    sa.Column('resolved_us', sa.BigInteger(), nullable=True),
    sa.Column('resolved_by', sa.String(length=128), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_issue'))
    )
    op.create_index('ix_issue_endpoint', 'issue', ['environment', 'source', 'endpoint', 'last_seen_us'], unique=False)
    op.create_index('ix_issue_last_seen_us', 'issue', ['last_seen_us', 'id'], unique=False)
    op.create_table('issue_record',
    sa.Column('record_id', sa.String(length=36), nullable=False),
    sa.Column('issue_id', sa.String(length=32), nullable=False),
    sa.Column('recorded_us', sa.BigInteger(), nullable=False),
    sa.Column('counted_us', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issue.id'], name=op.f('fk_issue_record_issue_id')),
    sa.PrimaryKeyConstraint('record_id', name=op.f('pk_issue_record'))
    )
    op.create_index('ix_issue_record_counted_us', 'issue_record', ['counted_us'], unique=False)
    op.create_index('ix_issue_record_issue_id', 'issue_record', ['issue_id', 'recorded_us'], unique=False)
    op.create_table('job',
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('succeeded_us', sa.BigInteger(), nullable=True),
    sa.Column('took_ms', sa.Integer(), nullable=True),
    sa.Column('failed_us', sa.BigInteger(), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_job'))
    )
    op.create_table('lease',
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('owner', sa.String(length=128), nullable=False),
    sa.Column('epoch', sa.BigInteger(), nullable=False),
    sa.Column('beat', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_lease'))
    )
    op.create_table('login_throttle',
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('since_us', sa.BigInteger(), nullable=False),
    sa.Column('until_us', sa.BigInteger(), nullable=False),
    sa.Column('succeeded_us', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('subject', name=op.f('pk_login_throttle'))
    )
    op.create_table('mark',
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('value', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_mark'))
    )
    op.create_table('notification',
    sa.Column('key', sa.String(length=256), nullable=False),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('episode', sa.Integer(), nullable=False),
    sa.Column('channel', sa.String(length=600), nullable=False),
    sa.Column('reason', sa.String(length=32), nullable=False),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('fallback', sa.String(length=128), nullable=True),
    sa.Column('group_key', sa.String(length=64), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('created_us', sa.BigInteger(), nullable=False),
    sa.Column('jumped_us', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('next_us', sa.BigInteger(), nullable=False),
    sa.Column('claimed_until_us', sa.BigInteger(), nullable=True),
    sa.Column('claimed_epoch', sa.BigInteger(), nullable=True),
    sa.Column('settled_us', sa.BigInteger(), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('reference', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_notification'))
    )
    op.create_index('ix_notification_created_us', 'notification', ['created_us', 'key'], unique=False)
    op.create_index('ix_notification_fingerprint', 'notification', ['fingerprint', 'created_us'], unique=False)
    op.create_index('ix_notification_group_key', 'notification', ['group_key', 'settled_us'], unique=False)
    op.create_index('ix_notification_state', 'notification', ['state', 'next_us'], unique=False)
    op.create_table('replay',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('state_reason', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('created_by', sa.String(length=128), nullable=False),
    sa.Column('created_us', sa.BigInteger(), nullable=False),
    sa.Column('started_us', sa.BigInteger(), nullable=True),
    sa.Column('ended_us', sa.BigInteger(), nullable=True),
    sa.Column('automatic', sa.Boolean(), nullable=False),
    sa.Column('per_second', sa.Float(precision=53), nullable=False),
    sa.Column('in_flight', sa.Integer(), nullable=False),
    sa.Column('resumed_us', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_replay'))
    )
    op.create_index('ix_replay_created_us', 'replay', ['created_us', 'id'], unique=False)
    op.create_index('ix_replay_state', 'replay', ['state', 'created_us'], unique=False)
    op.create_table('report',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('period', sa.String(length=32), nullable=False),
    sa.Column('timezone', sa.String(length=64), nullable=False),
    sa.Column('environment', sa.String(length=32), nullable=False),
    sa.Column('as_of_us', sa.BigInteger(), nullable=False),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.Column('sent_us', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report')),
    sa.UniqueConstraint('kind', 'period', 'timezone', 'environment', name=op.f('uq_report_kind_period_timezone_environment'))
    )
    op.create_table('seen_minute',
    sa.Column('minute_us', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('environment', sa.String(length=32), nullable=False),
    sa.Column('records', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('minute_us', 'environment', name=op.f('pk_seen_minute'))
    )
    op.create_table('sighting',
    sa.Column('environment', sa.String(length=32), nullable=False),
    sa.Column('source', sa.String(length=64), nullable=False),
    sa.Column('endpoint', sa.String(length=128), nullable=False),
    sa.Column('aspect', sa.String(length=32), nullable=False),
    sa.Column('value', sa.String(length=256), nullable=False),
    sa.Column('first_us', sa.BigInteger(), nullable=False),
    sa.Column('last_us', sa.BigInteger(), nullable=False),
    sa.Column('sample', sa.String(length=256), nullable=False),
    sa.PrimaryKeyConstraint('environment', 'source', 'endpoint', 'aspect', 'value', name=op.f('pk_sighting'))
    )
    op.create_table('attestation',
    sa.Column('environment', sa.String(length=32), nullable=False),
    sa.Column('source', sa.String(length=64), nullable=False),
    sa.Column('endpoint', sa.String(length=128), nullable=False),
    sa.Column('item', sa.String(length=64), nullable=False),
    sa.Column('by', sa.String(length=128), nullable=False),
    sa.Column('at_us', sa.BigInteger(), nullable=False),
    sa.Column('until_us', sa.BigInteger(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('environment', 'source', 'endpoint', 'item', name=op.f('pk_attestation'))
    )
    op.create_table('silence',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('matchers', sa.JSON(), nullable=False),
    sa.Column('starts_us', sa.BigInteger(), nullable=False),
    sa.Column('ends_us', sa.BigInteger(), nullable=False),
    sa.Column('created_by', sa.String(length=128), nullable=False),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('created_us', sa.BigInteger(), nullable=False),
    sa.Column('expired_by', sa.String(length=128), nullable=True),
    sa.Column('hours', sa.JSON(), nullable=True),
    sa.Column('warned_us', sa.BigInteger(), nullable=True),
    sa.Column('closed_us', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_silence'))
    )
    op.create_index('ix_silence_ends_us', 'silence', ['ends_us'], unique=False)
    op.create_table('silence_hidden',
    sa.Column('silence_id', sa.String(length=64), nullable=False),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('episode', sa.Integer(), nullable=False),
    sa.Column('rule', sa.String(length=128), nullable=False),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('at_us', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('silence_id', 'fingerprint', 'episode', name=op.f('pk_silence_hidden'))
    )
    op.create_index('ix_silence_hidden_at_us', 'silence_hidden', ['at_us'], unique=False)
    op.create_table('source',
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('scheme', sa.String(length=32), nullable=True),
    sa.Column('ack_deadline_ms', sa.Integer(), nullable=True),
    sa.Column('expected_statuses', sa.JSON(), nullable=False),
    sa.Column('retry_horizon_s', sa.Integer(), nullable=True),
    sa.Column('auto_redeliver', sa.Boolean(), nullable=False),
    sa.Column('managed_by', sa.String(length=8), nullable=False),
    sa.Column('first_seen_us', sa.BigInteger(), nullable=False),
    sa.Column('updated_us', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_source'))
    )
    op.create_table('alert_transition',
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('at_us', sa.BigInteger(), nullable=False),
    sa.Column('from_state', sa.String(length=16), nullable=False),
    sa.Column('to_state', sa.String(length=16), nullable=False),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.String(length=32), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['fingerprint'], ['alert.fingerprint'], name=op.f('fk_alert_transition_fingerprint')),
    sa.PrimaryKeyConstraint('fingerprint', 'revision', name=op.f('pk_alert_transition'))
    )
    op.create_index('ix_alert_transition_at_us', 'alert_transition', ['at_us'], unique=False)
    op.create_table('letter_capture',
    sa.Column('letter_id', sa.String(length=32), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('redacted', sa.Boolean(), nullable=False),
    sa.Column('bytes', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['letter_id'], ['dead_letter.id'], name=op.f('fk_letter_capture_letter_id')),
    sa.PrimaryKeyConstraint('letter_id', name=op.f('pk_letter_capture'))
    )
    op.create_table('letter_record',
    sa.Column('record_id', sa.String(length=36), nullable=False),
    sa.Column('letter_id', sa.String(length=32), nullable=False),
    sa.Column('recorded_us', sa.BigInteger(), nullable=False),
    sa.Column('outcome', sa.String(length=16), nullable=False),
    sa.Column('replay_id', sa.String(length=64), nullable=True),
    sa.Column('event_type', sa.String(length=256), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=32), nullable=True),
    sa.Column('error_class', sa.String(length=256), nullable=True),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['letter_id'], ['dead_letter.id'], name=op.f('fk_letter_record_letter_id')),
    sa.PrimaryKeyConstraint('record_id', name=op.f('pk_letter_record'))
    )
    op.create_index('ix_letter_record_letter_id', 'letter_record', ['letter_id', 'recorded_us'], unique=False)
    op.create_index('ix_letter_record_replay_id', 'letter_record', ['replay_id'], unique=False)
    op.create_table('replay_item',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('replay_id', sa.String(length=40), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('letter_id', sa.String(length=32), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('epoch', sa.BigInteger(), nullable=True),
    sa.Column('sending_us', sa.BigInteger(), nullable=True),
    sa.Column('sent_us', sa.BigInteger(), nullable=True),
    sa.Column('settled_us', sa.BigInteger(), nullable=True),
    sa.Column('http_status', sa.Integer(), nullable=True),
    sa.Column('record_id', sa.String(length=36), nullable=True),
    sa.ForeignKeyConstraint(['letter_id'], ['dead_letter.id'], name=op.f('fk_replay_item_letter_id')),
    sa.ForeignKeyConstraint(['replay_id'], ['replay.id'], name=op.f('fk_replay_item_replay_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_replay_item')),
    sa.UniqueConstraint('replay_id', 'position', name=op.f('uq_replay_item_replay_id_position'))
    )
    op.create_index('ix_replay_item_letter_id', 'replay_item', ['letter_id', 'state'], unique=False)
    op.create_index('ix_replay_item_state', 'replay_item', ['replay_id', 'state', 'position'], unique=False)
    op.create_table('session',
    sa.Column('id_sha256', sa.String(length=64), nullable=False),
    sa.Column('account', sa.String(length=128), nullable=False),
    sa.Column('created_us', sa.BigInteger(), nullable=False),
    sa.Column('seen_us', sa.BigInteger(), nullable=False),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['account'], ['account.name'], name=op.f('fk_session_account')),
    sa.PrimaryKeyConstraint('id_sha256', name=op.f('pk_session'))
    )
    op.create_index('ix_session_account', 'session', ['account'], unique=False)

    _refuse_changes_of_the_audit()


def _refuse_changes_of_the_audit() -> None:
    if op.get_context().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
    )
