"""The endpoint a probe looks at."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from monitor.model import ProbeKind, ProbeResult
from monitor.store.control.catalog import Conditions

NO_CONDITIONS = Conditions()


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """Where to look, and for whom. statuses: the answers that count as up; empty means any below 500.

    hook_url: where events are received, when `url` is another page. kinds: the looks it wants.
    """

    environment: str
    source: str
    endpoint: str
    url: str
    method: str = "GET"
    statuses: tuple[int, ...] = ()
    conditions: Conditions = NO_CONDITIONS
    hook_url: str | None = None
    kinds: tuple[ProbeKind, ...] = (ProbeKind.HTTP, ProbeKind.TLS)

    @property
    def receives_at(self) -> str:
        return self.hook_url or self.url

    @property
    def looks(self) -> tuple[ProbeKind, ...]:
        """The kinds of looks that can be taken: without https:// there is no certificate."""
        has_tls = urlsplit(self.receives_at).scheme == "https"
        return tuple(kind for kind in self.kinds if has_tls or kind is not ProbeKind.TLS)


def result_fields(result: ProbeResult) -> dict[str, object]:
    """The result as the collector's `POST /api/v1/probes` takes it."""
    fields: dict[str, object] = {
        "environment": result.environment,
        "source": result.source,
        "endpoint": result.endpoint,
        "kind": ProbeKind(result.kind).value,
        "ok": result.ok,
        "checked_at": result.checked_at.isoformat(),
        "http_status": result.http_status,
        "latency_ms": result.latency_ms,
        "error": result.error,
        "cert_not_after": result.cert_not_after.isoformat() if result.cert_not_after else None,
        "cert_subject": result.cert_subject,
        "cert_issuer": result.cert_issuer,
    }
    return {name: value for name, value in fields.items() if value is not None}
