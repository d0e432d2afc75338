"""Rules: what is watched, with which limits, and whether it is being watched at all."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.components.alert import is_web, measured, severity_pill
from dashboard.components.frame import SLOW_TICK_MS, as_of, frame
from dashboard.components.lines import lines
from dashboard.components.panel import notice, panel
from dashboard.components.text import Children, empty, mono, pill
from dashboard.links import link
from dashboard.pages.page import Page
from dashboard.palette import Tone
from dashboard.scope import Scope, scope_of
from dashboard.screen import Screen
from dashboard.views import RuleLine, RulesView

_TONES = {
    "broken": Tone.CRITICAL,
    "over the limit": Tone.CRITICAL,
    "blind": Tone.ERROR,
    "cannot see": Tone.WARNING,
    "within the limit": Tone.OK,
}
_WORST_FIRST = ("broken", "over the limit", "blind", "cannot see", "within the limit", "no data", "off")
_LATE = timedelta(minutes=2)
"""A worker that ended no round for longer is said to be late; its rounds are a second apart."""


def layout(**query: object) -> Component:
    scope = scope_of(query)
    return frame(
        "rules",
        "Rules",
        scope,
        [html.Div(id="rules-body", className="stack")],
        every_ms=SLOW_TICK_MS,
        lead=f"What is watched in {scope.environment}, and what each rule would say at this moment",
    )


def register(app: Dash, screen: Screen) -> None:
    @app.callback(
        Output("rules-body", "children"),
        Output("rules-as-of", "children"),
        Input("rules-tick", "n_intervals"),
        State("rules-scope", "data"),
    )
    def refresh(_: int | None, stored: dict[str, object]) -> tuple[list[Component], str]:
        scope, now = scope_of(stored), screen.clock.now()
        return body(screen.reads.rules(scope.environment, now), scope, now), as_of(now)


def body(view: RulesView, scope: Scope, now: datetime) -> list[Component]:
    """Whether the worker judges them, then those about endpoints, then those about the monitor itself."""
    shown: list[Component] = [_running(view, now)]
    for title, on_monitor in (("Endpoints", False), ("The monitor itself", True)):
        found = [one for one in view.rules if one.on_monitor is on_monitor]
        body = lines(_HEADS, [_row(one, scope) for one in ordered(found)]) if found else empty("No rule")
        shown.append(panel(title, body, side=fmt.count(len(found)), flush=True))
    return shown


def ordered(rules: Sequence[RuleLine]) -> list[RuleLine]:
    """Those that need a look first, then by name."""
    return sorted(rules, key=lambda one: (-one.firing, _WORST_FIRST.index(one.state), one.name))


def _running(view: RulesView, now: datetime) -> Component:
    if view.round_at is None or now - view.round_at > _LATE:
        last = "has never judged a rule" if view.round_at is None else f"did so {fmt.ago(view.round_at, now)}"
        return notice(
            Tone.CRITICAL,
            "The rules are not being judged.",
            f"The worker {last}: no alert can start or end. Is `hookvitals worker` running?",
        )
    said = f"The worker ended its last round {fmt.ago(view.round_at, now)}."
    if view.blind:
        return notice(Tone.CRITICAL, "Judged, but blind.", f"{said} No collector is heard, so nothing moves.")
    each = "There is one each second, and it judges every rule whose interval is over."
    return notice(Tone.OK, "The rules are being judged.", f"{said} {each}")


_HEADS = ["Rule", "Now", "Limit", "Severity", "Judged", "Alerts", "Runbook"]


def _row(one: RuleLine, scope: Scope) -> list[Children]:
    return [
        _name(one),
        _now(one),
        _limit(one),
        severity_pill(one.severity) if one.firing else one.severity,
        f"each {fmt.span(one.interval)}" if one.state != "off" else "never",
        _alerts(one, scope),
        _runbook(one.runbook),
    ]


def _name(one: RuleLine) -> Component:
    target = " / ".join(one.target).removesuffix(" / *")
    only = [mono(target)] if any(part != "*" for part in one.target) else []
    about = html.Div(one.about, className="cell-under")
    return html.Div([html.B(fmt.words(one.name)), " ", *only, about], className="rule-name")


def _now(one: RuleLine) -> Children:
    shown: list[Component | str] = [pill(one.state, _TONES.get(one.state, Tone.NEUTRAL))]
    of = one.judged + one.without_data
    if one.said:
        shown.append(html.Div(one.said, className="cell-under rule-said"))
    elif of > 1 or (of and one.state == "no data"):
        shown.append(html.Div(_counted(one), className="cell-under"))
    return shown


def _counted(one: RuleLine) -> str:
    of = fmt.count(one.judged + one.without_data)
    return f"{fmt.count(one.without_data)} of {of} without data" if one.without_data else f"{of} looked at"


def _limit(one: RuleLine) -> Children:
    times = (("within", one.window), ("for", one.held_for))
    said = ", ".join(f"{word} {fmt.span(length)}" for word, length in times if length)
    return [measured(one.threshold, one.unit), *([html.Div(said, className="cell-under")] if said else [])]


def _alerts(one: RuleLine, scope: Scope) -> Children:
    said = [f"{n} {word}" for n, word in ((one.firing, "firing"), (one.pending, "pending")) if n]
    if not said:
        return html.Span("none", className="muted")
    return html.Span(dmc.Anchor(", ".join(said), href=link("alerts", scope.bare().with_filters(q=one.name))))


def _runbook(text: str) -> Children:
    """A link only where it leads to the web: what a file says is text otherwise."""
    if is_web(text):
        return html.A("open", href=text, rel="noopener noreferrer", target="_blank")
    return html.Span(text or fmt.NONE, className="muted rule-runbook")


PAGE = Page("rules", "Rules", "/rules", layout, register)
