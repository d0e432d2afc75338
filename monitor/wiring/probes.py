"""The probes put together: what the document and the catalogue say is looked at, and how results get home."""

import json
from collections.abc import Mapping, Sequence

from alerts.egress import Egress
from alerts.errors import RequestFailed
from alerts.http import Client
from monitor.clock import Clock
from monitor.config import Document, resolve
from monitor.errors import Unavailable
from monitor.model import DEFAULT_ENVIRONMENT, ProbeKind, ProbeResult, QueueSample
from monitor.probes.canary import SecretOf
from monitor.probes.exposure import probe_method, probe_unsigned
from monitor.probes.http import probe_http
from monitor.probes.queues.target import QueueKind, QueueTarget, sample_fields
from monitor.probes.target import ProbeTarget, result_fields
from monitor.probes.tls import probe_tls
from monitor.replay.secrets import opened_secret
from monitor.seal import Sealer, Unsealable
from monitor.store.control.catalog import Catalog, Endpoint
from monitor.worker.canaries import CanaryPlan
from monitor.worker.probing import Plan
from monitor.worker.sampling import SamplingPlan

EVERYWHERE = ("0.0.0.0/0", "::/0")
"""The collector is one of our own processes: it is dialled wherever the settings say it is."""
REPORT_TIMEOUT_S = 10.0
NAME_CHARS = 128
ALWAYS = (ProbeKind.HTTP, ProbeKind.TLS)
EXPOSURE = (ProbeKind.UNSIGNED, ProbeKind.METHOD)
LOOKS = {ProbeKind.UNSIGNED: probe_unsigned, ProbeKind.METHOD: probe_method}


def plan_of(document: Document, endpoints: Sequence[Endpoint]) -> Plan:
    """Every registered endpoint that has a URL and wants to be probed."""
    targets = [
        ProbeTarget(
            one.environment,
            one.source,
            one.name,
            one.probe.url or one.url,
            one.probe.method,
            one.probe.statuses,
            one.probe.conditions,
            one.url,
            (*ALWAYS, *EXPOSURE) if one.probe.exposure else ALWAYS,
        )
        for one in endpoints
        if one.url is not None and one.probe.enabled
    ]
    targets += _providers(document, targets)
    wanted = document.probes
    return Plan(
        targets,
        wanted.interval,
        wanted.tls_interval,
        wanted.timeout,
        wanted.exposure_interval,
        document.effective_windows(),
    )


def canary_plan_of(document: Document, endpoints: Sequence[Endpoint]) -> CanaryPlan:
    """Every registered endpoint that wants canaries."""
    targets = [
        ProbeTarget(one.environment, one.source, one.name, one.url, kinds=(ProbeKind.CANARY,))
        for one in endpoints
        if one.url is not None and one.probe.enabled and one.probe.canary
    ]
    wanted = document.probes
    windows = document.effective_windows()
    return CanaryPlan(targets, wanted.canary_interval, wanted.canary_within, wanted.timeout, windows)


def sampling_plan_of(document: Document, environ: Mapping[str, str]) -> SamplingPlan:
    """Every queue of the file. Raises ConfigError for a password that cannot be read."""
    queues = [
        QueueTarget(
            one.environment,
            one.source,
            one.endpoint,
            one.name or one.queue[:NAME_CHARS],
            QueueKind(one.kind),
            one.url,
            one.queue,
            one.vhost,
            one.group,
            one.user,
            resolve(one.password, environ) if one.password else None,
        )
        for one in document.queues
    ]
    return SamplingPlan(queues, document.probes.queue_interval, document.probes.timeout)


def secrets_of(catalog: Catalog, sealer: Sealer) -> SecretOf:
    """The replay secrets as the catalogue has them now."""

    def secret_of(target: ProbeTarget) -> str:
        key = target.environment, target.source, target.endpoint
        endpoint = catalog.endpoint(*key)
        if endpoint is None or endpoint.replay_secret is None:
            raise ValueError("the endpoint has no replay_secret")
        try:
            return opened_secret(sealer, endpoint.replay_secret, *key)
        except Unsealable:
            raise ValueError("its replay_secret was sealed with another key; set it anew") from None

    return secret_of


def _providers(document: Document, targets: Sequence[ProbeTarget]) -> list[ProbeTarget]:
    """The API of each source that names one, looked at on behalf of the source's first endpoint."""
    hosts = {source.name: source.api_host for source in document.sources if source.api_host}
    first: dict[str, ProbeTarget] = {}
    for target in sorted(targets, key=lambda one: (one.environment != DEFAULT_ENVIRONMENT, one.endpoint)):
        first.setdefault(target.source, target)
    return [
        ProbeTarget(
            one.environment,
            one.source,
            one.endpoint,
            f"https://{hosts[one.source]}/",
            kinds=(ProbeKind.PROVIDER,),
        )
        for one in first.values()
        if one.source in hosts
    ]


class Looker:
    """Makes single probes through the egress of the document in force."""

    def __init__(self, allow: Sequence[str], clock: Clock, ca_file: str | None = None) -> None:
        self._egress = Egress(allow)
        self._client = Client(self._egress, ca_file=ca_file)
        self._ca_file = ca_file
        self._clock = clock

    def __call__(self, target: ProbeTarget, kind: ProbeKind, timeout_s: float) -> ProbeResult:
        if kind in (ProbeKind.TLS, ProbeKind.PROVIDER):
            trusted = self._ca_file
            return probe_tls(target, self._egress, self._clock, timeout_s, ca_file=trusted, kind=kind)
        look = LOOKS.get(kind, probe_http)
        return look(target, self._client, self._clock, timeout_s)


class CollectorReport:
    """Hands results and samples to the collector, like any other client."""

    def __init__(self, collector_url: str, key: str) -> None:
        self._url = f"{collector_url.rstrip('/')}/api/v1"
        self._key = key
        self._client = Client(Egress(EVERYWHERE))

    def __call__(self, results: Sequence[ProbeResult]) -> None:
        """Returns once they are on disk. Raises Unavailable."""
        self._post("probes", "probe results", [result_fields(result) for result in results])

    def queues(self, samples: Sequence[QueueSample]) -> None:
        """Returns once they are on disk. Raises Unavailable."""
        self._post("queues", "queue samples", [sample_fields(sample) for sample in samples])

    def _post(self, route: str, what: str, content: Sequence[Mapping[str, object]]) -> None:
        body = json.dumps(content).encode()
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        try:
            answer = self._client.request("POST", f"{self._url}/{route}", headers, body, REPORT_TIMEOUT_S)
        except RequestFailed as exc:
            raise Unavailable(f"the collector does not take {what}: {exc}") from exc
        if answer.status != 200:
            said = answer.body.decode(errors="replace")[:300]
            raise Unavailable(f"the collector answered {answer.status} to {what}: {said}")
