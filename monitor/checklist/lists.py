"""The items: 16 after the sections of Orum's guide, and the 10 of HopNow's own list, in our words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.checklist.evidence import Found, Judge, Verdict
from monitor.checklist.performance import later, loaded, watched
from monitor.checklist.rehearsal import refusals, rehearsed, staged
from monitor.checklist.reliability import logged, once, order, retried, within
from monitor.checklist.security import addresses, encrypted, no_login, signatures


@dataclass(frozen=True, slots=True)
class Item:
    """id: as attested. list: whose checklist. asks: in one sentence."""

    id: str
    list: str
    group: str
    asks: str
    judge: Judge


def by_hand(said: str) -> Judge:
    """For what no record shows."""
    return lambda _: Found(Verdict.UNKNOWN, said)


Asked = tuple[str, str, Judge]
"""The word for an item, what it asks, and how it is judged."""


def _items(name: str, groups: Mapping[str, Sequence[Asked]]) -> list[Item]:
    return [
        Item(f"{name}.{word}", name, group, asks, judge)
        for group, items in groups.items()
        for word, asks, judge in items
    ]


ORUM = _items(
    "orum",
    {
        "security": [
            ("signatures", "Every signature is verified before anything else.", signatures),
            ("https", "The endpoint is HTTPS alone, with a certificate that holds.", encrypted),
            ("addresses", "Only the provider's addresses get in.", addresses),
            ("public", "No login or API key stands before the endpoint.", no_login),
        ],
        "reliability": [
            ("idempotent", "An event that comes twice is processed once.", once),
            ("deadline", "Answers leave within 30 s.", within(30_000)),
            ("retries", "Processing that fails is tried again, and nothing is lost.", retried),
            ("logging", "Each delivery is logged with id, time and error.", logged),
        ],
        "performance": [
            ("background", "Slow work happens after the answer.", later),
            ("concurrency", "Many deliveries at once are answered in time.", loaded(anywhere=False)),
            (
                "database",
                "Connections to the database are pooled, and their timeouts handled.",
                by_hand("no record shows it"),
            ),
            ("monitoring", "Times, errors and queues are watched, and somebody is told.", watched),
        ],
        "testing": [
            ("mock", "The handler was tested with signed events that were made up.", rehearsed),
            ("staging", "It ran elsewhere before it ran in production.", staged),
            ("failures", "Bad signatures and copies were tried, too.", refusals),
            ("load", "It was tested under load.", loaded(anywhere=True)),
        ],
    },
)
HOPNOW = _items(
    "hopnow",
    {
        "summary": [
            ("signatures", "Every signature is verified.", signatures),
            ("https", "The endpoint is HTTPS alone.", encrypted),
            ("deadline", "Answers leave within 5 s.", within(5_000)),
            ("idempotent", "An event that comes twice is processed once.", once),
            ("order", "Events out of order do no harm.", order),
            ("background", "Processing follows the answer.", later),
            ("logging", "All that arrives is logged.", logged),
            ("monitoring", "Error rate and latency are watched.", watched),
            ("mock", "It was tested locally, with events that were made up.", rehearsed),
            ("errors", "A failure breaks nothing else, and is tried again.", retried),
        ],
    },
)
ITEMS = (*ORUM, *HOPNOW)
