"""The filters above a list: what they say stands in the address, so a list can be linked to."""

from collections.abc import Sequence

import dash_mantine_components as dmc

from dashboard.scope import Scope


def choice(page: str, name: str, label: str, scope: Scope) -> dmc.Select:
    """One of the names there are, or any; the page's callback fills the names in. page begins its id."""
    chosen = scope.get(name)
    return dmc.Select(
        id=f"{page}-{name}",
        label=label,
        value=chosen,
        data=[chosen] if chosen else [],
        placeholder="any",
        clearable=True,
        searchable=True,
        size="sm",
        limit=200,
        nothingFoundMessage="nothing by that name",
    )


def state_choice(page: str, states: Sequence[str], scope: Scope) -> dmc.Select:
    """One of the states; the first where the address says none."""
    return dmc.Select(
        id=f"{page}-state",
        label="State",
        value=scope.get("state") or states[0],
        data=[{"value": name, "label": name} for name in states],
        allowDeselect=False,
        size="sm",
    )
