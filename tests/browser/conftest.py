"""A real Chromium on a real server over loopback. What the page complains of, or asks another host, fails.

The server is waitress on a port of the system's choosing, as in production.
"""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from waitress.server import create_server

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=30_000)  # as a page waits for all else: a busy machine draws a chart late
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@dataclass
class Watched:
    """One person's browser at one dashboard. `troubles` fills with all that must not happen."""

    page: Page
    address: str
    troubles: list[str] = field(default_factory=list)

    def log_in(self, name: str = "operator", password: str = "secret") -> None:
        self.page.goto(f"{self.address}/login")
        self.page.fill("#name", name)
        self.page.fill("#password", password)
        self.page.click("button")
        self.page.wait_for_selector(".page")

    def open(self, path: str) -> Page:
        """The page, once its first data is there."""
        self.page.goto(f"{self.address}/{path}")
        self.page.wait_for_selector(".as-of:not(:empty)", state="attached")
        self.page.wait_for_selector("#account button")
        return self.page


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The application on a port of its own, until the block ends."""
    server = create_server(app, host="127.0.0.1", port=0, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()
        thread.join(timeout=5)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


Visit = Callable[..., Watched]


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    """Opens a watched browser; after the test, none of them may have seen trouble."""
    opened: list[tuple[BrowserContext, Watched]] = []

    def make(address: str, *, scheme: str = "light", viewport: dict[str, int] = DESK) -> Watched:
        context = chromium.new_context(viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]
        watched = Watched(context.new_page(), address)
        _watch(watched)
        opened.append((context, watched))
        return watched

    yield make
    for context, _ in opened:
        context.close()
    assert [trouble for _, watched in opened for trouble in watched.troubles] == []


def _watch(watched: Watched) -> None:
    page, troubles = watched.page, watched.troubles
    page.on(
        "console",
        lambda said: troubles.append(f"console: {said.text}") if said.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
    page.on("response", lambda a: troubles.append(f"{a.status} {a.url}") if a.status >= 400 else None)
    page.on("request", lambda asked: troubles.extend(_strange_hosts(asked.url)))


def _strange_hosts(url: str) -> list[str]:
    parts = urlsplit(url)
    known = parts.scheme in ("data", "blob", "about") or parts.hostname == "127.0.0.1"
    return [] if known else [f"asked {url}"]
