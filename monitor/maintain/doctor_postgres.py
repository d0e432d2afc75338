"""What `doctor` says of the PostgreSQL servers that the settings name: what to mend, what to know."""

from collections.abc import Iterator

from monitor.config import Settings
from monitor.config.values import StoreUrl
from monitor.errors import HookvitalsError
from monitor.maintain.finding import Finding
from monitor.store.server_state import ServerState, server_state
from monitor.wiring.stores import control_url, facts_url

OLDEST = 15
FEW_CONNECTIONS = 10
DAYS_AHEAD = 6
"""A collector keeps seven days ready and looks each hour."""
BEHIND_S = 30.0


def findings(settings: Settings) -> Iterator[Finding]:
    """Nothing where both stores are SQLite files."""
    control, facts = control_url(settings), facts_url(settings)
    if not control.startswith("sqlite:"):
        about = "PostgreSQL" if control == facts else "PostgreSQL of control"
        yield from _server(about, control, holds_facts=control == facts)
    if facts and facts != control:
        yield from _server("PostgreSQL of the facts", facts, holds_facts=True)
    replica = settings.facts_replica_url.get_secret_value()
    if facts and replica:
        yield from _replica(replica)


def _server(about: str, url: str, holds_facts: bool) -> Iterator[Finding]:
    state = _asked(url)
    if not isinstance(state, ServerState):
        yield Finding(False, about, state)
        return
    yield _version(about, url, state)
    if state.is_replica:
        yield Finding(False, about, "is a replica: name the primary server")
    yield _durability(about, state)
    yield _room(about, state)
    if holds_facts:
        yield _days(state)


def _replica(url: str) -> Iterator[Finding]:
    about = "replica of the facts"
    state = _asked(url)
    if not isinstance(state, ServerState):
        yield Finding(False, about, state)
        return
    yield _version(about, url, state)
    if not state.is_replica:
        yield Finding(None, about, "is no replica: the dashboard reads a server that is written")
    elif state.behind_s is None:
        yield Finding(True, about, "has replayed all that it received")
    else:
        yield Finding(state.behind_s < BEHIND_S, about, f"is {state.behind_s:.0f} s behind")
    yield _room(about, state)


def _asked(url: str) -> ServerState | str:
    try:
        return server_state(url)
    except HookvitalsError as exc:
        return f"{StoreUrl(url)} is not reached: {exc}"


def _version(about: str, url: str, state: ServerState) -> Finding:
    if state.major < OLDEST:
        return Finding(False, about, f"{state.version} at {StoreUrl(url)}; {OLDEST} or newer is needed")
    return Finding(True, about, f"{state.version} at {StoreUrl(url)}")


def _durability(about: str, state: ServerState) -> Finding:
    said = f"synchronous_commit = {state.synchronous_commit}, fsync = {state.fsync}"
    if state.fsync != "on" or state.synchronous_commit == "off":
        return Finding(False, f"{about}, durability", f"{said}: what was acknowledged may be lost")
    return Finding(True, f"{about}, durability", said)


def _room(about: str, state: ServerState) -> Finding:
    free = state.connections - state.open
    said = f"{free} of {state.connections} free"
    if free < FEW_CONNECTIONS:
        return Finding(
            False, f"{about}, connections", f"{said}; raise max_connections, or put a pooler before it"
        )
    return Finding(True, f"{about}, connections", said)


def _days(state: ServerState) -> Finding:
    about = "partitions of the facts"
    if state.days_ahead is None:
        return Finding(None, about, "none yet: the first collector makes them")
    if state.days_ahead < DAYS_AHEAD:
        return Finding(
            False, about, f"reach {state.days_ahead} days ahead: no collector runs, or see its log"
        )
    return Finding(True, about, f"reach {state.days_ahead} days ahead")
