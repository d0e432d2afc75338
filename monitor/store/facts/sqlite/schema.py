"""Tables of the facts on SQLite, numbered: a process that finds another number refuses to start.

Facts are append-only. Everything is keyed by the record's own time (inside record_id) or by a series code.
PostgreSQL has a schema of its own with the same columns.
"""

VERSION = 1

PAGE_BYTES = 16_384

TROUBLE = "outcome > 1 AND outcome <> 5"
"""Which records the index record_trouble holds: neither accepted, succeeded nor duplicate. A query that wants
the index must say the same words. As `IN (...)` the test cost an insert 0.3 µs more."""

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
    # route is the series code of (endpoint, type); event_hash is crc32(event_id), or NULL, and has no index
    # of its own: one on a random key costs inserts more the larger it grows. detail is msgpack: every field
    # of the record that has no column
    """CREATE TABLE record (
        record_id BLOB PRIMARY KEY,
        route INTEGER NOT NULL,
        outcome INTEGER NOT NULL,
        received_at_us INTEGER NOT NULL,
        http_status INTEGER,
        process_us INTEGER,
        error INTEGER NOT NULL,
        event_hash INTEGER,
        detail BLOB NOT NULL) WITHOUT ROWID""",
    f"""CREATE INDEX record_trouble ON record (outcome, record_id) WHERE {TROUBLE}""",
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
        record_id BLOB NOT NULL,
        records INTEGER NOT NULL)""",
    # what the fold has not yet taken: rollup.DELTA items; also the newest part of the event index
    """CREATE TABLE delta (seq INTEGER PRIMARY KEY AUTOINCREMENT, items BLOB NOT NULL)""",
    # the event index (event_runs.py): state is 0 while it is built, 1 live, 2 dead; entries are
    # event_entries.ENTRY items, sorted by hash over all blocks of a run
    """CREATE TABLE event_run (
        run INTEGER PRIMARY KEY,
        state INTEGER NOT NULL,
        entries INTEGER NOT NULL,
        first_us INTEGER NOT NULL,
        last_us INTEGER NOT NULL)""",
    """CREATE TABLE event_block (
        run INTEGER NOT NULL,
        first_hash INTEGER NOT NULL,
        block INTEGER NOT NULL,
        entries BLOB NOT NULL,
        PRIMARY KEY (run, first_hash, block)) WITHOUT ROWID""",
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
    # what bare rejections counted before they were deleted (thinning.py); columns as in rollup, all minutes
    """CREATE TABLE thinned (
        series INTEGER NOT NULL,
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
        PRIMARY KEY (start, series)) WITHOUT ROWID""",
    # minutes that hold bare rejections; after: the last record_id that a step looked at
    """CREATE TABLE bare_minute (
        minute INTEGER PRIMARY KEY,
        due_us INTEGER NOT NULL,
        after BLOB NOT NULL)""",
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
    # cumulative counts of each SDK instance since its start: the largest seen; accepted and duplicates are
    # what was stored of its records, and what was known already
    """CREATE TABLE client (
        name TEXT NOT NULL,
        instance TEXT NOT NULL,
        started_at_us INTEGER NOT NULL,
        version TEXT NOT NULL,
        seen_at_us INTEGER NOT NULL,
        skew_us INTEGER,
        produced INTEGER NOT NULL,
        spooled INTEGER NOT NULL,
        accepted INTEGER NOT NULL DEFAULT 0,
        duplicates INTEGER NOT NULL DEFAULT 0,
        dropped BLOB NOT NULL,
        state BLOB NOT NULL,
        PRIMARY KEY (name, instance, started_at_us)) WITHOUT ROWID""",
)
