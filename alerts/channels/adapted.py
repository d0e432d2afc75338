"""A channel as its table wants it: with a first line of its own, without links that act, or both."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from alerts.channels.channel import (
    Acknowledging,
    Addressed,
    Amending,
    Channel,
    Gathering,
    Receipt,
)
from alerts.channels.title import TitleTemplate
from alerts.message import TITLE_CHARS, Message, plain


class Adapted:
    """Changes each message before the channel gets it; otherwise it is what the channel is."""

    gathers: bool
    amends: bool
    acknowledges: bool
    recipients: tuple[str, ...]

    def __init__(self, channel: Channel, title: TitleTemplate | None = None, *, links: bool = True) -> None:
        self.name = channel.name
        if isinstance(channel, Gathering):
            self.gathers = channel.gathers
        if isinstance(channel, Amending):
            self.amends = channel.amends
        if isinstance(channel, Acknowledging):
            self.acknowledges = channel.acknowledges
        if isinstance(channel, Addressed):
            self.recipients = channel.recipients
        self._channel = channel
        self._title = title
        self._links = links

    def among(self, recipients: Collection[str]) -> Adapted:
        """The same for some of its recipients; of a channel that has none it is the whole one."""
        if not isinstance(self._channel, Addressed):
            return self
        return Adapted(self._channel.among(recipients), self._title, links=self._links)

    def send(self, message: Message) -> Receipt:
        """As the channel does it. What is a test or a drill still says so."""
        if not self._links:
            message = replace(message, acknowledge_url="", silence_url="")
        if self._title is not None:
            title = self._title.filled(message)
            shown = f"{message.title} ({title})" if message.is_exercise else title
            message = replace(message, title=plain(shown, TITLE_CHARS))
        return self._channel.send(message)
