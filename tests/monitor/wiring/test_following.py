"""Every process follows the stored configuration."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from monitor.config import Document, stored
from monitor.errors import Unavailable
from monitor.seal import Sealer
from monitor.store.control import Control, upgrade
from monitor.wiring.applying import apply
from monitor.wiring.following import Following
from tests.monitor.clocks import FakeClock


class Held:
    def __init__(self) -> None:
        self.version: tuple[int, Mapping[str, object]] | None = None
        self.away = False
        self.reads = 0

    def read(self) -> tuple[int, Mapping[str, object]] | None:
        self.reads += 1
        if self.away:
            raise Unavailable("control is locked")
        return self.version


def followed() -> tuple[Held, FakeClock, Following]:
    control, clock = Held(), FakeClock()
    return control, clock, Following(control.read, clock)


def test_defaults_are_in_force_before_a_first_version() -> None:
    _, _, following = followed()
    assert following.document() == Document()


def test_new_version_is_in_force_within_five_seconds() -> None:
    control, clock, following = followed()
    following.document()
    control.version = (1, {"egress": {"allow": ["10.0.0.0/8"]}})
    clock.move(timedelta(seconds=5))
    assert following.document().egress.allow == ("10.0.0.0/8",)


def test_what_is_applied_here_is_followed_by_every_other_process_within_five_seconds(tmp_path: Path) -> None:
    clock, url = FakeClock(), f"sqlite:///{tmp_path / 'control.db'}"
    upgrade(url)
    here, *others = (Control.open(url, clock) for _ in range(4))
    processes = [Following(control.configs.latest, clock) for control in others]
    assert {process.document() for process in processes} == {Document()}
    wanted = stored(
        {"rules": [{"kind": "error_rate", "threshold": 0.1}], "egress": {"allow": ["10.0.0.0/8"]}}
    )
    sealer = Sealer(b"k" * 32)
    apply(here, wanted, origin="hookvitals.toml", by="ann", at=clock.now(), sealer=sealer, environ={})
    clock.move(timedelta(seconds=5))
    assert [process.document() for process in processes] == [wanted] * 3
    for control in (here, *others):
        control.close()


def test_control_is_not_asked_each_time() -> None:
    control, _, following = followed()
    for _ in range(100):
        following.document()
    assert control.reads == 1


def test_last_configuration_stays_while_control_is_away() -> None:
    control, clock, following = followed()
    control.version = (1, {"egress": {"allow": ["10.0.0.0/8"]}})
    following.document()
    control.away = True
    clock.move(timedelta(minutes=1))
    assert following.document().egress.allow == ("10.0.0.0/8",)


def test_version_that_this_release_cannot_read_changes_nothing() -> None:
    control, clock, following = followed()
    control.version = (1, {"egress": {"allow": ["10.0.0.0/8"]}})
    following.document()
    control.version = (2, {"novelty": True})
    clock.move(timedelta(minutes=1))
    assert following.document().egress.allow == ("10.0.0.0/8",)
