"""A directory made ready: both stores of this version, the file in force, and at the first start an admin and
an ingest key. What is shown once is returned here and kept nowhere."""

import secrets
from dataclasses import dataclass, field

from monitor.clock import Clock
from monitor.config import Loaded, Settings, environment, secret_key
from monitor.errors import ConfigError, Conflict
from monitor.operations import keys, users
from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.seal import Sealer
from monitor.store.control import Control, upgrade
from monitor.store.control.accounts import Role
from monitor.supervisor.ports import require_free
from monitor.wiring.addresses import collector_url, public_url
from monitor.wiring.applying import apply
from monitor.wiring.desk import desk_of
from monitor.wiring.internal_key import ensure_internal_key
from monitor.wiring.stores import control_url, make_data_dir, open_control, open_facts, upgrade_facts

ADMIN = "admin"
KEY_NAME = "first receiver"
ACTOR = Actor("hookvitals up", Role.ADMIN, "cli")


@dataclass(frozen=True, slots=True)
class FirstWords:
    """What was made at the first start and can never be shown again; None where it was there already."""

    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


def prepare(loaded: Loaded, clock: Clock) -> FirstWords:
    """Everything the processes need before they start. Safe to run again.

    Raises ConfigError for a port in use, a directory that cannot be written, or a document that cannot be
    applied; WrongSchema for stores of a later version.
    """
    settings = loaded.settings
    make_data_dir(settings)
    require_free(settings.collector_host, settings.collector_port, "collector_port")
    require_free(settings.dashboard_host, settings.dashboard_port, "dashboard_port")
    if not settings.collector_port or not settings.dashboard_port:
        raise ConfigError("`up` cannot run with port 0", "give collector_port and dashboard_port a number")
    key = secret_key(settings)
    upgrade_facts(settings)
    upgrade(control_url(settings))
    control = open_control(settings, clock)
    facts = open_facts(settings)
    try:
        _put_in_force(control, loaded, clock, key)
        ensure_internal_key(control, key, clock)
        return _first_words(desk_of(control, facts, clock, key, lambda: loaded.document))
    finally:
        facts.close()
        control.close()


def _put_in_force(control: Control, loaded: Loaded, clock: Clock, key: bytes) -> None:
    apply(
        control,
        loaded.document,
        origin=str(loaded.file or ""),
        by=ACTOR.name,
        at=clock.now(),
        sealer=Sealer(key),
        environ=environment(),
    )


def _first_words(desk: Desk) -> FirstWords:
    if users.listing(desk, ACTOR):
        return FirstWords()
    password = secrets.token_urlsafe(15)
    try:
        users.create(desk, ACTOR, ADMIN, password, Role.ADMIN)
    except Conflict:  # another `up` before the same database was quicker, and says it
        return FirstWords()
    return FirstWords(password, keys.create(desk, ACTOR, KEY_NAME).token)


def lines(settings: Settings, made: FirstWords) -> list[str]:
    """What `up` says once everything is ready."""
    said = [f"dashboard  {public_url(settings)}", f"collector  {collector_url(settings)}"]
    if made.password is not None:
        said += ["", f"log in as  {ADMIN}", f"password   {made.password}   (shown this once)"]
    if made.token is not None:
        said += [
            "",
            "Paste into a receiver (the key is shown this once):",
            "",
            *_snippet(settings, made.token),
        ]
    return said


def _snippet(settings: Settings, token: str) -> list[str]:
    return [
        "    from hookvitals import Receiver",
        '    receiver = Receiver("standard", endpoint="billing", secrets=["whsec_…"],',
        f'                        collector="{collector_url(settings)}", key="{token}")',
    ]
