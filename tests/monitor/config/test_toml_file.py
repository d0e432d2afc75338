"""Pointing at the line a key stands on."""

from pathlib import Path

import pytest

from monitor.config.toml_file import key_text, line_of, read_toml
from monitor.errors import ConfigError

TEXT = """\
# a comment
[egress]
allow = ["10.0.0.0/8"]

[[rules]]
kind = "error_rate"

[[rules]]   # the second
kind = "queue_depth"
"threshold" = 100
params.quantile = 0.95

[[routes]]
[[routes.steps]]
after = "1m"
[[routes]]
[[routes.steps]]
after = "2m"
[[routes.steps]]
after = "3m"
[routes.matchers]
source = "stripe"
"""


@pytest.mark.parametrize(
    ("location", "line"),
    [
        (("egress", "allow", 0), 3),
        (("rules", 0, "kind"), 6),
        (("rules", 1, "kind"), 9),
        (("rules", 1, "threshold"), 10),
        (("rules", 1, "params", "quantile"), 11),
        (("rules", 1, "missing"), 8),
        (("routes", 0, "steps", 0, "after"), 15),
        (("routes", 1, "steps", 1, "after"), 20),
        (("routes", 1, "matchers", "source"), 22),
        (("channels", 0), None),
    ],
)
def test_line_of_the_deepest_known_part(location: tuple[str | int, ...], line: int | None) -> None:
    assert line_of(TEXT, location) == line


def test_location_reads_as_a_person_writes_it() -> None:
    assert key_text(("rules", 1, "threshold")) == "rules[1].threshold"


def test_broken_toml_names_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "hookvitals.toml"
    file.write_text("[egress]\nallow = [\n\nfoo bar\n")
    with pytest.raises(ConfigError, match=r"hookvitals\.toml, line 4: not valid TOML"):
        read_toml(file)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no file .*none\.toml"):
        read_toml(tmp_path / "none.toml")


def test_mark_of_an_editor_at_the_beginning_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "hookvitals.toml"
    file.write_bytes(b"\xef\xbb\xbf[egress]\nallow = []\n")
    assert read_toml(file)[0] == {"egress": {"allow": []}}
