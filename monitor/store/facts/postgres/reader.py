"""Reading the facts from PostgreSQL: any number of threads and processes, from a replica where there is one.

Each call is one snapshot. What control acts on is read from the primary: the feed, the floor, the store's id.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from monitor.store.facts.postgres.pages import PostgresLanes
from monitor.store.facts.postgres.records import PostgresRecords
from monitor.store.facts.postgres.rollups import PostgresRollups
from monitor.store.facts.postgres.rows import rows
from monitor.store.facts.postgres.samples import PostgresSamples
from monitor.store.facts.postgres.series import PostgresNames
from monitor.store.facts.postgres.server import Connection, Server
from monitor.store.facts.postgres.setup import require_version
from monitor.store.facts.postgres.size import used_bytes
from monitor.store.facts.reading.reader import SqlFactReader, Tables


class PostgresFactReader(SqlFactReader):
    """FactReader of one PostgreSQL. Connects at the first read, and refuses a store of another version."""

    def __init__(self, url: str, replica_url: str = "", connections: int = 4) -> None:
        """connections: at most this many to either server; other threads wait for one."""
        self._primary = Server(url, connections)
        self._replica = Server(replica_url, connections) if replica_url else self._primary
        self._fit: set[Server] = set()
        super().__init__(partial(self._tables, self._replica), partial(self._tables, self._primary))

    @contextmanager
    def _tables(self, server: Server) -> Iterator[Tables]:
        with server.read() as db:
            if server not in self._fit:
                require_version(db)
                self._fit.add(server)
            yield Tables(
                PostgresStore(db),
                PostgresNames(db),
                PostgresRollups(db),
                PostgresLanes(db),
                PostgresRecords(db),
                PostgresSamples(db),
            )

    def close(self) -> None:
        self._primary.close()
        self._replica.close()


class PostgresStore:
    """StoreTable of one snapshot."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def meta(self, key: str) -> str:
        ((value,),) = rows(self._db, "SELECT value FROM facts.meta WHERE key = %s", key)
        return str(value)

    def used_bytes(self) -> int:
        return used_bytes(self._db)
