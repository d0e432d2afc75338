"""A plain table for few rows. On a phone each row of a wide one folds into names and values."""

from collections.abc import Sequence

from dash import html

from dashboard.components.attributes import attributes
from dashboard.components.text import Children

_FITS_A_PHONE = 2  # columns


def lines(heads: Sequence[str], rows: Sequence[Sequence[Children]]) -> html.Div:
    """heads: a leading `>` aligns the column right."""
    right = ["right" if head.startswith(">") else "" for head in heads]
    names = [head.lstrip(">") for head in heads]
    return html.Div(
        html.Table(
            [
                html.Thead(
                    html.Tr(
                        [
                            html.Th(name, className=c, scope="col")
                            for name, c in zip(names, right, strict=True)
                        ]
                    )
                ),
                html.Tbody(
                    [
                        html.Tr(
                            [
                                html.Td(cell, className=c, **attributes(data_head=name))
                                for cell, name, c in zip(row, names, right, strict=True)
                            ]
                        )
                        for row in rows
                    ]
                ),
            ],
            className="lines lines-fold" if len(heads) > _FITS_A_PHONE else "lines",
        ),
        className="scroll",
        tabIndex=0,
    )
