"""The demo's hookvitals.toml is one that the monitor itself accepts."""

from datetime import timedelta
from pathlib import Path

from monitor.config import load
from monitor.maintain.demo.settings_file import Places, file_text


def test_file_of_the_demo_is_accepted_and_says_its_windows(tmp_path: Path) -> None:
    places = Places(tmp_path, 1001, 1002, "http://127.0.0.1:1003", 1004, (("acme", "orders", "/acme"),))
    file = tmp_path / "hookvitals.toml"
    file.write_text(file_text(places))
    loaded = load(file, {})
    rules = {rule.name: rule for rule in loaded.document.effective_rules()}
    assert rules["error_rate"].window == timedelta(minutes=2)
    assert rules["error_rate"].interval == timedelta(seconds=5)
    assert rules["error_rate"].threshold == 0.05
    assert [endpoint.url for endpoint in loaded.document.endpoints] == ["http://127.0.0.1:1003/acme"]
    assert loaded.settings.data_dir == tmp_path / "data"
    assert {channel.name for channel in loaded.document.channels} == {"team", "mailbox"}
