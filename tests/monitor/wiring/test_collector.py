"""The collector's settings out of the process's, and its keys out of control."""

import hashlib
import pickle
from functools import partial
from pathlib import Path

from monitor.clock import SystemClock
from monitor.config import Settings
from monitor.store.control import Control, upgrade
from monitor.store.control.keys import ApiKey
from monitor.wiring.collector import collector_settings, load_keys
from monitor.wiring.stores import control_url, facts_path


def test_settings_of_the_process_reach_the_collector(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "data_dir": tmp_path,
            "secret_key": "ab" * 32,
            "collector_port": 9000,
            "collector_workers": 4,
            "retention": "7d",
            "facts_budget_bytes": 10**9,
            "key_records_per_s": 500,
        }
    )
    made = collector_settings(settings)
    assert (made.port, made.workers, made.retention_s) == (9000, 4, 7 * 86_400)
    assert (made.budget_bytes, made.key_records_per_s) == (10**9, 500)
    assert made.facts_path == facts_path(settings)
    assert made.secret_key == b"\xab" * 32


def test_keys_of_control_are_those_of_the_collector_in_any_process(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    upgrade(control_url(settings))
    control = Control.open(control_url(settings))
    digest = hashlib.sha256(b"secret").hexdigest()
    now, ingest, stripe = SystemClock().now(), frozenset({"ingest"}), frozenset({"stripe"})
    made = ApiKey("abc", digest, "billing", ingest, stripe, None, "ann", now)
    with control.write() as tx:
        control.keys.add(tx, made)
        control.keys.revoke(tx, "abc", now)
    control.close()
    load = pickle.loads(pickle.dumps(partial(load_keys, control_url(settings))))
    [key] = load()
    assert (key.id, key.hash, key.sources, key.revoked) == ("abc", digest, stripe, True)
