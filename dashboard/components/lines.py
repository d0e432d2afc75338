"""A plain table for few rows; it scrolls inside its box where the screen is narrow."""

from collections.abc import Sequence

from dash import html

from dashboard.components.text import Children


def lines(heads: Sequence[str], rows: Sequence[Sequence[Children]]) -> html.Div:
    """heads: a leading `>` aligns the column right."""
    right = ["right" if head.startswith(">") else "" for head in heads]
    return html.Div(
        html.Table(
            [
                html.Thead(
                    html.Tr(
                        [
                            html.Th(h.lstrip(">"), className=c, scope="col")
                            for h, c in zip(heads, right, strict=True)
                        ]
                    )
                ),
                html.Tbody(
                    [
                        html.Tr([html.Td(cell, className=c) for cell, c in zip(row, right, strict=True)])
                        for row in rows
                    ]
                ),
            ],
            className="lines",
        ),
        className="scroll",
        tabIndex=0,
    )
