"""What a receiver is made of, put together from its settings: state, breaker, dispatcher, inbox and worker,
and the pipeline through all of them. Handles nothing itself.
"""

import hashlib
from typing import TYPE_CHECKING, Any, Callable, Optional

from hookvitals.admission import Admission
from hookvitals.answers import Refused
from hookvitals.attempts import Attempts
from hookvitals.bodies import data_of
from hookvitals.breaker import Breaker, BreakerPolicy
from hookvitals.desk import Desk
from hookvitals.dispatch import Dispatcher
from hookvitals.inbox import Inbox
from hookvitals.inline import Inline
from hookvitals.pipeline import Pipeline
from hookvitals.profiles import Profile
from hookvitals.reporter import Reporter
from hookvitals.settings import Settings
from hookvitals.shapes import Shapes
from hookvitals.shipping import Shipping
from hookvitals.state import MemoryState, State
from hookvitals.worker import InboxWorker

if TYPE_CHECKING:
    from hookvitals.state import SqliteState


class Parts:
    """state: of somebody else's, who closes it; else one is made, in the file `state_path` or in memory.

    inbox, worker: None where the work comes before the answer. Raises ValueError for what does not go
    together.
    """

    def __init__(
        self,
        settings: Settings,
        shipping: Shipping,
        *,
        state: Optional[State],
        state_path: Optional[str],
        inbox: bool,
        workers: int,
        breaker: Optional[BreakerPolicy],
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        if state is not None and state_path:
            raise ValueError("state and state_path say the same thing twice: give one of them")
        if inbox and not state_path:
            raise ValueError("an inbox needs state_path, the file it is kept in")
        if workers < 1:
            raise ValueError(f"workers must be at least 1, not {workers}")

        def now_us() -> int:
            return int(now() * 1e6)

        reporter = Reporter(settings, shipping.recorder)
        profile = settings.profile
        desk = Desk(profile.status_of(), reporter, now_us, profile.ack_body)
        self.dispatcher = Dispatcher()
        self.shapes = Shapes()
        self._owns_state = state is None
        file = _file(state_path, now) if state_path else None
        self.state: State = state or file or MemoryState(now)
        self.breaker = Breaker(breaker, self.state, settings.scope, now_us)
        self.inbox: Optional[Inbox] = None
        self.worker: Optional[InboxWorker] = None
        if inbox and state_path and file is not None:
            self.inbox = Inbox(file, settings.scope, now_us, _reader(profile))
            attempts = Attempts(
                settings, self.inbox, self.state, self.dispatcher, reporter, self.breaker, now_us
            )
            lock_path = _lock_path(state_path, settings.scope)
            self.worker = InboxWorker(self.inbox, lock_path, attempts.attempt, self.breaker.wait_s, workers)
        self.pipeline = Pipeline(
            settings,
            Admission(settings, self.state, now, monotonic),
            desk,
            self.dispatcher,
            Inline(settings, self.state, self.breaker, desk, now_us),
            self.inbox,
            self.worker,
            self.shapes,
        )

    def close(self) -> None:
        """Closes the state, where it was made here."""
        if self._owns_state:
            self.state.close()


def _file(path: str, now: Callable[[], float]) -> "SqliteState":
    from hookvitals.state import SqliteState  # noqa: PLC0415  # sqlite3, for those who keep a file

    return SqliteState(path, now)


def _reader(profile: Profile) -> Callable[[bytes], Any]:
    def read(body: bytes) -> Any:
        try:
            return data_of(body, profile.body, profile.events_path)
        except (Refused, LookupError):  # taken in under another profile: its handler fails, not the inbox
            return None

    return read


def _lock_path(state_path: str, scope: str) -> str:
    """Where the locks of each inbox in the file begin."""
    return f"{state_path}.{hashlib.sha256(scope.encode()).hexdigest()[:12]}.worker"
