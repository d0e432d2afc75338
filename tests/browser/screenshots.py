"""Pictures of every page, light, dark and on a phone: `python -m tests.browser.screenshots docs/screenshots`.

The data is the outage of scenes.py, so that two runs give the same pictures.
"""

import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from dashboard.data.catalog import Catalog
from dashboard.data.reports import document
from monitor.config.document import Document
from tests.browser.conftest import CHROMIUM, FLAGS, PHONE, serving
from tests.browser.scenes import EVENT, deeds, outage
from tests.dashboard.support import application
from tests.facts import NOON, mixed, sqlite_facts

PAGES = {
    "overview": "",
    "endpoint": "endpoints/orum/transfers",
    "checklist": "checklists/orum/transfers",
    "events": "events",
    "event": f"events/production/orum/{EVENT}",
    "alerts": "alerts",
    "alert": "alerts/a1",
    "rules": "rules",
    "silences": "silences?q=s1",
    "issues": "issues",
    "issue": "issues/issue-0",
    "dead-letters": "dead-letters",
    "replays": "replays",
    "reports": "reports",
    "status": "status",
}
WIDE = ViewportSize(width=1440, height=900)
TALLEST = 2400


def main(folder: Path) -> None:
    if CHROMIUM is None:
        sys.exit("chromium is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    reads = outage()
    reads.document = report()
    with serving(application(reads, deeds())) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name, scheme, viewport in (
            ("light", "light", WIDE),
            ("dark", "dark", WIDE),
            ("phone", "light", ViewportSize(width=PHONE["width"], height=PHONE["height"])),
        ):
            _shoot(browser, address, folder, name, scheme, viewport)
        browser.close()


def report() -> bytes:
    """The report of a week with a day of traffic in it, as the monitor renders it."""
    with TemporaryDirectory() as folder, sqlite_facts(Path(folder)) as (fill, reader):
        fill.add(mixed(4000, over=timedelta(hours=20)))
        found = document(reader, Catalog(Document()), "production", "2026-W47", "html", NOON)
        return found[1]


def _shoot(
    browser: Browser, address: str, folder: Path, name: str, scheme: str, viewport: ViewportSize
) -> None:
    context = browser.new_context(viewport=viewport, color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    page.goto(f"{address}/login")
    page.screenshot(path=folder / f"login-{name}.png")
    page.fill("#name", "operator")
    page.fill("#password", "secret")
    page.click("button")
    for title, path in PAGES.items():
        page.goto(f"{address}/{path}")
        page.wait_for_selector(".as-of:not(:empty)", state="attached")
        page.wait_for_selector("#account button")
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(900)  # charts and rows are drawn after the last answer
        _grow(page, viewport)
        page.screenshot(path=folder / f"{title}-{name}.png")
        page.set_viewport_size(viewport)
    context.close()


def _grow(page: Page, viewport: ViewportSize) -> None:
    """The window as high as the page, so that what is fixed to its edges stands right."""
    height = int(page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size(
        ViewportSize(width=viewport["width"], height=max(viewport["height"], min(height, TALLEST)))
    )
    page.wait_for_timeout(500)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/screenshots"))
