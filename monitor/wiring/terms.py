"""What each endpoint's sender expects, put together for the rules from what is declared and what is known.

An endpoint's own deadline goes before its source's, a declared value before the provider's own.
"""

from collections.abc import Iterable, Mapping

from alerts.model import Terms
from alerts.patterns import matches
from monitor.config import Document
from monitor.config.tables import SourceTable
from monitor.model import SeriesKey
from monitor.store.control.catalog import Endpoint, Source


def terms_of(
    sources: Iterable[Source], endpoints: Iterable[Endpoint], document: Document
) -> Mapping[SeriesKey, Terms]:
    """The terms of every endpoint. Where several SLOs cover one, the strictest counts."""
    known = {source.name: source for source in sources}
    return {
        SeriesKey(one.environment, one.source, one.name): _terms(one, known.get(one.source), document)
        for one in endpoints
    }


def _terms(endpoint: Endpoint, source: Source | None, document: Document) -> Terms:
    usual = SourceTable(name=endpoint.source)
    objectives = [
        slo.objective
        for slo in document.slos
        if matches(slo.source, endpoint.source) and matches(slo.endpoint, endpoint.name)
    ]
    return Terms(
        endpoint.ack_deadline or (source and source.ack_deadline) or usual.deadline_or_default,
        (source and source.expected_statuses) or usual.expected_statuses,
        (source and source.retry_horizon) or usual.retry_horizon,
        max(objectives, default=None),
        {
            secret.id: secret.remove_after
            for table in document.sources
            if table.name == endpoint.source
            for secret in table.secrets
        },
    )
