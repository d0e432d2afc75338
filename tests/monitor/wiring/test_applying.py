"""A document put in force, over a real control store."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.config import stored
from monitor.errors import ConfigError
from monitor.replay.secrets import opened_secret
from monitor.seal import Sealer
from monitor.store.control import Control, upgrade
from monitor.store.control.catalog import ManagedBy
from monitor.wiring.applying import Applied, apply, differences
from tests.monitor.clocks import FakeClock

CLOCK = FakeClock()
SEALER = Sealer(b"k" * 32)
PAYMENTS = {"source": "acme", "name": "payments", "url": "https://hooks.example.com/acme"}


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    url = f"sqlite:///{tmp_path / 'control.db'}"
    upgrade(url)
    opened = Control.open(url, CLOCK)
    yield opened
    opened.close()


def put(control: Control, body: dict[str, Any], environ: dict[str, str] | None = None) -> Applied:
    return apply(
        control,
        stored(body),
        origin="hookvitals.toml",
        by="ann",
        at=CLOCK.now(),
        sealer=SEALER,
        environ=environ or {},
    )


def test_each_change_is_one_more_version_and_the_same_content_is_none(control: Control) -> None:
    assert put(control, {}).number == 1
    assert put(control, {"egress": {"allow": ["10.0.0.0/8"]}}).number == 2
    again = put(control, {"egress": {"allow": ["10.0.0.0/8"]}})
    assert (again.number, again.is_new, again.changes) == (2, False, [])
    assert control.configs.latest() == (2, {"egress": {"allow": ["10.0.0.0/8"]}})


def test_declared_endpoint_is_registered_with_its_secret_sealed(control: Control) -> None:
    put(control, {"endpoints": [{**PAYMENTS, "replay_secret": {"env": "SECRET"}}]}, {"SECRET": "whsec_x"})
    [endpoint] = control.catalog.endpoints()
    assert (endpoint.url, endpoint.managed_by) == (PAYMENTS["url"], ManagedBy.FILE)
    assert endpoint.replay_secret is not None
    assert b"whsec_x" not in endpoint.replay_secret
    assert opened_secret(SEALER, endpoint.replay_secret, *endpoint.key) == "whsec_x"


def test_secret_that_cannot_be_read_changes_nothing(control: Control) -> None:
    with pytest.raises(ConfigError, match="SECRET is not set"):
        put(control, {"endpoints": [{**PAYMENTS, "replay_secret": {"env": "SECRET"}}]})
    assert control.configs.latest() is None
    assert control.catalog.endpoints() == []


def test_endpoint_that_the_file_no_longer_declares_loses_its_url_and_stays_known(control: Control) -> None:
    put(control, {"endpoints": [PAYMENTS]})
    put(control, {})
    [endpoint] = control.catalog.endpoints()
    assert (endpoint.url, endpoint.managed_by) == (None, ManagedBy.SEEN)


def test_endpoint_that_was_only_seen_is_left_alone(control: Control) -> None:
    control.catalog.register([("production", "acme", "orders")], CLOCK.now())
    put(control, {"endpoints": [PAYMENTS]})
    assert [one.managed_by for one in control.catalog.endpoints()] == [ManagedBy.SEEN, ManagedBy.FILE]


def test_source_has_its_providers_deadline(control: Control) -> None:
    put(control, {"sources": [{"name": "hopnow"}]})
    assert [source.ack_deadline for source in control.catalog.sources()] == [timedelta(seconds=5)]


def test_new_version_is_audited(control: Control) -> None:
    put(control, {})
    put(control, {})
    assert [(row.actor, row.action, row.subject) for row in control.audit.page()] == [
        ("ann", "config.apply", "config/1")
    ]


def test_endpoints_of_one_name_are_told_apart_by_source_and_environment() -> None:
    sandbox = {**PAYMENTS, "environment": "sandbox"}
    changed = {**PAYMENTS, "probe": False}
    assert differences({"endpoints": [PAYMENTS, sandbox]}, {"endpoints": [sandbox, changed]}) == [
        "+ endpoints.production/acme/payments.probe: False"
    ]


def test_a_version_is_kept_as_it_was(control: Control) -> None:
    put(control, {"probes": {"interval": "5m"}})
    put(control, {})
    first = control.configs.version(1)
    assert first is not None
    assert (first.body, first.origin, first.applied_by) == (
        {"probes": {"interval": "5m"}},
        "hookvitals.toml",
        "ann",
    )
    assert control.configs.version(3) is None


def test_differences_name_each_value_by_its_table() -> None:
    before = {"rules": [{"kind": "error_rate", "threshold": 0.05}], "egress": {"allow": ["10.0.0.0/8"]}}
    after = {
        "rules": [{"kind": "queue_depth", "threshold": 5}, {"kind": "error_rate", "threshold": 0.1}],
    }
    assert differences(before, after) == [
        "- egress: {'allow': ['10.0.0.0/8']}",
        "~ rules.error_rate.threshold: 0.05 → 0.1",
        "+ rules.queue_depth: {'kind': 'queue_depth', 'threshold': 5}",
    ]
