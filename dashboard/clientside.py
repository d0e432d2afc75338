"""Callbacks that run in the browser: functions of assets/hookvitals.js by name, so no script is inline."""

from typing import Any, cast

from dash import ClientsideFunction, Dash
from dash.dependencies import DashDependency


def in_browser(app: Dash, name: str, *wires: DashDependency, at_start: bool = False) -> None:
    """Binds a function to Outputs, Inputs and States, in this order; at_start: runs when the page appears."""
    untyped = cast(Any, app)
    untyped.clientside_callback(
        ClientsideFunction("hookvitals", name), *wires, prevent_initial_call=not at_start
    )
