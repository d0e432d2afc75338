"""One alert as a card: what, how bad, since when, where, and who knows of it."""

from collections.abc import Sequence
from datetime import datetime

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.components.attributes import attributes
from dashboard.components.text import lasting, pill, when
from dashboard.links import alert_link, link
from dashboard.palette import Tone
from dashboard.scope import Scope
from dashboard.views import AlertLine, Viewer

_QUIET = {
    "silence": "a silence covers it",
    "alert": "another alert explains it",
    "due": "its messages are on their way",
    "given_up": "no message could be delivered",
    "quiet_hours": "its routes wait for the end of their quiet hours",
    "no_route": "no route leads to a channel",
}


def severity_pill(severity: str, state: str = "firing") -> html.Span:
    """In its colour while it matters: what has resolved calls nobody."""
    lit = state != "resolved" and severity in set(Tone)
    return pill(severity, Tone(severity) if lit else Tone.NEUTRAL)


def alert_card(alert: AlertLine, scope: Scope, viewer: Viewer, now: datetime) -> Component:
    """A card that links to the alert's page; operators get the button that takes it on."""
    look = alert.severity if alert.state == "firing" else alert.state
    return html.Div(
        [
            html.Div(
                [
                    severity_pill(alert.severity, alert.state),
                    dmc.Anchor(
                        title(alert), href=alert_link(alert.id, scope.bare()), c="var(--hv-text)", fw=600
                    ),
                    html.Span(place(alert), className="muted"),
                ],
                className="alert-name",
            ),
            html.Div(
                [
                    runbook_button(alert),
                    silence_button(alert, scope, viewer),
                    acknowledge_button(alert, viewer),
                ],
                className="alert-side",
            ),
            html.Div(alert.summary, className="alert-summary"),
            html.Div([html.Span(line) for line in _meta(alert, scope, now)], className="alert-meta"),
        ],
        className=f"alert-card alert-{look}",
    )


def worst_first(alert: AlertLine) -> tuple[int, float]:
    """Sorts by severity, then the newest; of those resolved, the last to end."""
    ranks = {"critical": 0, "error": 1, "warning": 2, "info": 3}
    if alert.state == "resolved":
        return 0, -(alert.resolved_at or alert.since).timestamp()
    return ranks.get(alert.severity, 4), -alert.since.timestamp()


def firing_list(alerts: Sequence[AlertLine], scope: Scope, now: datetime, most: int) -> list[Component]:
    """The worst that fire, a line each, and how many more there are; empty when nothing fires."""
    firing = sorted((one for one in alerts if one.state == "firing"), key=worst_first)
    shown: list[Component] = [
        html.Div(
            [
                severity_pill(one.severity),
                dmc.Anchor(one.summary, href=alert_link(one.id, scope.bare()), className="firing-said"),
                html.Span(
                    [lasting(one.since, now), f", {one.acked_by} has it" if one.acked_by else ""],
                    className="firing-since",
                ),
            ],
            className=f"firing-line alert-{one.severity}",
        )
        for one in firing[:most]
    ]
    if len(firing) > most:
        more = f"{fmt.count(len(firing) - most)} more"
        shown.append(html.Div(dmc.Anchor(more, href=link("alerts", scope.bare())), className="firing-line"))
    return shown


def title(alert: AlertLine) -> str:
    """The rule's name as words: `error_rate` → `Error rate`."""
    words = fmt.words(alert.rule).replace("-", " ")
    return words[:1].upper() + words[1:]


def place(alert: AlertLine) -> str:
    """`stripe / invoices`, and the type where the alert is of one."""
    parts = [alert.labels[name] for name in ("source", "endpoint", "event_type") if alert.labels.get(name)]
    return " / ".join(parts) or "the monitor itself"


