"""Every table of the control store: all that has state. Nothing append-only from receivers lives here.

Columns only, in types that SQLite and PostgreSQL share; the migrations make them, and a test holds the two
equal. Times end in `_us`: integer microseconds since 1970 UTC. Secrets are hashed or sealed before they
come here.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Who does what -----------------------------------------------------------------------------------------

lease = Table(
    "lease",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("owner", String(128), nullable=False),  # empty: given back, free to take at once
    Column("epoch", BigInteger, nullable=False),
    Column("beat", BigInteger, nullable=False),
)

job = Table(
    "job",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("succeeded_us", BigInteger),
    Column("took_ms", Integer),
    Column("failed_us", BigInteger),
    Column("error", Text),  # of the last run, null when it succeeded
)

mark = Table(  # how far something has been read: the feed, the audit chain
    "mark",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
)

config_version = Table(
    "config_version",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("body", JSON, nullable=False),
    Column("origin", Text, nullable=False),
    Column("applied_by", String(128), nullable=False),
    Column("applied_us", BigInteger, nullable=False),
)

audit = Table(  # append-only: triggers refuse UPDATE and DELETE
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("role", String(16), nullable=False),
    Column("via", String(16), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),  # canonical JSON: part of what is hashed
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_audit_subject", "subject", "seq"),
)

# Catalog: what is watched ------------------------------------------------------------------------------

source = Table(
    "source",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("scheme", String(32)),
    Column("ack_deadline_ms", Integer),
    Column("expected_statuses", JSON, nullable=False),
    Column("retry_horizon_s", Integer),
    Column("auto_redeliver", Boolean, nullable=False),
    Column("managed_by", String(8), nullable=False),  # file, api, seen
    Column("first_seen_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
)

endpoint = Table(
    "endpoint",
    metadata,
    Column("environment", String(32), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("url", Text),
    Column("insecure", Boolean, nullable=False),  # plain http:// is meant
    Column("probe", JSON, nullable=False),
    Column("replay_secret", LargeBinary),  # sealed
    Column("ack_deadline_ms", Integer),
    Column("managed_by", String(8), nullable=False),
    Column("first_seen_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
)

# People and programs -----------------------------------------------------------------------------------

api_key = Table(
    "api_key",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("secret_sha256", String(64), nullable=False),
    Column("name", String(128), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("sources", JSON, nullable=False),  # empty: any source
    Column("environment", String(32)),  # null: any environment
    Column("created_by", String(128), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger),
    Column("last_used_us", BigInteger),
)

account = Table(
    "account",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("password_us", BigInteger, nullable=False),
    Column("disabled_us", BigInteger),
)

session = Table(
    "session",
    metadata,
    Column("id_sha256", String(64), primary_key=True),
    Column("account", String(128), ForeignKey("account.name"), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("seen_us", BigInteger, nullable=False),
    Column("address", String(64), nullable=False),
    Index("ix_session_account", "account"),
)

login_throttle = Table(  # subjects are hashes: people type passwords into the name field
    "login_throttle",
    metadata,
    Column("subject", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("succeeded_us", BigInteger),
)

idempotent_answer = Table(  # what a write with an Idempotency-Key was answered, kept 24 h
    "idempotent_answer",
    metadata,
    Column("key_sha256", String(64), primary_key=True),
    Column("request_sha256", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Index("ix_idempotent_answer_created_us", "created_us"),
)

# Alerts ------------------------------------------------------------------------------------------------

alert = Table(
    "alert",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("rule", String(128), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("environment", String(32)),  # null: of the monitor itself
    Column("severity", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("episode", Integer, nullable=False),
    Column("body", JSON, nullable=False),  # the whole alert, but for its acknowledgement
    Column("ack_by", String(128)),  # people write these, the evaluator never does
    Column("ack_us", BigInteger),
    Column("ack_note", Text),
    Column("ack_episode", Integer),
    Column("ack_until_us", BigInteger),  # null: until the firing ends
    Index("ix_alert_state", "state", "since_us"),
)

transition = Table(
    "alert_transition",
    metadata,
    Column("fingerprint", String(64), ForeignKey("alert.fingerprint"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("from_state", String(16), nullable=False),
    Column("to_state", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("summary", Text, nullable=False),
    Index("ix_alert_transition_at_us", "at_us"),
)

notification = Table(
    "notification",
    metadata,
    Column("key", String(256), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("episode", Integer, nullable=False),
    Column("channel", String(600), nullable=False),  # with a recipient: alerts.recipients
    Column("reason", String(32), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("fallback", String(128)),
    Column("group_key", String(64), nullable=False),  # what one message may tell of: alerts.grouping
    Column("body", JSON, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("jumped_us", BigInteger, nullable=False),  # how far the wall clock had jumped by then
    Column("state", String(16), nullable=False),  # alerts.model.Delivery
    Column("tries", Integer, nullable=False),
    Column("next_us", BigInteger, nullable=False),
    Column("claimed_until_us", BigInteger),
    Column("claimed_epoch", BigInteger),
    Column("settled_us", BigInteger),
    Column("error", Text),
    Column("reference", Text),  # the service's own id for the message
    Index("ix_notification_state", "state", "next_us"),
    Index("ix_notification_fingerprint", "fingerprint", "created_us"),
    Index("ix_notification_created_us", "created_us", "key"),
    Index("ix_notification_group_key", "group_key", "settled_us"),
)

silence = Table(
    "silence",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("matchers", JSON, nullable=False),
    Column("starts_us", BigInteger, nullable=False),
    Column("ends_us", BigInteger, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("comment", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expired_by", String(128)),
    Column("hours", JSON),  # alerts.hours.Hours; null: all the time
    Column("warned_us", BigInteger),  # its author was told that it ends soon
    Column("closed_us", BigInteger),  # its author was told what it hid
    Index("ix_silence_ends_us", "ends_us"),
)

hidden = Table(  # which firing a silence kept quiet, of the file's silences too
    "silence_hidden",
    metadata,
    Column("silence_id", String(64), primary_key=True),
    Column("fingerprint", String(64), primary_key=True),
    Column("episode", Integer, primary_key=True),
    Column("rule", String(128), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("summary", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index("ix_silence_hidden_at_us", "at_us"),
)

# Issues ------------------------------------------------------------------------------------------------

issue = Table(
    "issue",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("environment", String(32), nullable=False),
    Column("source", String(64), nullable=False),
    Column("endpoint", String(128), nullable=False),
    Column("event_type", String(256), nullable=False),
    Column("error_class", String(256), nullable=False),
    Column("message", Text, nullable=False),
    Column("first_seen_us", BigInteger, nullable=False),
    Column("last_seen_us", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("record_id", String(36), nullable=False),
    Column("regressed_us", BigInteger),
    Column("resolved_us", BigInteger),
    Column("resolved_by", String(128)),
    Index("ix_issue_last_seen_us", "last_seen_us", "id"),
    Index("ix_issue_endpoint", "environment", "source", "endpoint", "last_seen_us"),
)

issue_record = Table(  # what was counted, so that a feed read again counts nothing twice
    "issue_record",
    metadata,
    Column("record_id", String(36), primary_key=True),
    Column("issue_id", String(32), ForeignKey("issue.id"), nullable=False),
    Column("recorded_us", BigInteger, nullable=False),
    Column("counted_us", BigInteger, nullable=False),
    Index("ix_issue_record_issue_id", "issue_id", "recorded_us"),
    Index("ix_issue_record_counted_us", "counted_us"),
)

seen_minute = Table(  # how many records of a minute were stored when the rules had judged it
    "seen_minute",
    metadata,
    Column("minute_us", BigInteger, primary_key=True, autoincrement=False),
    Column("environment", String(32), primary_key=True),
    Column("records", BigInteger, nullable=False),
)

sighting = Table(  # which types, addresses and secrets were seen at an endpoint
    "sighting",
    metadata,
    Column("environment", String(32), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("endpoint", String(128), primary_key=True),
    Column("aspect", String(32), primary_key=True),
    Column("value", String(256), primary_key=True),
    Column("first_us", BigInteger, nullable=False),
    Column("last_us", BigInteger, nullable=False),
    Column("sample", String(256), nullable=False),  # a record id, or an event's
)

attestation = Table(  # items of the checklists that a person answers for
    "attestation",
    metadata,
    Column("environment", String(32), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("endpoint", String(128), primary_key=True),
    Column("item", String(64), primary_key=True),
    Column("by", String(128), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)

# Dead letters and replay -------------------------------------------------------------------------------

letter = Table(
    "dead_letter",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("environment", String(32), nullable=False),
    Column("source", String(64), nullable=False),
    Column("endpoint", String(128), nullable=False),
    Column("event_id", String(256), nullable=False),
    Column("event_type", String(256), nullable=False),
    Column("state", String(16), nullable=False),  # open, permanent, resolved; none: not dead so far
    Column("how", String(32)),
    Column("died_us", BigInteger, nullable=False),
    Column("settled_us", BigInteger),
    Column("failed_replays", Integer, nullable=False),
    Column("attempt", Integer),
    Column("error_class", String(256)),
    Column("error_message", Text),
    UniqueConstraint("environment", "source", "endpoint", "event_id"),
    Index("ix_dead_letter_state", "state", "died_us", "id"),
    Index("ix_dead_letter_died_us", "died_us", "id"),
    Index("ix_dead_letter_endpoint", "environment", "source", "endpoint", "state", "died_us"),
)

letter_record = Table(
    "letter_record",
    metadata,
    Column("record_id", String(36), primary_key=True),
    Column("letter_id", String(32), ForeignKey("dead_letter.id"), nullable=False),
    Column("recorded_us", BigInteger, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("replay_id", String(64)),
    Column("event_type", String(256), nullable=False),
    Column("attempt", Integer),
    Column("reason", String(32)),
    Column("error_class", String(256)),
    Column("error_message", Text),
    Index("ix_letter_record_letter_id", "letter_id", "recorded_us"),
    Index("ix_letter_record_replay_id", "replay_id"),
)

letter_capture = Table(
    "letter_capture",
    metadata,
    Column("letter_id", String(32), ForeignKey("dead_letter.id"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("redacted", Boolean, nullable=False),
    Column("bytes", Integer, nullable=False),
)

replay = Table(
    "replay",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("state_reason", Text, nullable=False),
    Column("reason", Text, nullable=False),  # why, in the operator's words
    Column("created_by", String(128), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("started_us", BigInteger),
    Column("ended_us", BigInteger),
    Column("automatic", Boolean, nullable=False),
    Column("per_second", Float(53), nullable=False),
    Column("in_flight", Integer, nullable=False),
    Column("resumed_us", BigInteger),  # failures before it no longer brake
    Index("ix_replay_state", "state", "created_us"),
    Index("ix_replay_created_us", "created_us", "id"),
)

replay_item = Table(
    "replay_item",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("replay_id", String(40), ForeignKey("replay.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("letter_id", String(32), ForeignKey("dead_letter.id"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("epoch", BigInteger),
    Column("sending_us", BigInteger),
    Column("sent_us", BigInteger),
    Column("settled_us", BigInteger),
    Column("http_status", Integer),
    Column("record_id", String(36)),
    UniqueConstraint("replay_id", "position"),
    Index("ix_replay_item_state", "replay_id", "state", "position"),
    Index("ix_replay_item_letter_id", "letter_id", "state"),
)

# Reports -----------------------------------------------------------------------------------------------

report = Table(
    "report",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("period", String(32), nullable=False),  # such as 2026-W47
    Column("timezone", String(64), nullable=False),
    Column("environment", String(32), nullable=False),
    Column("as_of_us", BigInteger, nullable=False),
    Column("figures", JSON, nullable=False),
    Column("sent_us", BigInteger),
    UniqueConstraint("kind", "period", "timezone", "environment"),
)
