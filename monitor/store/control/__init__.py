"""The control store: everything with state, one small object a noun over one engine.

Three kinds of method: reads take neither transaction nor epoch; methods that take a `tx` belong into one of
the caller's (`Control.write`, `Control.leading`), together with their audit row; methods that take an `epoch`
are whole transactions of the leader and raise LeaseLost when another worker leads.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Engine

from monitor.clock import Clock, SystemClock
from monitor.store.control.accounts import Accounts
from monitor.store.control.alerts import Alerts
from monitor.store.control.answers import Answers
from monitor.store.control.attestations import Attestations
from monitor.store.control.audit import Audit
from monitor.store.control.book import Book
from monitor.store.control.catalog import Catalog
from monitor.store.control.configs import Configs
from monitor.store.control.engine import CONNECTIONS, Tx, open_engine, write
from monitor.store.control.history import History
from monitor.store.control.issues import Issues
from monitor.store.control.jobs import Jobs
from monitor.store.control.keys import Keys
from monitor.store.control.leases import Leases, leading
from monitor.store.control.letters import Letters
from monitor.store.control.marks import Marks
from monitor.store.control.migrations import require_head, upgrade
from monitor.store.control.minutes import Minutes
from monitor.store.control.notifications import Notifications
from monitor.store.control.replays import Replays
from monitor.store.control.reports import Reports
from monitor.store.control.sightings import Sightings
from monitor.store.control.silences import Silences

__all__ = ["Control", "Tx", "require_head", "upgrade"]


@dataclass(frozen=True, slots=True)
class Control:
    """Open control store. Threads may share it; a forked child opens its own."""

    engine: Engine
    alerts: Alerts
    notifications: Notifications
    silences: Silences
    book: Book
    history: History
    issues: Issues
    minutes: Minutes
    sightings: Sightings
    attestations: Attestations
    letters: Letters
    replays: Replays
    accounts: Accounts
    keys: Keys
    audit: Audit
    catalog: Catalog
    configs: Configs
    leases: Leases
    jobs: Jobs
    reports: Reports
    marks: Marks
    answers: Answers

    @staticmethod
    def open(url: str, clock: Clock | None = None, connections: int = CONNECTIONS) -> "Control":
        """The store at `sqlite:///path` or `postgresql://…`. Raises WrongSchema, with the command to run, for
        a store that is missing or of another version. connections: how many to PostgreSQL at once."""
        engine = open_engine(url, connections)
        try:
            require_head(engine)
        except BaseException:
            engine.dispose()
            raise
        return Control.over(engine, clock or SystemClock())

    @staticmethod
    def over(engine: Engine, clock: Clock) -> "Control":
        """The same over an engine that is known to be of this version."""
        alerts, notifications, silences = Alerts(engine), Notifications(engine, clock), Silences(engine)
        return Control(
            engine=engine,
            alerts=alerts,
            notifications=notifications,
            silences=silences,
            book=Book(engine, alerts, notifications, silences),
            history=History(engine),
            issues=Issues(engine),
            minutes=Minutes(engine),
            sightings=Sightings(engine),
            attestations=Attestations(engine),
            letters=Letters(engine),
            replays=Replays(engine),
            accounts=Accounts(engine),
            keys=Keys(engine),
            audit=Audit(engine),
            catalog=Catalog(engine),
            configs=Configs(engine),
            leases=Leases(engine),
            jobs=Jobs(engine),
            reports=Reports(engine),
            marks=Marks(engine),
            answers=Answers(engine),
        )

    def write(self) -> AbstractContextManager[Tx]:
        """A transaction of a person or a program that does not lead."""
        return write(self.engine)

    def leading(self, epoch: int) -> AbstractContextManager[Tx]:
        """A transaction of the leader. Raises LeaseLost when the epoch is past."""
        return leading(self.engine, epoch)

    def close(self) -> None:
        self.engine.dispose()
