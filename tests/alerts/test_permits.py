"""Links that act: nobody makes one, changes one or uses one too late."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.message import LINK_LIFE, Links, compose
from alerts.model import State, Why
from alerts.permits import LONGEST_TOKEN, Act, Permit, PermitRefused, Permits
from tests.alerts.samples import T0, alert, notification

PERMITS = Permits(b"k" * 32)
PERMIT = Permit(Act.ACKNOWLEDGE, "f" * 32, 3, "ops", T0 + LINK_LIFE)


def test_permit_comes_back_from_its_token() -> None:
    assert PERMITS.read(PERMITS.token(PERMIT), T0) == PERMIT


@given(st.text(max_size=64), st.sampled_from(Act), st.integers(0, 2**31))
def test_every_permit_comes_back(channel: str, act: Act, episode: int) -> None:
    permit = replace(PERMIT, channel=channel, act=act, episode=episode)
    token = PERMITS.token(permit)
    assert PERMITS.read(token, T0) == permit
    assert token.replace(".", "").replace("-", "").replace("_", "").isalnum()


def test_permit_ends() -> None:
    token = PERMITS.token(PERMIT)
    assert PERMITS.read(token, PERMIT.expires_at - timedelta(seconds=1)) == PERMIT
    with pytest.raises(PermitRefused, match="expired"):
        PERMITS.read(token, PERMIT.expires_at)


def test_no_changed_letter_passes() -> None:
    token = PERMITS.token(PERMIT)
    for at, letter in enumerate(token):
        for other in "Aa9-.":
            if other != letter:
                with pytest.raises(PermitRefused):
                    PERMITS.read(token[:at] + other + token[at + 1 :], T0)


@pytest.mark.parametrize("token", ["", ".", "a.b", "é.é", "\ud800.x", "a" * 5000, "." * LONGEST_TOKEN])
def test_text_that_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(PermitRefused, match="not whole"):
        PERMITS.read(token, T0)


@given(st.text(max_size=300))
def test_no_text_at_all_breaks_the_reader(token: str) -> None:
    with pytest.raises(PermitRefused):
        PERMITS.read(token, T0)


def test_token_of_another_monitor_is_refused() -> None:
    with pytest.raises(PermitRefused):
        PERMITS.read(Permits(b"x" * 32).token(PERMIT), T0)


def test_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Permits(b"short")


def test_links_of_a_message_are_for_its_alert_episode_and_channel() -> None:
    links = Links("https://monitor.example/hooks/", PERMITS)
    said = compose(notification(alert(episode=4), channel="ops"), links)
    for url, act in ((said.acknowledge_url, Act.ACKNOWLEDGE), (said.silence_url, Act.SILENCE)):
        assert url.startswith("https://monitor.example/hooks/act/")
        permit = PERMITS.read(url.rpartition("/")[2], T0)
        assert permit == Permit(act, alert().fingerprint, 4, "ops", T0 + LINK_LIFE)


@pytest.mark.parametrize("reason", [Why.RESOLVED, Why.TEST, Why.DRILL])
def test_what_needs_nobody_carries_no_link(reason: Why) -> None:
    of = alert(state=State.RESOLVED if reason is Why.RESOLVED else State.FIRING)
    said = compose(notification(of, reason), Links("https://monitor.example", PERMITS))
    assert (said.acknowledge_url, said.silence_url) == ("", "")
