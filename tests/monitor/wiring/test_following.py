"""Every process follows the stored configuration."""

from collections.abc import Mapping
from datetime import timedelta

from monitor.config import Document
from monitor.errors import Unavailable
from monitor.wiring.following import Following
from tests.monitor.clocks import FakeClock


class Control:
    def __init__(self) -> None:
        self.version: tuple[int, Mapping[str, object]] | None = None
        self.away = False
        self.reads = 0

    def read(self) -> tuple[int, Mapping[str, object]] | None:
        self.reads += 1
        if self.away:
            raise Unavailable("control is locked")
        return self.version


def followed() -> tuple[Control, FakeClock, Following]:
    control, clock = Control(), FakeClock()
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