def measured(value: float | None, unit: str) -> str:
    """A value of an alert's evidence in its unit."""
    if value is None:
        return fmt.NO_DATA
    if unit == "share":
        return fmt.percent(value)
    if unit == "ms":
        return fmt.millis(value)
    if unit == "s":
        return fmt.seconds(value)
    number = f"{value:.1f}".removesuffix(".0")
    return f"{number} {unit.removesuffix('s') if number == '1' else unit}".strip()


def told(alert: AlertLine, scope: Scope) -> list[Component | str]:
    """Who knows of it and why nobody is told more, or why nobody was told. The reason is a link where it is
    an alert or a silence."""
    if alert.told:
        known = f"told {', '.join(alert.told)}"
        return [f"{known}; quiet now: ", _because(alert.muted_by, scope)] if alert.muted_by else [known]
    if alert.quiet is None:
        return ["nobody is told before it fires" if alert.state == "pending" else "nobody was told"]
    return ["nobody was told: ", _because(alert.quiet, scope)]


def _because(quiet: str, scope: Scope) -> dmc.Anchor | str:
    kind, _, id = quiet.partition(":")
    said = _QUIET.get(kind, fmt.words(quiet))
    if kind == "alert":
        return dmc.Anchor(said, href=alert_link(id, scope.bare()))
    if kind == "silence":
        return dmc.Anchor(said, href=link("silences", scope.bare().with_filters(q=id)))
    return said


def silence_button(alert: AlertLine, scope: Scope, viewer: Viewer) -> dmc.Anchor | None:
    """Leads to a new silence that is filled in with the alert's labels."""
    if alert.state == "resolved" or not viewer.operates:
        return None
    href = link("silences", scope.bare().with_filters(alert=alert.id))
    named = attributes(aria_label=f"Silence… {title(alert)}, {place(alert)}")
    return dmc.Anchor("Silence…", href=href, className="beside", underline="never", **named)


def runbook_button(alert: AlertLine) -> html.A | None:
    """Leads to what to do, while there is something to do; None where the runbook is no page of the web."""
    if alert.state == "resolved" or not is_web(alert.runbook):
        return None
    named = attributes(aria_label=f"Runbook of {title(alert)}")
    return html.A(
        "Runbook", href=alert.runbook, className="beside", rel="noopener noreferrer", target="_blank", **named
    )


def is_web(text: str) -> bool:
    """Whether a text of the configuration may become a link."""
    return text.startswith(("https://", "http://"))


def acknowledge_button(alert: AlertLine, viewer: Viewer) -> dmc.Button | None:
    if alert.state != "firing" or alert.acked_by or not viewer.operates:
        return None
    return dmc.Button(
        "Acknowledge", id={"kind": "acknowledge", "alert": alert.id}, size="xs", className="act"
    )


def _meta(alert: AlertLine, scope: Scope, now: datetime) -> list[list[Component | str]]:
    lines = [lasts(alert, now)]
    if alert.value is not None and alert.threshold is not None:
        lines.append(
            [html.B(measured(alert.value, alert.unit)), f", limit {measured(alert.threshold, alert.unit)}"]
        )
    lines.append(told(alert, scope))
    if alert.flapping_since:
        lines.append([html.B("flapping"), " for ", lasting(alert.flapping_since, now), ", told once"])
    if alert.acked_by:
        lines.append([html.B(alert.acked_by), " has it", *taken_until(alert, now), _note(alert)])
    return lines


def lasts(alert: AlertLine, now: datetime) -> list[Component | str]:
    """For how long it fires, or did."""
    if alert.resolved_at is not None:
        fired = fmt.span(alert.resolved_at - alert.since)
        return ["ended ", when(alert.resolved_at, now), f", fired for {fired}"]
    return [f"{alert.state} for ", lasting(alert.since, now)]


def taken_until(alert: AlertLine, now: datetime) -> list[Component | str]:
    """When the acknowledgement runs out; empty where it holds until the firing ends."""
    return [] if alert.ack_until is None else [", runs out ", when(alert.ack_until, now)]


def _note(alert: AlertLine) -> str:
    return f": {alert.ack_note}" if alert.ack_note else ""
