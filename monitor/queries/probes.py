"""Probes: how each endpoint looks from outside, now and over some time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.clock import from_us, to_us
from monitor.figures import Rate
from monitor.model import ProbeKind, ProbeResult, SeriesKey
from monitor.store.facts.protocol import FactReader


@dataclass(frozen=True, slots=True)
class Standing:
    """One endpoint's probes of a stretch of time, oldest first; either kind may be empty."""

    key: SeriesKey
    http: Sequence[ProbeResult]
    tls: Sequence[ProbeResult]

    @property
    def healthy(self) -> bool | None:
        """Whether the latest HTTP probe was ok; None without one."""
        return self.http[-1].ok if self.http else None

    @property
    def uptime(self) -> Rate:
        """HTTP probes that were ok, of all."""
        return Rate(sum(result.ok for result in self.http), len(self.http))

    @property
    def cert_not_after(self) -> datetime | None:
        """When the certificate ends, by the latest TLS probe that saw it."""
        seen = [result.cert_not_after for result in self.tls if result.cert_not_after is not None]
        return seen[-1] if seen else None


UPTIME_SPANS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}


def uptime(reader: FactReader, key: SeriesKey, now: datetime) -> Mapping[str, Rate]:
    """Per span that ends now: HTTP probes of the endpoint that were ok, of all. Those left out in maintenance
    windows count as neither."""
    end_us = to_us(now)
    return {
        name: Rate(*reader.probe_counts(key, ProbeKind.HTTP, to_us(now - span), end_us))
        for name, span in UPTIME_SPANS.items()
    }


def course(
    reader: FactReader, key: SeriesKey, now: datetime, step: timedelta, steps: int
) -> list[tuple[datetime, Rate]]:
    """(start, HTTP probes that were ok, of all) of so many steps, oldest first; the last one is running.

    Steps begin where whole ones of the epoch do: at midnight UTC, or at the half hour.
    """
    step_us = step // timedelta(microseconds=1)
    first_us = (to_us(now) // step_us - steps + 1) * step_us
    starts = range(first_us, first_us + steps * step_us, step_us)
    return [
        (from_us(start), Rate(*reader.probe_counts(key, ProbeKind.HTTP, start, start + step_us)))
        for start in starts
    ]


def standings(
    reader: FactReader, environment: str, start_at: datetime, end_at: datetime
) -> dict[SeriesKey, Standing]:
    """Every endpoint of the environment probed in [start_at, end_at)."""
    by_kind: dict[ProbeKind, dict[SeriesKey, list[ProbeResult]]] = {}
    for kind in (ProbeKind.HTTP, ProbeKind.TLS):
        found = by_kind.setdefault(kind, {})
        for result in reader.probe_results(kind, to_us(start_at), to_us(end_at)):
            if result.environment == environment:
                key = SeriesKey(environment, result.source, result.endpoint)
                found.setdefault(key, []).append(result)
    http, tls = by_kind[ProbeKind.HTTP], by_kind[ProbeKind.TLS]
    keys = sorted({*http, *tls}, key=lambda key: (key.source or "", key.endpoint or ""))
    return {key: Standing(key, http.get(key, []), tls.get(key, [])) for key in keys}
