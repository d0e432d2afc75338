"""One issue: what fails in the same way, since when, and its latest failures. Operators end it here."""

from collections.abc import Sequence
from datetime import datetime

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.components.frame import as_of, frame
from dashboard.components.lines import lines
from dashboard.components.panel import notice, panel
from dashboard.components.text import Children, empty, facts, pill, when
from dashboard.links import endpoint_link, event_link, link
from dashboard.pages.page import Page
from dashboard.palette import OUTCOME_TONES, Tone
from dashboard.rows import ISSUE_TONES, issue_message
from dashboard.scope import Scope, scope_of
from dashboard.screen import Screen
from dashboard.views import IssueLine, IssueView, Viewer
from monitor.errors import HookvitalsError
from monitor.model import Record


def layout(issue_id: str = "", **query: object) -> Component:
    return frame(
        "issue",
        "Issue",
        scope_of(query),
        [html.Div(id="issue-problem"), html.Div(id="issue-body", className="stack")],
        lead=html.Span(id="issue-place"),
        side=html.Div(id="issue-side", className="actions"),
        stored={"issue_id": issue_id},
    )


def register(app: Dash, screen: Screen) -> None:
    @app.callback(
        Output("issue-title", "children"),
        Output("issue-place", "children"),
        Output("issue-side", "children"),
        Output("issue-body", "children"),
        Output("issue-as-of", "children"),
        Input("issue-tick", "n_intervals"),
        State("issue-scope", "data"),
    )
    def refresh(_: int | None, stored: dict[str, str]) -> tuple[object, ...]:
        scope, now = scope_of(stored), screen.clock.now()
        view = screen.reads.issue(stored["issue_id"], now)
        if view is None:
            gone = panel("Issue", empty("No such issue", "It was resolved long ago and is no longer kept."))
            return "Issue", "", None, [gone], as_of(now)
        one = view.issue
        return (
            one.error_class or "No error class",
            f"{one.source} / {one.endpoint} / {one.event_type}",
            _side(one, screen.viewer()),
            body(view, scope, now),
            as_of(now),
        )

    @app.callback(
        Output("issue-problem", "children"),
        Output("issue-tick", "n_intervals"),
        Input({"kind": "resolve-issue", "issue": ALL}, "n_clicks"),
        State("issue-tick", "n_intervals"),
        prevent_initial_call=True,
    )
    def resolve(clicks: list[int | None], ticks: int | None) -> tuple[object, object]:
        asked = ctx.triggered_id
        if not isinstance(asked, dict) or not any(clicks):  # the button was only drawn
            return no_update, no_update
        try:
            screen.actions.resolve_issues(screen.viewer(), [asked["issue"]])
        except HookvitalsError as exc:
            return notice(Tone.ERROR, "Not resolved.", str(exc)), no_update
        return [], (ticks or 0) + 1


def body(view: IssueView, scope: Scope, now: datetime) -> list[Component]:
    """What fails, and the latest failures with the stack of the last."""
    one = view.issue
    told = facts(
        [
            ("Failures", fmt.count(one.failures)),
            ("First seen", when(one.first_seen_at, now)),
            ("Last seen", when(one.last_seen_at, now)),
            ("Event type", one.event_type),
            (
                "Endpoint",
                dmc.Anchor(
                    f"{one.source} / {one.endpoint}",
                    href=endpoint_link(one.source, one.endpoint, scope.bare()),
                ),
            ),
            *([("Resolved by", one.resolved_by)] if one.resolved_by else []),
            ("All its records", _records(one, scope)),
        ]
    )
    said = issue_message(one) or "Its failures have no message."
    shown: list[Component] = [panel("What fails", [html.P(said, className="summary issue-said"), told])]
    rows = [_row(record, scope, now) for record in view.records]
    heads = ["When", "Event", "Outcome", ">Attempt", "Said"]
    absent = empty("No failure of it is kept", "Records are kept for a while; the issue counts on.")
    shown.append(panel("Latest failures", lines(heads, rows) if rows else absent, flush=True))
    stack = next((record.error_stack for record in view.records if record.error_stack), None)
    if stack:
        shown.append(panel("Latest stack", html.Pre(stack, className="payload")))
    return shown


def _side(one: IssueLine, viewer: Viewer) -> list[Component | None]:
    ends = viewer.operates and one.state != "resolved"
    return [
        pill(one.state, ISSUE_TONES.get(one.state, Tone.NEUTRAL)),
        dmc.Button("Resolve", id={"kind": "resolve-issue", "issue": one.id}, size="xs") if ends else None,
    ]


def _records(one: IssueLine, scope: Scope) -> dmc.Anchor:
    wanted = {
        "source": one.source,
        "endpoint": one.endpoint,
        "type": one.event_type,
        "error": one.error_class,
    }
    return dmc.Anchor("open", href=link("events", scope.bare().with_filters(**wanted)))


def _row(record: Record, scope: Scope, now: datetime) -> Sequence[Children]:
    event: Children = fmt.NONE
    if record.event_id:
        href = event_link(record.environment, record.source, record.event_id, scope.bare())
        event = html.Span(dmc.Anchor(record.event_id, href=href, className="mono"))
    return [
        when(record.recorded_at, now),
        event,
        pill(fmt.words(record.outcome.value), OUTCOME_TONES[record.outcome]),
        fmt.NONE if record.attempt is None else str(record.attempt),
        record.error_message or fmt.NONE,
    ]


PAGE = Page("issue", "Issue", "/issues/one", layout, register, template="/issues/<issue_id>")
