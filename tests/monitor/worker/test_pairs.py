"""Whatever happens in whatever order, each channel hears of each firing and of its end as a pair."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from alerts.channels.channel import Receipt
from alerts.errors import ChannelError, Failure
from alerts.flapping import Damping
from alerts.hours import hours_of
from alerts.message import Links, Message
from alerts.model import (
    OPENING,
    Ack,
    Delivery,
    Inhibition,
    Observations,
    Route,
    Severity,
    Silence,
    State,
    Step,
    Why,
)
from alerts.recipients import name_apart, split_name
from alerts.rules import make
from monitor.worker.delivery import Delivery as Telling
from monitor.worker.evaluation import Evaluation
from tests.alerts.samples import every
from tests.alerts.world import NOW, World, attempts
from tests.monitor.clocks import FakeClock
from tests.monitor.worker.books import FakeChannel, MemoryBook

MINUTE = timedelta(minutes=1)
RULES = [
    make("error_rate", for_=2 * MINUTE, keep_firing_for=MINUTE, min_sample=1),
    make("failure_count", for_=timedelta(0), keep_firing_for=timedelta(0)),
]
ROUTES = [
    Route(("team",), repeat=every(20 * MINUTE), fallback="spare", steps=(Step(10 * MINUTE, ("phone",)),)),
    Route(("night",), quiet_hours=hours_of("03:10-03:40")),
    Route(("pager",), Severity.CRITICAL),
]
INHIBITIONS = [Inhibition({"kind": "failure_count"}, {"kind": "error_rate"}, ("endpoint",))]
BAD, GOOD, NOTHING = attempts(succeeded=5, failed=50), attempts(succeeded=100), attempts()
CHANNELS = ("team", "phone", "night", "pager", "spare")
PEOPLE = ("ann@example.com", "bob@example.com")
channels = st.sampled_from(CHANNELS)
minutes = st.integers(1, 12)


@dataclass(slots=True)
class Mail(FakeChannel):
    """A channel to several people, of whom its service may refuse one and take the others. heard: by person,
    whichever message it was."""

    recipients: tuple[str, ...] = PEOPLE
    refused: set[str] = field(default_factory=set)
    heard: dict[str, list[Message]] = field(default_factory=lambda: {one: [] for one in PEOPLE})

    def among(self, recipients: Collection[str]) -> "Mail":
        return replace(self, recipients=tuple(recipients))

    def send(self, message: Message) -> Receipt:
        taken = [one for one in self.recipients if one not in self.refused]
        if self.broken or not taken:
            raise ChannelError(Failure.RECIPIENTS_REFUSED, "refused", retryable=self.retryable)
        for one in taken:
            self.heard[one].append(message)
        return Receipt(refused_for_now=tuple(one for one in self.recipients if one not in taken))


class Telephone(RuleBasedStateMachine):
    """A worker, its outbox and its channels, under everything that may befall them."""

    def __init__(self) -> None:
        super().__init__()
        self.book, self.clock = MemoryBook(), FakeClock(NOW)
        self.channels = {name: FakeChannel(name) for name in CHANNELS}
        self.mail = Mail("team")
        self.channels["team"] = self.mail
        self.hears = True
        self.world = GOOD
        self.worker_starts()

    def seen(self, _: object) -> Observations:
        if self.hears:
            self.heard_at = self.clock.now()
        return replace(self.world, heartbeat_at=self.heard_at)

    @rule()
    def worker_starts(self) -> None:
        self.heard_at = self.clock.now()
        self.judging = Evaluation(
            self.seen,
            lambda: RULES,
            lambda: ROUTES,
            self.book,
            self.clock.now,
            inhibitions=lambda: INHIBITIONS,
            damping=lambda: Damping(3, 20 * MINUTE, 10 * MINUTE),
            monotonic=self.clock.monotonic,
        )
        self.telling = Telling(
            self.book, lambda: self.channels, Links("https://x.example"), self.clock.now, lambda: 0.5
        )

    @rule(world=st.sampled_from([BAD, GOOD, NOTHING]), length=minutes)
    def time_passes(self, world: World, length: int) -> None:
        self.world = world
        for _ in range(length):
            self.clock.move(MINUTE)
            self.judging.run(1)
            self.telling.run(1)

    @rule(length=minutes)
    def worker_dies_between_judging_and_telling(self, length: int) -> None:
        self.clock.move(MINUTE)
        self.judging.run(1)
        self.clock.move(length * MINUTE)
        self.worker_starts()

    @rule()
    def somebody_silences(self) -> None:
        now = self.clock.now()
        self.book.active_silences = [Silence("s", {"source": "stripe"}, now, now + 15 * MINUTE)]

    @rule(length=minutes)
    def somebody_takes_it_on(self, length: int) -> None:
        for key, alert in self.book.stored.items():
            if alert.state is State.FIRING:
                now = self.clock.now()
                self.book.stored[key] = replace(alert, ack=Ack("ann", now, until=now + length * MINUTE))

    @rule(name=channels, retryable=st.booleans())
    def channel_breaks(self, name: str, retryable: bool) -> None:
        self.channels[name].broken, self.channels[name].retryable = True, retryable

    @rule(name=channels)
    def channel_is_mended(self, name: str) -> None:
        self.channels[name].broken = False

    @rule(person=st.sampled_from(PEOPLE), refused=st.booleans())
    def person_is_refused_for_now_or_no_more(self, person: str, refused: bool) -> None:
        (self.mail.refused.add if refused else self.mail.refused.discard)(person)

    @rule(hears=st.booleans())
    def collector_comes_or_goes(self, hears: bool) -> None:
        self.hears = hears

    @rule(hours=st.sampled_from([-1, 1]))
    def clock_jumps(self, hours: int) -> None:
        self.clock.at += timedelta(hours=hours)

    def said(self) -> dict[tuple[str, str, int], list[Why]]:
        """What each channel, and each person of the one that has several, took of each firing, in order."""
        found: dict[tuple[str, str, int], list[Why]] = defaultdict(list)
        heard = {name: channel.sent for name, channel in self.channels.items()}
        heard |= {name_apart("team", person): sent for person, sent in self.mail.heard.items()}
        for name, sent in heard.items():
            for message in sent:
                for alert in message.alerts:
                    found[name, alert.fingerprint, alert.episode].append(message.reason)
        return found

    @invariant()
    def end_is_told_once_and_last_and_never_without_a_beginning(self) -> None:
        for reasons in self.said().values():
            assert reasons[0] in OPENING
            assert reasons.count(Why.RESOLVED) <= 1
            assert Why.RESOLVED not in reasons[:-1]

    @invariant()
    def beginning_is_told_once(self) -> None:
        for reasons in self.said().values():
            for why in (Why.FIRING, Why.FLAPPING, Why.ESCALATED, Why.FALLBACK):
                assert reasons.count(why) <= 1

    def teardown(self) -> None:
        """In the end all is well again, and every pair is whole."""
        for channel in self.channels.values():
            channel.broken = False
        self.mail.refused.clear()
        self.hears, self.book.active_silences = True, []
        self.time_passes(GOOD, 90)
        assert all(alert.state is not State.FIRING for alert in self.book.stored.values())
        assert all(entry.delivery is not Delivery.DUE for entry in self.book.entries.values())
        lost = {
            (
                entry.notification.channel,
                entry.notification.alert.fingerprint,
                entry.notification.alert.episode,
            )
            for entry in self.book.entries.values()
            if entry.delivery is Delivery.GIVEN_UP and entry.notification.reason is Why.RESOLVED
        }
        for place, reasons in self.said().items():
            whole = (split_name(place[0])[0], *place[1:])
            assert reasons[-1] is Why.RESOLVED or not lost.isdisjoint({place, whole})


Telephone.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
test_pairs_hold = Telephone.TestCase
