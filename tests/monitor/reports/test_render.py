"""A report reads the same in every form, and harms no reader."""

import csv
import io
import json
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from monitor.figures import Rate
from monitor.model import SeriesKey
from monitor.reports.render import FORMS, milliseconds, percent, render, span
from monitor.reports.sla import Objective, SlaReport
from tests.monitor.reports.test_sla import GOOD, STRIPE, WEEK, report_of

PAYMENTS = SeriesKey("production", "stripe", "payments")


class Cells(HTMLParser):
    """The text of every table cell and paragraph, and every address that would be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str | None] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


def named(source: str, endpoint: str = "payments") -> SlaReport:
    return report_of(totals={SeriesKey("production", source, endpoint): GOOD})


def test_json_holds_shares_counts_and_the_week() -> None:
    found = json.loads(render(report_of(objectives=[Objective("slo", 0.99)]), "json"))

    assert (found["week"], found["complete"], found["no_data"]) == ("2026-W47", True, False)
    line = found["lines"][1]
    assert (line["event_success"], line["events"], line["objective_met"]) == (0.998, 1000, True)
    assert (line["uptime"], line["probes"], line["downtime_s"]) == (None, 0, None)


def test_csv_has_a_row_a_line_and_empty_cells_for_no_data() -> None:
    rows = list(csv.DictReader(io.StringIO(render(report_of(), "csv"))))

    assert [(row["source"], row["endpoint"]) for row in rows] == [("stripe", ""), ("stripe", "payments")]
    assert (rows[1]["event_success"], rows[1]["objective"], rows[1]["uptime"]) == ("0.998", "", "")
    assert rows[1]["week"] == "2026-W47"


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_csv_cell_is_a_formula(name: str) -> None:
    text = render(named(name, name), "csv")

    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert f"'{name}" in cells
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


def test_csv_survives_quotes_commas_and_line_breaks() -> None:
    name = 'a "quoted", name\nin two lines'

    rows = list(csv.DictReader(io.StringIO(render(named(name), "csv"), newline="")))

    assert rows[0]["source"] == name


def test_html_shows_names_as_text_and_loads_nothing() -> None:
    page = Cells()
    page.feed(render(named("<script>alert(1)</script>"), "html"))

    assert "script" not in page.tags
    assert "<script>alert(1)</script> / payments" in page.text
    assert page.addresses == []
    assert {"table", "th", "td"} <= page.tags


def test_html_and_text_say_the_figures_and_the_verdict() -> None:
    report = report_of(objectives=[Objective("slo", 0.999)])

    for form in ("html", "text"):
        shown = render(report, form)
        assert "99.800 %" in shown
        assert "missed" in shown.lower()
        assert "2026-W47" in shown


@pytest.mark.parametrize("form", ["html", "text", "json"])
def test_an_empty_week_is_no_data_in_words(form: str) -> None:
    shown = render(report_of(totals={}), form).lower()

    assert "no data" in shown or '"no_data": true' in shown
    assert "100" not in shown.replace("width:100%", "")


def test_a_week_in_progress_is_marked() -> None:
    report = report_of(as_of=WEEK.end_at - timedelta(days=1))

    assert "not over" in render(report, "html")
    assert "not over" in render(report, "text")
    assert json.loads(render(report, "json"))["complete"] is False


def test_every_form_is_rendered_for_a_source_alone() -> None:
    for form in FORMS:
        assert "stripe" in render(report_of(totals={STRIPE: GOOD}), form)


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        (Rate(0, 0), "no data"),
        (Rate(1, 2), "50.00 %"),
        (Rate(10**6 - 1, 10**6), "99.99 %"),
        (Rate(10**6, 10**6), "100.00 %"),
        (Rate(1, 10**6), "0.01 %"),
        (Rate(0, 10), "0.00 %"),
    ],
)
def test_a_share_is_never_rounded_to_perfection(rate: Rate, shown: str) -> None:
    assert percent(rate) == shown


def test_lengths_are_written_for_people() -> None:
    assert [milliseconds(ms) for ms in (None, 0.4, 12.3, 4567.0)] == ["no data", "0.4 ms", "12 ms", "4.57 s"]
    lengths = [None, timedelta(0), timedelta(seconds=40), timedelta(minutes=3), timedelta(minutes=125)]
    assert [span(length) for length in lengths] == ["no data", "none", "40 s", "3 min", "2 h 05 min"]
