"""The monitor about itself: does it hear, do its jobs run, who reports to it, how full is it."""

from datetime import datetime, timedelta

from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.components.frame import as_of, frame
from dashboard.components.lines import lines
from dashboard.components.panel import panel
from dashboard.components.text import Children, empty, facts, mono, pill, when
from dashboard.pages.page import Page
from dashboard.palette import Tone
from dashboard.scope import scope_of
from dashboard.screen import Screen
from dashboard.views import BLIND_AFTER, Client, Job, StatusView

_SKEW_S = 30.0


def layout(**query: object) -> Component:
    return frame(
        "status",
        "Status",
        scope_of(query),
        [html.Div(id="status-body", className="stack")],
        lead="The monitor about itself",
    )


def register(app: Dash, screen: Screen) -> None:
    @app.callback(
        Output("status-body", "children"),
        Output("status-as-of", "children"),
        Input("status-tick", "n_intervals"),
        State("status-scope", "data"),
    )
    def refresh(_: int | None, __: dict[str, object]) -> tuple[list[Component], str]:
        now = screen.clock.now()
        return body(screen.reads.status(now), now), as_of(now)


def body(view: StatusView, now: datetime) -> list[Component]:
    """The panels of the page."""
    return [
        panel("Monitor", facts(_facts(view, now))),
        panel("Jobs of the worker", _jobs(view, now), flush=True),
        panel("Queues", _queues(view, now), about="The latest sample of each queue.", flush=True),
        panel("Clients", _clients(view, now), about="SDK instances heard of in the last day.", flush=True),
    ]


def _facts(view: StatusView, now: datetime) -> list[tuple[str, Children]]:
    blind = view.heartbeat_at is None or now - view.heartbeat_at > BLIND_AFTER
    beat: Children = [
        pill("silent" if blind else "alive", Tone.CRITICAL if blind else Tone.OK),
        " ",
        when(view.heartbeat_at, now),
    ]
    budget = view.facts_budget_bytes
    stored = fmt.size(view.facts_bytes) + (f" of {fmt.size(budget)}" if budget else "")
    return [
        ("Collector", beat),
        ("Worker that leads", view.leader or fmt.NONE),
        ("Channels", ", ".join(view.channels) or "none: alerts reach nobody"),
        ("Facts stored", stored),
        ("Kept since", fmt.moment(view.oldest_kept_at) if view.oldest_kept_at else "the first record"),
        ("Version", view.version or fmt.NONE),
    ]


def _jobs(view: StatusView, now: datetime) -> Component:
    if not view.jobs:
        return empty("No job has run yet", "Is `hookvitals worker` running?", "clock")
    rows: list[list[Children]] = [
        [
            fmt.words(job.name),
            _pace(job),
            when(job.last_success_at, now),
            _job_pill(job),
            job.error or fmt.NONE,
        ]
        for job in view.jobs
    ]
    return lines(["Job", "Every", "Last success", "State", "Last error"], rows)


def _pace(job: Job) -> str:
    return fmt.NONE if job.every_s is None else fmt.span(timedelta(seconds=job.every_s))


def _job_pill(job: Job) -> Component:
    if job.late:
        return pill("late", Tone.WARNING)
    if job.error:
        return pill("failing", Tone.ERROR)
    return pill("well", Tone.OK) if job.last_success_at else pill("not due yet")


def _queues(view: StatusView, now: datetime) -> Component:
    if not view.queues:
        return empty("No queue has been sampled", "Receivers with a durable inbox report its depth.")
    rows: list[list[Children]] = [
        [queue, f"{source} / {endpoint}", fmt.count(depth), _age(oldest_s), when(at, now)]
        for source, endpoint, queue, depth, oldest_s, at in view.queues
    ]
    return lines(["Queue", "Endpoint", ">Depth", ">Oldest waits", "Sampled"], rows)


def _age(seconds: float | None) -> str:
    return fmt.NONE if seconds is None else fmt.seconds(seconds)


def _clients(view: StatusView, now: datetime) -> Component:
    if not view.clients:
        return empty("No client has been heard of", "The SDK reports itself with each batch.")
    rows: list[list[Children]] = [
        [
            html.Span([client.name, " ", html.Span(client.version, className="muted")]),
            mono(client.instance),
            when(client.seen_at, now),
            _skew(client),
            fmt.count(client.produced),
            _dropped(client),
            fmt.NONE if client.inbox_depth is None else fmt.count(client.inbox_depth),
        ]
        for client in view.clients
    ]
    return lines(["Client", "Instance", "Seen", "Clock off by", ">Records", ">Dropped", ">Inbox"], rows)


def _skew(client: Client) -> Component | str:
    if client.skew_s is None:
        return fmt.NONE
    text = fmt.seconds(abs(client.skew_s))
    return pill(text, Tone.WARNING) if abs(client.skew_s) > _SKEW_S else text


def _dropped(client: Client) -> Component | str:
    n = sum(client.dropped.values())
    if not n:
        return "0"
    why = ", ".join(
        f"{fmt.count(k)} {fmt.words(reason)}" for reason, k in sorted(client.dropped.items()) if k
    )
    return html.Span(pill(fmt.count(n), Tone.WARNING), title=why)


PAGE = Page("status", "Status", "/status", layout, register)
