"""What a channel is: it is handed a message and says whether the service took it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from alerts.message import Message


@dataclass(frozen=True, slots=True)
class Receipt:
    """The service took the message. reference: its own id for it, if it gave one. warning: what went wrong
    besides, for instance one recipient of several that was refused."""

    reference: str = ""
    warning: str = ""


class Channel(Protocol):
    """One destination, configured. `name` is the name that routes use."""

    @property
    def name(self) -> str: ...

    def send(self, message: Message) -> Receipt:
        """Sends once, within the channel's own time limit. Raises ChannelError, whose text holds no
        secret."""
        ...
