"""What a PostgreSQL says of itself, for whoever looks after the installation. It reads no fact."""

from dataclasses import dataclass

from sqlalchemy import text

from monitor.store.control.engine import open_engine, read

_STATE = text("""
    SELECT current_setting('server_version') AS version,
           current_setting('server_version_num')::int / 10000 AS major,
           current_setting('synchronous_commit') AS synchronous_commit,
           current_setting('fsync') AS fsync,
           current_setting('max_connections')::int
             - current_setting('superuser_reserved_connections')::int AS connections,
           (SELECT sum(numbackends)::int FROM pg_stat_database) AS open,
           pg_is_in_recovery() AS is_replica,
           CASE WHEN pg_is_in_recovery()
                 AND pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
                THEN extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8 END AS behind_s,
           (SELECT max(right(c.relname, 8)::date) - (now() AT TIME ZONE 'UTC')::date
              FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = to_regclass('facts.record')) AS days_ahead""")


@dataclass(frozen=True, slots=True)
class ServerState:
    """connections: how many ordinary users may have, of which some are open now, this look's own left out.
    behind_s: how far a replica is behind what it received; None where there is nothing to wait for.
    days_ahead: the last day of the facts with a partition, counted from today; None without any."""

    version: str
    major: int
    synchronous_commit: str
    fsync: str
    connections: int
    open: int
    is_replica: bool
    behind_s: float | None
    days_ahead: int | None


def server_state(url: str) -> ServerState:
    """Raises Unavailable when the server at `postgresql://…` does not answer."""
    engine = open_engine(url, connections=1)
    try:
        with read(engine) as tx:
            row = tx.execute(_STATE).one()
    finally:
        engine.dispose()
    return ServerState(
        row.version,
        row.major,
        row.synchronous_commit,
        row.fsync,
        row.connections,
        row.open - 1,
        row.is_replica,
        row.behind_s,
        row.days_ahead,
    )
