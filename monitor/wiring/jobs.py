"""The worker's jobs, one after the other: what runs, how often, over which stores."""

import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.triggers.interval import IntervalTrigger

from alerts.channels.channel import Channel
from alerts.egress import Egress
from alerts.http import Client
from monitor.clock import Clock, boot_name
from monitor.config import Document, Settings, environment, resolve
from monitor.model import ProbeKind, ProbeResult, QueueSample
from monitor.probes.canary import arrived, send_canary
from monitor.probes.queues.sample import sample_queue
from monitor.probes.queues.target import QueueTarget
from monitor.probes.target import ProbeTarget
from monitor.queries.house import disk_of, evaluated_at, no_disk
from monitor.queries.minutes import records_by_minute
from monitor.queries.sightings import seen_since
from monitor.replay.engine import ReplayEngine
from monitor.replay.intake import Intake
from monitor.replay.redelivery import Redelivery
from monitor.reports.sla import SlaReport
from monitor.reports.weekly import weekly_report
from monitor.seal import Sealer
from monitor.store.control import Control
from monitor.store.control.issues import COUNTED_KEPT
from monitor.store.facts.protocol import FactReader
from monitor.wiring import drills, probes, reports
from monitor.wiring.addresses import collector_url
from monitor.wiring.channels import channels_of
from monitor.wiring.following import Following
from monitor.wiring.internal_key import internal_key
from monitor.wiring.links import links_of
from monitor.wiring.observing import observing
from monitor.wiring.stores import facts_url
from monitor.worker.acknowledging import PassingOn
from monitor.worker.canaries import Canaries
from monitor.worker.cataloguing import Cataloguing
from monitor.worker.delivery import Delivery
from monitor.worker.drilling import Drilling
from monitor.worker.evaluation import Evaluation
from monitor.worker.heartbeat import Heartbeat
from monitor.worker.noticing import Noticing
from monitor.worker.noting import Noting
from monitor.worker.probing import Probing
from monitor.worker.pruning import Broom, Pruning
from monitor.worker.reminding import Reminding
from monitor.worker.reporting import Plan, Reporting
from monitor.worker.sampling import Sampling
from monitor.worker.schedule import Job
from monitor.worker.standing import Standing
from monitor.worker.watching import Watch

