"""Whoever may change the facts now: the collector that writes them, or else this process itself."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from monitor.clock import SystemClock
from monitor.collector.link import Link
from monitor.config import Settings
from monitor.errors import Unavailable
from monitor.operations.expunge import Eraser
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from monitor.wiring.collector import collector_settings
from monitor.wiring.stores import facts_opener, facts_path


@contextmanager
def opened_eraser(settings: Settings) -> Iterator[Eraser]:
    """A SQLite file has one writer: it is asked over its socket, which only its own user can open.

    Raises Conflict when another process writes the file and is not a collector.
    """
    if (open_store := facts_opener(settings)) is not None:
        with closing(open_store()) as store:
            yield store
        return
    with closing(Link(collector_settings(settings).socket_path)) as link:
        if _answers(link):
            yield link
            return
    with closing(SqliteFactWriter(facts_path(settings), SystemClock())) as writer:
        yield writer


def _answers(link: Link) -> bool:
    try:
        link.ping()
    except Unavailable:
        return False
    return True
