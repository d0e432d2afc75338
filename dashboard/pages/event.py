"""One event's story: what its sender was told, what really happened, and every record of it in order."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import unquote

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.components.attributes import attributes
from dashboard.components.frame import as_of, frame
from dashboard.components.graph import graph
from dashboard.components.panel import notice, panel
from dashboard.components.text import Children, empty, facts, icon, mono, pill
from dashboard.figures.gantt import gantt
from dashboard.links import endpoint_link
from dashboard.pages.page import Page
from dashboard.palette import OUTCOME_TONES, Tone
from dashboard.scheme import asked_palette
from dashboard.scope import Scope, scope_of
from dashboard.screen import Screen
from dashboard.story import Truth, acknowledgement, bars, processing, row_names
from dashboard.views import Payload
from monitor.errors import HookvitalsError
from monitor.model import Record

Common = Mapping[str, tuple[str, Children]]


def layout(environment: str = "", source: str = "", event_id: str = "", **query: object) -> Component:
    scope = scope_of({**query, "environment": unquote(environment)})
    event = unquote(event_id)
    return frame(
        "event",
        event or "Event",
        scope,
        [
            html.Div(id="event-truths"),
            panel(
                "Durations", graph("event-gantt", 200), side="time since first received", class_name="gantt"
            ),
            panel("Records", html.Div(id="event-records"), flush=True),
            panel("The same in every record", html.Div(id="event-common")),
            panel("Payload", [html.Div(id="event-payload-area"), html.Div(id="event-payload")]),
        ],
        lead=f"Event of {unquote(source)} in {unquote(environment)}",
        stored={"event_source": unquote(source), "event_id": event},
    )


def register(app: Dash, screen: Screen) -> None:
    @app.callback(
        Output("event-truths", "children"),
        Output("event-gantt", "figure"),
        Output("event-gantt", "style"),
        Output("event-records", "children"),
        Output("event-common", "children"),
        Output("event-payload-area", "children"),
        Output("event-as-of", "children"),
        Input("event-tick", "n_intervals"),
        State("event-scope", "data"),
    )
    def refresh(ticks: int | None, stored: dict[str, str]) -> tuple[object, ...]:
        scope, now = scope_of(stored), screen.clock.now()
        records = screen.reads.event(scope.environment, stored["event_source"], stored["event_id"])
        height = {"height": f"{90 + 34 * max(1, len(records))}px"}
        first_look = ticks is None
        common = _common(records, scope)
        return (
            _truths(records),
            gantt(bars(records), row_names(records), asked_palette()),
            height,
            html.Div([_step(record, scope, common) for record in records], className="steps")
            if records
            else empty(
                "No record of this event", "It was never received here, or it is older than what is kept."
            ),
            facts(list(common.values())),
            _payload_area(records, operates=screen.viewer().operates) if first_look else no_update,
            as_of(now),
        )

    @app.callback(
        Output("event-payload", "children"),
        Input({"kind": "reveal", "endpoint": ALL}, "n_clicks"),
        State("event-scope", "data"),
        prevent_initial_call=True,
    )
    def reveal(clicks: Sequence[int | None], stored: dict[str, str]) -> object:
        asked = ctx.triggered_id
        endpoint = str(asked["endpoint"]) if isinstance(asked, dict) else None
        if endpoint is None or not any(clicks):
            return no_update
        try:
            payload = screen.actions.reveal(
                screen.viewer(),
                scope_of(stored).environment,
                stored["event_source"],
                endpoint,
                stored["event_id"],
            )
        except HookvitalsError as exc:
            return notice(Tone.ERROR, "Not shown.", str(exc))
        if payload is None:
            return notice(Tone.INFO, "No payload was kept.", "The source's capture policy decides what is.")
        return _payload(payload)


def _truths(records: Sequence[Record]) -> Component | None:
    if not records:
        return None
    return html.Div(
        [
            _truth("What the sender believes", acknowledgement(records)),
            _truth("What really happened", processing(records)),
        ],
        className="truths",
    )


def _truth(who: str, truth: Truth) -> Component:
    return html.Div(
        [
            html.Div(who, className="truth-who"),
            html.Div(pill(truth.word, truth.tone), className="truth-word"),
            html.Div(truth.text, className="muted"),
        ],
        className="truth",
    )


def _step(record: Record, scope: Scope, common: Common) -> Component:
    head: list[Component | str] = [pill(fmt.words(record.outcome.value), OUTCOME_TONES[record.outcome])]
    if record.reason:
        head.append(pill(fmt.words(record.reason.value), Tone.NEUTRAL))
    if record.attempt is not None:
        head.append(html.Span(f"attempt {record.attempt}"))
    if record.http_status is not None:
        head.append(html.Span(f"answered {record.http_status}"))
    if record.replay_id:
        head.append(pill("replay", Tone.INFO))
    if record.canary:
        head.append(pill("canary", Tone.INFO))
    own = [fact for fact in _facts(record, scope) if fact[0] not in common]
    return html.Div(
        [
            html.Div(
                [
                    html.Div(fmt.clock(record.recorded_at)),
                    html.Div(fmt.day(record.recorded_at), className="muted"),
                ],
                className="step-time",
                title=fmt.precise(record.recorded_at),
            ),
            html.Div([html.Div(head, className="step-head"), facts(own), _error(record)]),
        ],
        className="step",
    )


def _common(records: Sequence[Record], scope: Scope) -> Common:
    """What every record says alike, by name, when there are several: it is shown once."""
    if len(records) < 2:
        return {}
    told = [dict(_facts(record, scope)) for record in records]
    return {
        name: (name, value)
        for name, value in told[0].items()
        if all(name in other and str(other[name]) == str(value) for other in told[1:])
    }


def _facts(record: Record, scope: Scope) -> list[tuple[str, Children]]:
    """What a record says of itself, without what it does not."""
    where = dmc.Anchor(record.endpoint, href=endpoint_link(record.source, record.endpoint, scope.bare()))
    named: list[tuple[str, Children | None]] = [
        ("Endpoint", where),
        ("Type", record.event_type),
        ("Received", _time(record.received_at)),
        ("Answered after", _ms(record.ack_ms)),
        ("Verification", _ms(record.verify_ms)),
        ("Waited", _ms(record.queue_ms)),
        ("Handler", _ms(record.process_ms)),
        ("Outcome known after", _ms(record.latency_ms)),
        ("Provider's clock off by", _ms(record.skew_ms)),
        ("Cause found", record.cause and fmt.words(record.cause)),
        ("Created at the provider", _time(record.event_created_at)),
        ("Resource", record.resource),
        ("Version", record.version),
        ("Trace", record.trace_id and mono(record.trace_id)),
        ("Receiver", record.receiver),
        ("From address", record.remote_ip),
        ("User agent", record.user_agent),
        ("Replay", record.replay_id and mono(record.replay_id)),
        ("Record", mono(str(record.record_id))),
    ]
    labels: list[tuple[str, Children | None]] = [
        (name, value) for name, value in sorted(record.labels.items())
    ]
    return [(name, value) for name, value in named + labels if value]


def _error(record: Record) -> Component | None:
    if not (record.error_class or record.error_message):
        return None
    said: list[Component | str] = [html.Strong(record.error_class or "error")]
    if record.error_message:
        said += [html.Span(": "), record.error_message]
    body: list[Component] = [html.Div(said)]
    if record.error_stack:
        body.append(html.Details([html.Summary("Stack"), html.Pre(record.error_stack)]))
    return html.Div(body, className="step-error")


def _payload_area(records: Sequence[Record], *, operates: bool) -> list[Component]:
    endpoints = sorted({record.endpoint for record in records if record.has_capture})
    if not endpoints:
        return [html.P("No payload was kept for this event.", className="muted")]
    if not operates:
        words = "A payload was kept. Operators may look at it."
        return [html.P(words, className="muted")]
    buttons = [
        dmc.Button(
            f"Show the payload {endpoint} received" if len(endpoints) > 1 else "Show the payload",
            id={"kind": "reveal", "endpoint": endpoint},
            leftSection=icon("payload"),
            variant="default",
            size="sm",
        )
        for endpoint in endpoints
    ]
    return [
        html.Div(
            [*buttons, html.Span("Secrets are masked. Each look is written down.", className="muted")],
            className="actions",
        ),
    ]


def _payload(payload: Payload) -> Component:
    masked = f"{payload.masked} values masked" if payload.masked else "nothing had to be masked"
    said = "redacted by the receiver, cannot be replayed" if payload.redacted else masked
    headers = "\n".join(f"{name}: {value}" for name, value in sorted(payload.headers.items()))
    return html.Div(
        [
            html.P(f"{payload.content_type or 'unknown type'} · {said}", className="muted"),
            html.Pre(headers, className="payload") if headers else None,
            html.Pre(payload.body, className="payload", **attributes(data_payload="body")),
        ]
    )


def _ms(value: float | None) -> str | None:
    return None if value is None else fmt.millis(value)


def _time(at: datetime | None) -> str | None:
    return None if at is None else fmt.precise(at)


PAGE = Page(
    "event", "Event", "/events/one", layout, register, template="/events/<environment>/<source>/<event_id>"
)
