"""What a channel is: it is handed a message and says whether the service took it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from alerts.message import Message


@dataclass(frozen=True, slots=True)
class Receipt:
    """The service took the message. reference: its own id for it, if it gave one. warning: what went wrong
    besides, for instance one recipient of several that was refused. refused_for_now: recipients who did not
    get it and may get it later."""

    reference: str = ""
    warning: str = ""
    refused_for_now: tuple[str, ...] = ()


class Channel(Protocol):
    """One destination, configured. `name` is the name that routes use."""

    @property
    def name(self) -> str: ...

    def send(self, message: Message) -> Receipt:
        """Sends once, within the channel's own time limit. Raises ChannelError, whose text holds no
        secret."""
        ...


@runtime_checkable
class Forgetful(Protocol):
    """A channel whose service forgets an alert that is not repeated to it."""

    @property
    def name(self) -> str: ...

    def refresh(self, messages: Sequence[Message]) -> None:
        """Says again that these alerts fire. Raises ChannelError; the next round says it again."""
        ...


@runtime_checkable
class Gathering(Protocol):
    """A channel that people read: one message tells of many alerts. The others get a message for each, since
    a service that keeps incidents must be able to close each by itself."""

    gathers: bool


@runtime_checkable
class Amending(Protocol):
    """A channel that changes its own earlier message when what it told of is over. The end of what one
    message told of belongs in one message; nobody is disturbed by many of them."""

    amends: bool


@runtime_checkable
class Addressed(Channel, Protocol):
    """A channel with several recipients, of whom the service may refuse one and take the others."""

    recipients: tuple[str, ...]

    def among(self, recipients: Collection[str]) -> Addressed:
        """The same channel, for these of its recipients alone."""
        ...


@runtime_checkable
class Acknowledging(Protocol):
    """A channel whose service keeps incidents that somebody can have in hand: it is told when that is so."""

    acknowledges: bool