FAILING_CHANNELS = 4
"""So many channels that fail are asked at a time, beside those that work."""
SESSIONS_KEPT = timedelta(days=30)
SESSIONS_IDLE = timedelta(days=7)
MINUTES_KEPT = timedelta(days=35)
SIGHTINGS_KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the jobs work with."""

    settings: Settings
    sealing_key: bytes
    control: Control
    facts: FactReader
    following: Following
    clock: Clock


def jobs_of(parts: Parts) -> list[Job]:
    """Every job, in the order in which the first round should see them."""
    heartbeat = _heartbeat(parts)
    return [
        Job("catalog", _each(timedelta(seconds=15)), _cataloguing(parts).run),
        Job("feed", _each(timedelta(seconds=1)), _intake(parts).run),
        Job("rules", _each(timedelta(seconds=1)), heartbeat.after(_evaluation(parts).run)),
        Job("watch", _each(timedelta(seconds=15)), _watch(parts).run),
        Job("replay", _each(timedelta(seconds=1)), _replay(parts).run),
        Job("notifications", _each(timedelta(seconds=1)), _delivery(parts).run),
        Job("reminders", _each(timedelta(seconds=30)), _reminding(parts).run),
        Job("acknowledgements", _each(timedelta(seconds=10)), _passing_on(parts).run),
        Job("standing alerts", _each(timedelta(minutes=1)), _standing(parts).run),
        Job("heartbeat", _each(timedelta(seconds=5)), heartbeat.run),
        Job("drill", _each(timedelta(minutes=5)), _drilling(parts).run),
        Job("probes", _each(timedelta(seconds=5)), _probing(parts).run),
        Job("queues", _each(timedelta(seconds=5)), _sampling(parts).run),
        Job("canaries", _each(timedelta(seconds=5)), _canaries(parts).run),
        Job("redelivery", _each(timedelta(minutes=5)), _redelivery(parts).run),
        Job("report", _each(timedelta(minutes=10)), _reporting(parts).run),
        Job("sightings", _each(timedelta(seconds=15)), _noticing(parts).run),
        Job("minutes", _each(timedelta(seconds=15)), _noting(parts).run),
        Job("prune", _each(timedelta(hours=1)), _pruning(parts).run),
    ]


def _each(every: timedelta) -> IntervalTrigger:
    return IntervalTrigger(seconds=every.total_seconds(), timezone=UTC)


def _cataloguing(parts: Parts) -> Cataloguing:
    return Cataloguing(parts.facts.series, parts.control.catalog.register, parts.clock.now)


def _intake(parts: Parts) -> Intake:
    document = parts.following.document
    return Intake(
        parts.control,
        parts.facts,
        lambda: document().effective_routes(),
        parts.clock,
        lambda: document().effective_windows(),
        lambda: document().effective_inhibitions(),
    )


def _replay(parts: Parts) -> ReplayEngine:
    document = parts.following.document
    return ReplayEngine(
        parts.control,
        parts.facts,
        lambda: Client(Egress(document().egress.allow)),
        Sealer(parts.sealing_key),
        parts.clock,
        lambda: document().replay.timeout,
    )


def _redelivery(parts: Parts) -> Redelivery:
    document = parts.following.document
    new_id = partial(secrets.token_hex, 16)
    return Redelivery(parts.control, parts.facts, parts.clock, new_id, lambda: document().replay.per_second)


def _evaluation(parts: Parts) -> Evaluation:
    document = parts.following.document
    disk = no_disk if facts_url(parts.settings) else disk_of(parts.settings.data_dir)
    return Evaluation(
        observing(parts.facts, parts.control, document, parts.settings.facts_budget_bytes, disk),
        lambda: document().effective_rules(),
        lambda: document().effective_routes(),
        parts.control.book,
        parts.clock.now,
        windows=lambda: document().effective_windows(),
        inhibitions=lambda: document().effective_inhibitions(),
        damping=lambda: document().flapping.damping(),
        monotonic=parts.clock.monotonic,
        boot=boot_name(),
    )


def _watch(parts: Parts) -> Watch:
    return Watch(_evaluation(parts), partial(evaluated_at, parts.control))


def _delivery(parts: Parts) -> Delivery:
    return Delivery(
        parts.control.notifications,
        _Channels(parts.following.document),
        links_of(parts.settings, parts.sealing_key),
        parts.clock.now,
        random.random,
        beside=ThreadPoolExecutor(FAILING_CHANNELS, "channel").submit,
    )


def _standing(parts: Parts) -> Standing:
    channels, links = _Channels(parts.following.document), links_of(parts.settings, parts.sealing_key)
    return Standing(parts.control.book, channels, links, parts.clock.now)


def _passing_on(parts: Parts) -> PassingOn:
    channels = _Channels(parts.following.document)
    return PassingOn(parts.control.book, parts.control.notifications, channels, parts.clock.now)


def _drilling(parts: Parts) -> Drilling:
    document = parts.following.document
    return Drilling(lambda: drills.plan_of(document()), parts.control.notifications, parts.clock.now)


def _heartbeat(parts: Parts) -> Heartbeat:
    document = parts.following.document

    def url() -> str:
        ref = document().heartbeat.url
        return resolve(ref, environment()) if ref else ""

    return Heartbeat(url, lambda: Client(Egress(document().egress.allow)), parts.clock.monotonic)


class _Channels:
    """The channels of the document in force, made anew when another one is."""

    def __init__(self, document: Callable[[], Document]) -> None:
        self._document = document
        self._made_of: Document | None = None
        self._channels: Mapping[str, Channel] = {}

    def __call__(self) -> Mapping[str, Channel]:
        document = self._document()
        if document is not self._made_of:
            self._made_of, self._channels = document, channels_of(document, environment())
        return self._channels


def _reminding(parts: Parts) -> Reminding:
    document = parts.following.document
    return Reminding(parts.control.silences, lambda: document().effective_routes(), parts.clock.now)


def _probing(parts: Parts) -> Probing:
    document = parts.following.document

    def look(target: ProbeTarget, kind: ProbeKind, timeout_s: float) -> ProbeResult:
        allow, ca_file = document().egress.allow, document().probes.ca_file
        return probes.Looker(allow, parts.clock, ca_file)(target, kind, timeout_s)

    report = probes.CollectorReport(collector_url(parts.settings), internal_key(parts.sealing_key))
    return Probing(
        lambda: probes.plan_of(document(), parts.control.catalog.endpoints()), look, report, parts.clock
    )


def _sampling(parts: Parts) -> Sampling:
    document = parts.following.document

    def sample(target: QueueTarget, timeout_s: float) -> QueueSample:
        egress, ca_file = Egress(document().egress.allow), document().probes.ca_file
        return sample_queue(target, egress, parts.clock, timeout_s, ca_file=ca_file)

    report = probes.CollectorReport(collector_url(parts.settings), internal_key(parts.sealing_key))
    return Sampling(
        lambda: probes.sampling_plan_of(document(), environment()), sample, report.queues, parts.clock
    )


def _canaries(parts: Parts) -> Canaries:
    document, control = parts.following.document, parts.control
    secret_of = probes.secrets_of(control.catalog, Sealer(parts.sealing_key))

    def send(target: ProbeTarget, canary_id: str, timeout_s: float) -> ProbeResult:
        client = Client(Egress(document().egress.allow), ca_file=document().probes.ca_file)
        return send_canary(target, canary_id, secret_of, client, parts.clock, timeout_s)

    def must_lead(epoch: int) -> None:
        with control.leading(epoch):
            pass

    return Canaries(
        lambda: probes.canary_plan_of(document(), control.catalog.endpoints()),
        send,
        lambda target, canary_id: arrived(target, canary_id, parts.facts),
        probes.CollectorReport(collector_url(parts.settings), internal_key(parts.sealing_key)),
        must_lead,
        partial(secrets.token_hex, 16),
        parts.clock,
    )


def _noting(parts: Parts) -> Noting:
    return Noting(partial(records_by_minute, parts.facts), parts.control.minutes, parts.clock.now)


def _noticing(parts: Parts) -> Noticing:
    return Noticing(partial(seen_since, parts.facts), parts.control.sightings, parts.clock.now)


def _reporting(parts: Parts) -> Reporting:
    document = parts.following.document

    def build(week: str, plan: Plan, as_of: datetime) -> SlaReport:
        return weekly_report(
            parts.facts,
            week,
            plan.zone,
            as_of,
            environment=plan.environment,
            objectives=plan.objectives,
            expected=plan.expected,
        )

    return Reporting(
        lambda: reports.plan_of(document()), build, reports.SentReports(parts.control), parts.clock.now
    )


def _pruning(parts: Parts) -> Pruning:
    document, control = parts.following.document, parts.control

    def sessions(before: datetime, epoch: int) -> int:
        with control.leading(epoch) as tx:
            return control.accounts.close_sessions(tx, before, parts.clock.now() - SESSIONS_IDLE)

    def quiet_issues(before: datetime, epoch: int) -> int:
        return control.issues.end_quiet(before, parts.clock.now(), epoch)

    brooms: Sequence[Broom] = (
        Broom("quiet issues", lambda: document().issues.quiet_after, quiet_issues),
        Broom("issues", lambda: document().maintenance.issues, control.issues.purge),
        Broom("notes of minutes", lambda: MINUTES_KEPT, control.minutes.purge),
        Broom("sightings", lambda: SIGHTINGS_KEPT, control.sightings.purge),
        Broom("notes of counted failures", lambda: COUNTED_KEPT, control.issues.forget_counted),
        Broom("alerts", lambda: document().maintenance.alerts, control.alerts.purge),
        Broom("hidden alerts", lambda: document().maintenance.alerts, control.silences.purge),
        Broom("notifications", lambda: document().maintenance.notifications, control.notifications.purge),
        Broom("sessions", lambda: SESSIONS_KEPT, sessions),
    )
    return Pruning(brooms, parts.clock.now)
