"""`hookvitals channel test`."""

import click

from alerts.message import Links, compose
from alerts.notifier import trial
from monitor.cli.base import Commands, Here, OneLine, pass_here, say
from monitor.cli.stores import opened_control, typist
from monitor.clock import SystemClock
from monitor.config import environment
from monitor.errors import HookvitalsError
from monitor.store.control.accounts import Role
from monitor.wiring.addresses import public_url
from monitor.wiring.channels import channels_of


@click.group(cls=Commands)
def channel() -> None:
    """Where alerts go."""


@channel.command()
@click.argument("name")
@pass_here
def test(here: Here, name: str) -> None:
    """Send a message that says it is a test."""
    channels = channels_of(here.loaded.document, environment())
    if name not in channels:
        known = ", ".join(sorted(channels)) or "none"
        raise OneLine(f'there is no channel "{name}" in hookvitals.toml (there are: {known})')
    message = compose(trial(name, SystemClock().now()), Links(public_url(here.loaded.settings)))
    receipt = channels[name].send(message)
    _note(here, name)
    known_as = f", known there as {receipt.reference}" if receipt.reference else ""
    say(f"{name} took the message{known_as}" + (f", but {receipt.warning}" if receipt.warning else ""))


def _note(here: Here, name: str) -> None:
    """In the audit: the checklists take it for evidence that alerts arrive."""
    try:
        with opened_control(here) as control, control.write() as tx:
            at = SystemClock().now()
            control.audit.append(tx, at, typist(), Role.ADMIN.value, "cli", "channel.test", name, {})
    except HookvitalsError:
        return  # a channel is tested before there is a store, too
