"""Tables of the facts on PostgreSQL, numbered: a process that finds another number refuses to start.

The columns are those of SQLite (sqlite/schema.py). Everything lies in the schema `facts` (setup.py makes it)
and is named so: no statement depends on a search_path, which a pooler would not keep.
"""

VERSION = 1

TABLES = (
    # store_id, schema_version, floor_us, and whatever else is one value, as text
    "CREATE TABLE facts.meta (key text PRIMARY KEY, value text NOT NULL)",
    # names: an empty string is "no such part"; parent is the code one level up, 0 above the environment.
    # Codes count from 1 without a gap: they are made under one lock (names.py)
    """CREATE TABLE facts.series (
        code integer PRIMARY KEY,
        parent integer NOT NULL,
        environment text NOT NULL,
        source text NOT NULL DEFAULT '',
        endpoint text NOT NULL DEFAULT '',
        event_type text NOT NULL DEFAULT '',
        first_seen_us bigint NOT NULL,
        UNIQUE (environment, source, endpoint, event_type))""",
    """CREATE TABLE facts.error_class (
        code integer PRIMARY KEY,
        endpoint integer NOT NULL,
        name text NOT NULL,
        UNIQUE (endpoint, name))""",
    # one partition a day (partitions.py). A UUIDv7 begins with its time, so a day is a range of ids and the
    # key is unique over all days. event_hash is crc32(event_id)
    """CREATE TABLE facts.record (
        record_id uuid NOT NULL,
        route integer NOT NULL,
        outcome smallint NOT NULL,
        received_at_us bigint NOT NULL,
        http_status smallint,
        process_us bigint,
        error integer NOT NULL,
        event_hash bigint,
        detail bytea NOT NULL,
        PRIMARY KEY (record_id)) PARTITION BY RANGE (record_id)""",
    "CREATE INDEX record_event ON facts.record (event_hash) WHERE event_hash IS NOT NULL",
    "CREATE INDEX record_trouble ON facts.record (outcome, record_id) WHERE outcome IN (2, 3, 4, 6, 7)",
    """CREATE TABLE facts.capture (
        endpoint integer NOT NULL,
        event_id text NOT NULL,
        record_id uuid NOT NULL,
        redacted boolean NOT NULL,
        sealed bytea NOT NULL,
        PRIMARY KEY (endpoint, event_id))""",
    "ALTER TABLE facts.capture ALTER COLUMN sealed SET STORAGE EXTERNAL",  # sealed bytes do not compress
    "CREATE INDEX capture_age ON facts.capture (record_id)",
    # in order of (xid, seq); a row is read once no open transaction can still precede it
    """CREATE TABLE facts.feed (
        xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
        seq bigint GENERATED ALWAYS AS IDENTITY,
        record_id uuid NOT NULL,
        records integer NOT NULL,
        fed_at_us bigint NOT NULL,
        PRIMARY KEY (xid, seq))""",
    "CREATE INDEX feed_age ON facts.feed (fed_at_us)",
    # what the fold has not yet taken: rollup.DELTA items. Emptied each second, so vacuumed often
    """CREATE TABLE facts.delta (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        items bytea NOT NULL)
        WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)""",
    "ALTER TABLE facts.delta ALTER COLUMN items SET STORAGE EXTERNAL",
    """CREATE TABLE facts.rollup (
        series integer NOT NULL,
        grain smallint NOT NULL,
        start integer NOT NULL,
        counts bytea NOT NULL,
        ack bytea NOT NULL,
        queue bytea NOT NULL,
        process bytea NOT NULL,
        verify bytea NOT NULL,
        latency bytea NOT NULL,
        lows bytea NOT NULL,
        highs bytea NOT NULL,
        exemplars bytea NOT NULL,
        PRIMARY KEY (series, grain, start)) WITH (fillfactor = 80)""",
    # what bare rejections counted before they were deleted (thinning.py); columns as in rollup, all minutes
    """CREATE TABLE facts.thinned (
        series integer NOT NULL,
        start integer NOT NULL,
        counts bytea NOT NULL,
        ack bytea NOT NULL,
        queue bytea NOT NULL,
        process bytea NOT NULL,
        verify bytea NOT NULL,
        latency bytea NOT NULL,
        lows bytea NOT NULL,
        highs bytea NOT NULL,
        exemplars bytea NOT NULL,
        PRIMARY KEY (start, series))""",
    # minutes that hold bare rejections; after: the last record_id that a step looked at
    """CREATE TABLE facts.bare_minute (
        minute integer PRIMARY KEY,
        due_us bigint NOT NULL,
        after uuid NOT NULL)""",
    """CREATE TABLE facts.queue_sample (
        endpoint integer NOT NULL,
        queue text NOT NULL,
        sampled_at_us bigint NOT NULL,
        depth bigint NOT NULL,
        oldest_age_us bigint,
        PRIMARY KEY (endpoint, queue, sampled_at_us))""",
    """CREATE TABLE facts.probe_result (
        endpoint integer NOT NULL,
        kind text NOT NULL,
        checked_at_us bigint NOT NULL,
        ok smallint NOT NULL,
        http_status integer,
        latency_us bigint,
        error text,
        cert_not_after_us bigint,
        cert_subject text,
        cert_issuer text,
        PRIMARY KEY (endpoint, kind, checked_at_us))""",
    """CREATE TABLE facts.heartbeat (
        collector text NOT NULL,
        beat_at_us bigint NOT NULL,
        PRIMARY KEY (beat_at_us, collector))""",
    """CREATE TABLE facts.client (
        name text NOT NULL,
        instance text NOT NULL,
        started_at_us bigint NOT NULL,
        version text NOT NULL,
        seen_at_us bigint NOT NULL,
        skew_us bigint,
        produced bigint NOT NULL,
        spooled bigint NOT NULL,
        accepted bigint NOT NULL DEFAULT 0,
        duplicates bigint NOT NULL DEFAULT 0,
        dropped bytea NOT NULL,
        state bytea NOT NULL,
        PRIMARY KEY (name, instance, started_at_us))""",
)
