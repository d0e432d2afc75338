"""One alert as a card: what, how bad, since when, where, and who knows of it."""

from datetime import datetime

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.components.attributes import attributes
from dashboard.components.text import pill, when
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


def severity_pill(severity: str) -> html.Span:
    return pill(severity, Tone(severity) if severity in set(Tone) else Tone.NEUTRAL)


def alert_card(alert: AlertLine, scope: Scope, viewer: Viewer, now: datetime) -> Component:
    """A card that links to the alert's page; operators get the button that takes it on."""
    look = alert.severity if alert.state == "firing" else alert.state
    return html.Div(
        [
            html.Div(
                [
                    severity_pill(alert.severity),
                    dmc.Anchor(
                        title(alert), href=alert_link(alert.id, scope.bare()), c="var(--hv-text)", fw=600
                    ),
                    html.Span(place(alert), className="muted"),
                ],
                className="alert-name",
            ),
            html.Div(
                [silence_button(alert, scope, viewer), acknowledge_button(alert, viewer)],
                className="alert-side",
            ),
            html.Div(alert.summary, className="alert-summary"),
            html.Div([html.Span(line) for line in _meta(alert, scope, now)], className="alert-meta"),
        ],
        className=f"alert-card alert-{look}",
    )


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
    return f"{number} {unit}".strip()


def told(alert: AlertLine) -> str:
    """Who knows of it and why nobody is told more, or why nobody was told."""
    if alert.told:
        quiet = f"; quiet now: {_because(alert.muted_by)}" if alert.muted_by else ""
        return f"told {', '.join(alert.told)}{quiet}"
    if alert.quiet is None:
        return "nobody is told before it fires" if alert.state == "pending" else "nobody was told"
    return f"nobody was told: {_because(alert.quiet)}"


def _because(quiet: str) -> str:
    return _QUIET.get(quiet.partition(":")[0], fmt.words(quiet))


def suppressed_by(alert: AlertLine, scope: Scope) -> dmc.Anchor | None:
    """The alert or the silence that keeps this one quiet, as a link; None when neither does."""
    kind, _, id = (alert.muted_by or alert.quiet or "").partition(":")
    if kind == "alert":
        return dmc.Anchor("that one", href=alert_link(id, scope.bare()))
    if kind == "silence":
        return dmc.Anchor("this silence", href=link("silences", scope.bare().with_filters(q=id)))
    return None


def silence_button(alert: AlertLine, scope: Scope, viewer: Viewer) -> dmc.Anchor | None:
    """Leads to a new silence that is filled in with the alert's labels."""
    if alert.state == "resolved" or not viewer.operates:
        return None
    href = link("silences", scope.bare().with_filters(alert=alert.id))
    named = attributes(aria_label=f"Silence… {title(alert)}, {place(alert)}")
    return dmc.Anchor("Silence…", href=href, className="beside", **named)


def acknowledge_button(alert: AlertLine, viewer: Viewer) -> dmc.Button | None:
    if alert.state != "firing" or alert.acked_by or not viewer.operates:
        return None
    return dmc.Button(
        "Acknowledge", id={"kind": "acknowledge", "alert": alert.id}, size="xs", variant="default"
    )


def _meta(alert: AlertLine, scope: Scope, now: datetime) -> list[list[Component | str]]:
    since = {"firing": "fires since ", "pending": "pending since ", "resolved": "started "}.get(
        alert.state, "since "
    )
    lines: list[list[Component | str]] = [[since, when(alert.since, now)]]
    if alert.resolved_at:
        lines.append(["resolved ", when(alert.resolved_at, now)])
    if alert.value is not None and alert.threshold is not None:
        lines.append(
            [html.B(measured(alert.value, alert.unit)), f" against {measured(alert.threshold, alert.unit)}"]
        )
    cause = suppressed_by(alert, scope)
    lines.append([told(alert)] if cause is None else [told(alert), ": ", cause])
    if alert.flapping_since:
        lines.append([html.B("flapping"), " since ", when(alert.flapping_since, now), ", told once"])
    if alert.acked_by:
        lines.append([html.B(alert.acked_by), " has it", *taken_until(alert, now), _note(alert)])
    return lines


def taken_until(alert: AlertLine, now: datetime) -> list[Component | str]:
    """When the acknowledgement runs out; empty where it holds until the firing ends."""
    return [] if alert.ack_until is None else [", runs out ", when(alert.ack_until, now)]


def _note(alert: AlertLine) -> str:
    return f": {alert.ack_note}" if alert.ack_note else ""
