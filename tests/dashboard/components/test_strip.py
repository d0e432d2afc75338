import pytest

from dashboard.components.strip import look, strip
from dashboard.views import ProbedCell
from tests.dashboard.support import NOW
from tests.dashboard.test_shell import text_of


@pytest.mark.parametrize(
    ("ok", "every", "looks"), [(0, 0, "none"), (30, 30, "up"), (29, 30, "partly"), (0, 30, "down")]
)
def test_a_cell_looks_as_its_probes_were(ok: int, every: int, looks: str) -> None:
    assert look(ProbedCell(NOW, ok, every)) == looks


def test_a_strip_says_in_words_what_it_shows() -> None:
    cells = [ProbedCell(NOW, 30, 30), ProbedCell(NOW, 10, 30), ProbedCell(NOW, 0, 0)]
    shown = strip("Up, last 24h", "66.67 %", cells)
    assert text_of(shown).split() == ["Up,", "last", "24h", "66.67", "%"]
    assert "Up, last 24h: 1 of 3 cells with a failed probe" in str(shown)
    assert "2026-11-21 03:59 UTC: 20 of 30 probes failed" in str(shown)
    assert "2026-11-21 03:59 UTC: not probed" in str(shown)
