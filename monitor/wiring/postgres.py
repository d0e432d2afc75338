"""The facts in PostgreSQL, opened as the settings say.

Imported only where a setting names a server: its driver is an extra, which SQLite alone does not need.
"""

from monitor.clock import SystemClock
from monitor.collector.keeper import SharedStore
from monitor.store.facts.postgres import setup
from monitor.store.facts.postgres.reader import PostgresFactReader
from monitor.store.facts.postgres.writer import PostgresFactWriter
from monitor.store.facts.protocol import FactReader


def upgrade(url: str) -> None:
    """Makes the tables or brings them to this version."""
    setup.create(url)


def reader(url: str, replica_url: str, connections: int) -> FactReader:
    return PostgresFactReader(url, replica_url, connections)


def writer(url: str, connections: int) -> SharedStore:
    return PostgresFactWriter(url, SystemClock(), connections)
