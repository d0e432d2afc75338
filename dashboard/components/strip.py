"""Probes over time as a row of cells, as status pages draw them: up, partly up, down, not probed."""

from collections.abc import Sequence

from dash import html

from dashboard import format as fmt
from dashboard.components.attributes import attributes
from dashboard.components.text import Children
from dashboard.views import ProbedCell


def strip(title: str, value: Children, cells: Sequence[ProbedCell]) -> html.Div:
    """title, value: what stands above. What each cell holds shows on hover; a sentence says it all."""
    bad = sum(cell.ok < cell.all for cell in cells)
    said = f"{title}: {bad} of {len(cells)} cells with a failed probe"
    return html.Div(
        [
            html.Div([html.Span(title), html.Span(value)], className="strip-head"),
            html.Div(
                [html.Span(className=f"cell cell-{look(cell)}", title=_told(cell)) for cell in cells],
                className="strip",
                role="img",
                **attributes(aria_label=said),
            ),
        ]
    )


def look(cell: ProbedCell) -> str:
    """none, up, partly or down: where not one probe was ok."""
    if not cell.all:
        return "none"
    if cell.ok == cell.all:
        return "up"
    return "partly" if cell.ok else "down"


def _told(cell: ProbedCell) -> str:
    at = f"{fmt.moment(cell.start_at)[:-3]} UTC"
    if not cell.all:
        return f"{at}: not probed"
    return f"{at}: {fmt.count(cell.all - cell.ok)} of {fmt.count(cell.all)} probes failed"
