"""Tables on AG Grid. Cells show text that the server wrote: no formula, no markup, no evaluated expression.

A row gives each field its raw value (what sorting uses) and, beside it, `<field>_text` (what is shown); if it
likes `_tone` (a pill), `_href` (a link of ours), `_title` (on hover), `_class`, `_under` (a second line).
"""

from collections.abc import Sequence
from typing import Any

import dash_ag_grid as dag

ROW_PX, HEADER_PX = 46, 38


def column(field: str, name: str, width: int | None = None, **more: Any) -> dict[str, Any]:
    """A column; width: its least width in pixels, which it may exceed to fill the table."""
    made: dict[str, Any] = {"field": field, "headerName": name, "cellRenderer": "Shown", **more}
    if width is not None:
        made["minWidth"] = width
        made.setdefault("flex", width)
    return made


def number(field: str, name: str, width: int = 96, **more: Any) -> dict[str, Any]:
    """A column of numbers, to the right; absent ones sort last whichever way."""
    return column(field, name, width, type="rightAligned", **more)


def table(
    id: str, columns: Sequence[dict[str, Any]], *, height_px: int | None = None, **options: Any
) -> dag.AgGrid:
    """A table of rows that are all there. height_px None: as high as its rows."""
    selects = options.pop("selects", False)
    grid_options: dict[str, Any] = {
        "rowHeight": ROW_PX,
        "headerHeight": HEADER_PX,
        "suppressCellFocus": False,
        "suppressMovableColumns": True,
        "animateRows": False,
        "enableCellTextSelection": True,
        "ensureDomOrder": True,
        "localeText": {"noRowsToShow": "no data"},
        "domLayout": "autoHeight" if height_px is None else "normal",
        **options,
    }
    if selects:
        grid_options["rowSelection"] = {
            "mode": "multiRow",
            "enableClickSelection": False,
            "hideDisabledCheckboxes": True,
        }
    return dag.AgGrid(
        id=id,
        className="grid",
        columnDefs=list(columns),
        defaultColDef={"sortable": True, "resizable": True, "suppressHeaderMenuButton": True},
        rowData=[],
        getRowId="params.data.id",
        dashGridOptions=grid_options,
        style={"height": None if height_px is None else f"{height_px}px", "width": "100%"},
        enableEnterpriseModules=False,
        dangerously_allow_code=False,
    )


def endless(id: str, columns: Sequence[dict[str, Any]], height: str) -> dag.AgGrid:
    """A table whose rows come in blocks of 100 as they are scrolled to, in the server's order."""
    return dag.AgGrid(
        id=id,
        className="grid",
        columnDefs=list(columns),
        defaultColDef={"sortable": False, "resizable": True, "suppressHeaderMenuButton": True},
        rowModelType="infinite",
        getRowId="params.data.id",
        dashGridOptions={
            "rowHeight": ROW_PX,
            "headerHeight": HEADER_PX,
            "cacheBlockSize": 100,
            "maxConcurrentDatasourceRequests": 1,  # a block needs the cursor of the one before it
            "infiniteInitialRowCount": 1,
            "suppressMovableColumns": True,
            "enableCellTextSelection": True,
            "ensureDomOrder": True,
        },
        style={"height": height, "width": "100%"},
        enableEnterpriseModules=False,
        dangerously_allow_code=False,
    )
