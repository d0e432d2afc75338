from base64 import b64decode
from datetime import timedelta
from pathlib import Path
from typing import Any

import dashboard
from dashboard.figures.gantt import Bar, gantt
from dashboard.figures.lines import depth, error_rate, quantiles
from dashboard.figures.sparkline import HEIGHT, sparkline
from dashboard.figures.throughput import throughput
from dashboard.palette import DARK, LIGHT, outcome_colour
from monitor.model import Outcome
from tests.dashboard.support import NOW

STARTS = [NOW - timedelta(minutes=3 - i) for i in range(3)]


def words_on(figure: Any) -> list[str]:
    return [note.text for note in figure.layout.annotations]


def test_each_outcome_is_a_bar_with_its_own_counts() -> None:
    counts = [{Outcome.SUCCEEDED: 5, Outcome.FAILED: 1}, {}, {Outcome.SUCCEEDED: 7}]
    figure = throughput(STARTS, counts, NOW, LIGHT)
    assert {bar.name: list(bar.y) for bar in figure.data} == {"succeeded": [5, 0, 7], "failed": [1, 0, 0]}
    assert figure.data[0].marker.color == outcome_colour(LIGHT, Outcome.SUCCEEDED)


def test_the_axis_covers_the_whole_range_so_that_silence_is_seen() -> None:
    figure = throughput(STARTS, [{Outcome.SUCCEEDED: 5}, {}, {}], NOW, LIGHT)
    assert list(figure.layout.xaxis.range) == ["2026-11-21T03:56:00", "2026-11-21T03:59:00"]


def test_a_bucket_without_attempts_is_a_gap_in_the_error_rate() -> None:
    figure = error_rate(STARTS, [0.5, None, 0.0], NOW, LIGHT, threshold=0.05)
    assert list(figure.data[0].y) == [50.0, None, 0.0]
    assert list(figure.data[0].customdata) == ["50.00 %", "no data", "0 %"]
    assert figure.layout.shapes[0].y0 == 5.0


def test_charts_of_nothing_say_no_data() -> None:
    empty = [None, None, None]
    assert words_on(throughput(STARTS, [{}, {}, {}], NOW, LIGHT)) == ["no data"]
    assert words_on(error_rate(STARTS, empty, NOW, LIGHT)) == ["no data"]
    assert words_on(quantiles(STARTS, {"p95": empty}, NOW, LIGHT)) == ["no data"]
    assert words_on(depth({}, STARTS[0], NOW, LIGHT)) == ["no data"]
    assert words_on(gantt([], [], LIGHT)) == ["no durations were reported"]


def test_charts_take_the_colours_of_the_scheme() -> None:
    light = quantiles(STARTS, {"p50": [1.0, 2.0, 3.0]}, NOW, LIGHT)
    dark = quantiles(STARTS, {"p50": [1.0, 2.0, 3.0]}, NOW, DARK)
    assert light.data[0].line.color == LIGHT.sky
    assert dark.data[0].line.color == DARK.sky
    assert dark.layout.hoverlabel.bgcolor == DARK.surface


def test_a_zoom_survives_a_refresh_but_not_another_range() -> None:
    one, other = (
        error_rate(STARTS, [0.1, 0.1, 0.1], NOW, LIGHT, key=key) for key in ("production 1h", "production 6h")
    )
    assert one.layout.uirevision != other.layout.uirevision


def test_a_bar_of_the_timeline_starts_where_its_phase_did() -> None:
    figure = gantt([Bar("1. failed 1", "process", 220.0, 1130.0)], ["1. failed 1"], LIGHT)
    assert (figure.data[0].base[0], figure.data[0].x[0]) == (220.0, 1130.0)


def test_a_sparkline_breaks_at_a_gap_and_starts_at_zero() -> None:
    address = sparkline([0.0, 10.0, None, 5.0, 5.0])
    assert address is not None
    svg = b64decode(address.removeprefix("data:image/svg+xml;base64,")).decode()
    assert svg.count("<polyline") == 2
    assert f'points="0.0,{HEIGHT - 2:.1f} 30.0,2.0"' in svg


def test_one_value_makes_no_sparkline() -> None:
    assert sparkline([3.0]) is None
    assert sparkline([None, 3.0, None]) is None


def test_every_chart_is_made_by_the_one_helper() -> None:
    root = Path(dashboard.__file__).parent
    makers = [path.name for path in root.rglob("*.py") if "dcc.Graph" in path.read_text("utf-8")]
    assert makers == ["graph.py"]
