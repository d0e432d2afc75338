"""The page behind a message's link in a real browser: one look, one press, without a login or a script."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Visit, serving
from tests.dashboard.stores import Installation, installation
from tests.dashboard.test_act import acked, link
from tests.facts import NOON

pytestmark = pytest.mark.browser


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("monitor"), NOON) as found:
        yield found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_press_acknowledges(made: Installation, visit: Visit, scheme: str) -> None:
    alert = made.add_alert("stripe", "payments")
    with serving(made.app()) as address:
        page = visit(address, scheme=scheme).page
        page.goto(address + link(made, alert))
        expect(page.get_by_role("heading")).to_have_text("Acknowledge this alert?")
        assert acked(made, alert) == ""
        page.get_by_label("Your name, for the colleagues").fill("Ann")
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.get_by_role("status")).to_have_text("Done. You can close this page.")
        page.reload()
        expect(page.get_by_role("heading")).to_have_text("Acknowledged")
    assert acked(made, alert) == "link:ops"


def test_silence_on_a_phone_below_a_base_path(made: Installation, visit: Visit) -> None:
    alert = made.add_alert("stripe", "payments")
    made.settings = made.settings.model_copy(update={"base_path": "/hooks/"})
    with serving(made.app()) as address:
        page = visit(address, viewport=PHONE).page
        page.goto(address + link(made, alert, "silence", base="/hooks"))
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_label("4 h", exact=True).check()
        page.get_by_role("button", name="Silence").click()
        expect(page.get_by_role("heading")).to_have_text("Silenced")
        page.wait_for_load_state("networkidle")  # its style is asked for after its heading shows
    [silence] = made.control.silences.current(made.clock.now())
    assert silence.ends_at == made.clock.now() + timedelta(hours=4)
