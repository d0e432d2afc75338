"""Tables of the facts on SQLite, numbered: a process that finds another number refuses to start.

Facts are append-only. Everything is keyed by the record's own time (inside record_id) or by a series code.
PostgreSQL has a schema of its own with the same columns.
"""

VERSION = 1

PAGE_BYTES = 16_384
SEGMENT_BITS = 13
"""Rows a segment of the event index: inserts touch one small part of the index at a time."""

PRAGMAS_BEFORE_TABLES = (f"PRAGMA page_size={PAGE_BYTES}", "PRAGMA auto_vacuum=INCREMENTAL")

TABLES = (
    # store_id, schema_version, floor_us, and whatever else is one value
    """CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID""",
    # names: an empty string is "no such part"; parent is the code one level up, 0 above the environment
    """CREATE TABLE series (
        code INTEGER PRIMARY KEY,
        parent INTEGER NOT NULL,
        environment TEXT NOT NULL,
        source TEXT NOT NULL DEFAULT '',
        endpoint TEXT NOT NULL DEFAULT '',
        event_type TEXT NOT NULL DEFAULT '',
        first_seen_us INTEGER NOT NULL,
        UNIQUE (environment, source, endpoint, event_type))""",
    """CREATE TABLE error_class (
        code INTEGER PRIMARY KEY,
        endpoint INTEGER NOT NULL,
        name TEXT NOT NULL,
        UNIQUE (endpoint, name))""",
    # route is the series code of (endpoint, type); event_key is (segment << 32) | crc32(event_id), or NULL;
    # detail is msgpack: every field of the record that has no column
    """CREATE TABLE record (
        record_id BLOB PRIMARY KEY,
        route INTEGER NOT NULL,
        outcome INTEGER NOT NULL,
        received_at_us INTEGER NOT NULL,
        http_status INTEGER,
        process_us INTEGER,
        error INTEGER NOT NULL,
        event_key INTEGER,
        detail BLOB NOT NULL) WITHOUT ROWID""",
    """CREATE INDEX record_event ON record (event_key) WHERE event_key IS NOT NULL""",
    """CREATE INDEX record_trouble ON record (outcome, record_id) WHERE outcome IN (2, 3, 4, 6, 7)""",
    # sealed by the collector; one per event, the first wins
    """CREATE TABLE capture (
        endpoint INTEGER NOT NULL,
        event_id TEXT NOT NULL,
        record_id BLOB NOT NULL,
        redacted INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (endpoint, event_id)) WITHOUT ROWID""",
    """CREATE INDEX capture_age ON capture (record_id)""",
    # what control needs to hear of; xid is 0 here: one writer, so seq is commit order
    """CREATE TABLE feed (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        xid INTEGER NOT NULL DEFAULT 0,
        record_id BLOB NOT NULL)""",
    # what the fold has not yet taken: rollup.DELTA items
    """CREATE TABLE delta (seq INTEGER PRIMARY KEY AUTOINCREMENT, items BLOB NOT NULL)""",
    # start: minutes since 1970; blobs as monitor.sparse packs them; exemplars msgpack
    """CREATE TABLE rollup (
        series INTEGER NOT NULL,
        grain INTEGER NOT NULL,
        start INTEGER NOT NULL,
        counts BLOB NOT NULL,
        ack BLOB NOT NULL,
        queue BLOB NOT NULL,
        process BLOB NOT NULL,
        verify BLOB NOT NULL,
        latency BLOB NOT NULL,
        lows BLOB NOT NULL,
        highs BLOB NOT NULL,
        exemplars BLOB NOT NULL,
        PRIMARY KEY (series, grain, start)) WITHOUT ROWID""",
    # endpoint: series code
    """CREATE TABLE queue_sample (
        endpoint INTEGER NOT NULL,
        queue TEXT NOT NULL,
        sampled_at_us INTEGER NOT NULL,
        depth INTEGER NOT NULL,
        oldest_age_us INTEGER,
        PRIMARY KEY (endpoint, queue, sampled_at_us)) WITHOUT ROWID""",
    """CREATE TABLE probe_result (
        endpoint INTEGER NOT NULL,
        kind TEXT NOT NULL,
        checked_at_us INTEGER NOT NULL,
        ok INTEGER NOT NULL,
        http_status INTEGER,
        latency_us INTEGER,
        error TEXT,
        cert_not_after_us INTEGER,
        cert_subject TEXT,
        cert_issuer TEXT,
        PRIMARY KEY (endpoint, kind, checked_at_us)) WITHOUT ROWID""",
    """CREATE TABLE heartbeat (
        collector TEXT NOT NULL,
        beat_at_us INTEGER NOT NULL,
        PRIMARY KEY (beat_at_us, collector)) WITHOUT ROWID""",
    # cumulative counts of each SDK instance since its start: the largest seen
    """CREATE TABLE client (
        name TEXT NOT NULL,
        instance TEXT NOT NULL,
        started_at_us INTEGER NOT NULL,
        version TEXT NOT NULL,
        seen_at_us INTEGER NOT NULL,
        skew_us INTEGER,
        produced INTEGER NOT NULL,
        spooled INTEGER NOT NULL,
        dropped BLOB NOT NULL,
        state BLOB NOT NULL,
        PRIMARY KEY (name, instance, started_at_us)) WITHOUT ROWID""",
)
