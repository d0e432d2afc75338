"""What a page is: where it stands, what it is called, how it is laid out, and the callbacks that fill it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dash import Dash, register_page
from dash.development.base_component import Component

from dashboard.screen import Screen


@dataclass(frozen=True, slots=True)
class Page:
    """layout is given the parsed query string and path, and reads no data; register adds the callbacks.

    template: the path with `<variables>`, still percent-encoded when they reach the layout.
    """

    name: str
    title: str
    path: str
    layout: Callable[..., Component]
    register: Callable[[Dash, Screen], None]
    template: str | None = None

    def install(self, app: Dash, screen: Screen) -> None:
        self.layout()  # a page that cannot be laid out stops the start, not the first visitor
        register: Any = register_page  # untyped
        register(
            f"dashboard.pages.{self.name}",
            path=self.path,
            path_template=self.template,
            title=f"{self.title} · Hookvitals",
            name=self.title,
            layout=self.layout,
        )
        self.register(app, screen)
