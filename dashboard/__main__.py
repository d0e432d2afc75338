"""The dashboard as a process: pages and management API over both stores, on waitress, until told to stop.

Its composition root. The supervisor and `hookvitals dashboard` start it; nothing under monitor imports it.
"""

import logging
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from importlib.metadata import version
from types import FrameType
from typing import NoReturn
from zoneinfo import ZoneInfo

from flask import Flask
from waitress.server import create_server

from dashboard.act import act_pages
from dashboard.actions import StoreActions, StoreLinks
from dashboard.app import create_dashboard
from dashboard.callers import session_caller
from dashboard.data import records
from dashboard.data.exposition import ControlMetrics
from dashboard.data.readiness import readiness
from dashboard.data.reads import StoreReads
from dashboard.health import Probes
from dashboard.proxies import behind_proxies
from dashboard.record import record_pages
from monitor.api.app import create_api, mounted
from monitor.api.services import Services
from monitor.checklist import Judged
from monitor.clock import Clock, SystemClock
from monitor.config import Document, Settings, load_here, secret_key, set_up_logs
from monitor.errors import ConfigError, HookvitalsError
from monitor.memory import keep_free_memory
from monitor.metrics import FactMetrics, exposition
from monitor.model import SeriesKey
from monitor.operations import Desk
from monitor.queries.sla import week_before
from monitor.reports.sla import SlaReport
from monitor.reports.weekly import weekly_report
from monitor.store.control import Control
from monitor.store.facts.protocol import FactReader
from monitor.wiring.addresses import collector_url, public_url, url_of
from monitor.wiring.checklist import checklist
from monitor.wiring.desk import desk_of
from monitor.wiring.erasing import opened_eraser
from monitor.wiring.following import Following
from monitor.wiring.links import permits_of
from monitor.wiring.observing import observing
from monitor.wiring.reports import expected_of, objectives_of
from monitor.wiring.stores import open_control, open_facts

log = logging.getLogger("hookvitals.dashboard")

_ENDS = (signal.SIGTERM, signal.SIGINT)
THREADS = 16
"""Requests served at once: a person's page asks for three or four things together."""


def main() -> int:
    """The exit status: 0 after a stop, 1 with one line on stderr when it cannot start."""
    try:
        settings = load_here().settings
        set_up_logs(settings, "dashboard")
        serve(settings, SystemClock())
    except HookvitalsError as exc:
        print(f"hookvitals dashboard: {exc}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def serve(settings: Settings, clock: Clock) -> None:
    """Serves until SIGTERM or Ctrl-C. Raises WrongSchema or ConfigError before the port is taken."""
    keep_free_memory()
    with ExitStack() as opened:
        control = opened.enter_context(closing(open_control(settings, clock)))
        facts = opened.enter_context(closing(open_facts(settings, for_screens=True)))
        facts.store_id()  # a missing or older store is told of now, not by the first page
        app = dashboard_of(settings, control, facts, clock)
        _listen(app, settings)


def dashboard_of(settings: Settings, control: Control, facts: FactReader, clock: Clock) -> Flask:
    """The application over open stores."""
    document = Following(control.configs.latest, clock).document
    sealing_key = secret_key(settings)
    desk = desk_of(control, facts, clock, sealing_key, document)
    actions, ours = StoreActions(desk), version("hookvitals-server")

    def judge(place: SeriesKey) -> list[Judged]:
        return checklist(facts, control, document(), place, clock.now())

    figures, counts = FactMetrics(facts, clock), ControlMetrics(control)
    api = create_api(
        Services(
            desk,
            _reports(desk, document),
            judge,
            partial(opened_eraser, settings),
        ),
        ours,
        session_caller(actions),
    )
    app = create_dashboard(
        StoreReads(
            facts,
            control,
            document,
            observing(facts, control, document, settings.facts_budget_bytes),
            judge,
            first_lines(settings),
            ours,
            settings.facts_budget_bytes,
        ),
        actions,
        clock,
        Probes(
            lambda accept: exposition(accept, figures, counts),
            lambda: readiness(facts, control, document(), clock),
            ours,
        ),
        blueprints=[
            mounted(api),
            act_pages(StoreLinks(desk, permits_of(sealing_key)), clock.monotonic),
            record_pages(partial(records.one, facts)),
        ],
        base_path=settings.base_path,
        https=public_url(settings).startswith("https://"),
    )
    if settings.trusted_proxies:
        app.wsgi_app = behind_proxies(app.wsgi_app, settings.trusted_proxies)  # type: ignore[assignment]
    return app


def first_lines(settings: Settings) -> str:
    """What a receiver's developer pastes; the key was shown once, so its place is kept."""
    return "\n".join(
        [
            "from hookvitals import Receiver",
            'receiver = Receiver("standard", endpoint="billing", secrets=["whsec_…"],',
            f'                    collector="{collector_url(settings)}", key="hv_…")  # see `hookvitals key`',
        ]
    )


def _reports(desk: Desk, document: Callable[[], Document]) -> Callable[[str | None, str], SlaReport]:
    def report(week: str | None, environment: str) -> SlaReport:
        now, current = desk.clock.now(), document()
        zone = ZoneInfo(current.report.timezone)
        return weekly_report(
            desk.facts,
            week or week_before(now, zone),
            zone,
            now,
            environment=environment,
            objectives=objectives_of(current),
            expected=expected_of(current),
        )

    return report


def _listen(app: Flask, settings: Settings) -> None:
    host, port = settings.dashboard_host, settings.dashboard_port
    try:
        server = create_server(app, host=host, port=port, threads=THREADS, ident="")
    except OSError as exc:
        raise ConfigError(
            f"the dashboard cannot listen on {host}:{port}: {exc.strerror}",
            "set dashboard_port to a free one",
        ) from exc
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a page's requests come together: no news
    for number in _ENDS:
        signal.signal(number, _end)
    log.info("dashboard at %s", url_of(host, int(server.effective_port)))
    server.run()  # returns after SystemExit, its requests answered


def _end(number: int, frame: FrameType | None) -> NoReturn:
    for each in _ENDS:
        signal.signal(each, signal.SIG_IGN)  # the next would cut off the requests that are being answered
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
