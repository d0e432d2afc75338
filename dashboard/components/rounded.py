"""The line that says a range was widened, because finer counts of its beginning are purged."""

from datetime import datetime

from dash import html

from dashboard.components.panel import notice
from dashboard.palette import Tone
from monitor.model import Grain

_WIDE = {Grain.HOUR: "hours", Grain.DAY: "days"}


def rounded(to: Grain | None, start_at: datetime) -> list[html.Div]:
    """One notice across the tiles; none where counts are exact. start_at: from when on they count."""
    if to not in _WIDE:
        return []
    told = notice(
        Tone.INFO,
        f"Counted in whole {_WIDE[to]} from {start_at:%Y-%m-%d %H:%M} UTC.",
        "The range begins below the store's floor, where finer counts are purged.",
    )
    return [html.Div(told, style={"gridColumn": "1 / -1"})]
