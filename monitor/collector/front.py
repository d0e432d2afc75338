"""All that one front process holds: keys, the link to the writer, the ways of records and samples."""

from collections.abc import Callable
from dataclasses import dataclass

from monitor.clock import Clock, to_us
from monitor.collector.counters import Counters
from monitor.collector.gate import Gate
from monitor.collector.ingest import Ingest
from monitor.collector.keys import KeySnapshot, LoadKeys
from monitor.collector.levels import Levels
from monitor.collector.limits import Buckets, PerMinute
from monitor.collector.link import Writer
from monitor.collector.samples import Samples
from monitor.collector.settings import CollectorSettings
from monitor.seal import Sealer


@dataclass(frozen=True, slots=True)
class Front:
    """The parts that the routes use."""

    settings: CollectorSettings
    keys: KeySnapshot
    writer: Writer
    counters: Counters
    ingest: Ingest
    samples: Samples
    gate: Gate
    buckets: Buckets
    monotonic: Callable[[], float]


def front(
    settings: CollectorSettings, load_keys: LoadKeys, writer: Writer, counters: Counters, clock: Clock
) -> Front:
    """A front over this writer. Reads the keys once; refreshing them is up to the caller."""
    keys = KeySnapshot(load_keys)
    keys.refresh()

    def now_us() -> int:
        return to_us(clock.now())

    shared = Levels(settings.counters_dir / "levels") if settings.key_records_per_s else None
    buckets = Buckets(settings.key_records_per_s, clock.monotonic, shared)
    ingest = Ingest(
        writer,
        Sealer(settings.secret_key),
        counters,
        buckets,
        PerMinute(max(1, settings.rejections_a_minute // settings.workers), clock.monotonic),
        now_us,
        settings.records_a_request,
    )
    samples = Samples(writer, now_us, settings.records_a_request)
    gate = Gate(settings.threads, settings.waiting, settings.wait_s, settings.inflight_bytes, clock.monotonic)
    return Front(settings, keys, writer, counters, ingest, samples, gate, buckets, clock.monotonic)
