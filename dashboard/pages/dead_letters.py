"""Dead letters: what was given up, why, and the way back. A replay is planned, read, then started."""

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import format as fmt
from dashboard.clientside import in_browser
from dashboard.components.filters import choice, state_choice
from dashboard.components.frame import as_of, frame
from dashboard.components.grid import column, number, table
from dashboard.components.panel import notice, panel
from dashboard.components.text import facts, icon
from dashboard.links import link
from dashboard.pages.page import Page
from dashboard.palette import Tone
from dashboard.rows import letter_row
from dashboard.scope import Scope, scope_of
from dashboard.screen import Screen
from dashboard.views import LettersView, ReplayPlan
from monitor.errors import HookvitalsError

SHOWN = 1000
_STATES = ("waiting", "open", "permanent", "resolved", "all")
_FILTERS = ("source", "endpoint", "error", "state")
_PLAIN = {"state": _STATES[0]}  # what the address need not say
_COLUMNS = [
    column("event", "Event", 180),
    column("where", "Endpoint", 116),
    column("type", "Type", 136),
    column("error", "Error", 200),
    number("attempts", "Attempts", 82),
    number("replays", "Replays", 76),
    number("died", "Given up", 108),
    column("state", "State", 100),
    column("refusal", "Replay", 118),
]


def layout(**query: object) -> Component:
    scope = scope_of(query)
    return frame(
        "letters",
        "Dead letters",
        scope,
        [
            html.Div(_filters(scope), className="panel panel-body"),
            html.Div(id="letters-done"),
            panel(
                "Letters",
                [
                    html.Div(
                        [
                            dmc.Button(
                                "Select letters to replay",
                                id="letters-plan-button",
                                leftSection=icon("replay"),
                                size="xs",
                                disabled=True,
                            ),
                            html.Span(
                                "Operators may replay letters.",
                                id="letters-role",
                                className="muted",
                                hidden=True,
                            ),
                        ],
                        className="actions panel-actions",
                    ),
                    table(
                        "letters-grid",
                        _COLUMNS,
                        height_px=560,
                        selects=True,
                        pagination=True,
                        paginationPageSize=50,
                        paginationPageSizeSelector=False,
                    ),
                ],
                side=html.Span(id="letters-count"),
                flush=True,
            ),
            _dialog(),
            dcc.Store(id="letters-planned"),
            dcc.Store(id="letters-filters", data=[[name, _PLAIN.get(name, "")] for name in _FILTERS]),
        ],
        lead="Events whose processing was given up. The sender was answered and will not send them again.",
    )


def _filters(scope: Scope) -> Component:
    state = state_choice("letters", _STATES, scope)
    return html.Div(
        [
            choice("letters", "source", "Source", scope),
            choice("letters", "endpoint", "Endpoint", scope),
            choice("letters", "error", "Error class", scope),
            state,
        ],
        className="filters",
    )


def _dialog() -> dmc.Modal:
    return dmc.Modal(
        [
            html.Div(id="letters-plan"),
            dmc.TextInput(
                id="letters-reason",
                label="Reason",
                description="Stands in the audit, beside your name.",
                required=True,
                my="md",
                debounce=False,
            ),
            html.Div(id="letters-problem"),
            dmc.Group(
                [
                    dmc.Button(
                        "Start the replay", id="letters-start", leftSection=icon("replay"), disabled=True
                    )
                ],
                justify="flex-end",
                mt="sm",
            ),
        ],
        id="letters-dialog",
        title="Replay",
        opened=False,
        size="lg",
        centered=True,
        closeButtonProps={"aria-label": "Close"},
    )


def register(app: Dash, screen: Screen) -> None:
    in_browser(
        app,
        "writeFilters",
        Output("url", "search", allow_duplicate=True),
        *[Input(f"letters-{name}", "value") for name in _FILTERS],
        State("letters-filters", "data"),
    )
    in_browser(
        app,
        "isBlank",
        Output("letters-start", "disabled"),
        Input("letters-reason", "value"),
        at_start=True,
    )

    @app.callback(
        *[Output(f"letters-{name}", "data") for name in ("source", "endpoint", "error")],
        Input("letters-scope", "data"),
    )
    def offer(stored: dict[str, object]) -> tuple[list[str], ...]:
        scope = scope_of(stored)
        known = screen.reads.choices(scope.environment)
        return tuple(
            sorted({*names, *([chosen] if (chosen := scope.get(name)) else [])})
            for name, names in (
                ("source", known.sources),
                ("endpoint", known.endpoints),
                ("error", known.errors),
            )
        )

    @app.callback(
        Output("letters-grid", "rowData"),
        Output("letters-count", "children"),
        Output("letters-as-of", "children"),
        Input("letters-tick", "n_intervals"),
        State("letters-scope", "data"),
    )
    def refresh(_: int | None, stored: dict[str, object]) -> tuple[object, ...]:
        scope, now = scope_of(stored), screen.clock.now()
        view = screen.reads.letters(scope, SHOWN)
        return [letter_row(letter, scope, now) for letter in view.letters], _counted(view), as_of(now)

    @app.callback(
        Output("letters-plan-button", "children"),
        Output("letters-plan-button", "disabled"),
        Output("letters-plan-button", "display"),
        Output("letters-role", "hidden"),
        Input("letters-grid", "selectedRows"),
    )
    def offer_replay(selected: list[dict[str, object]] | None) -> tuple[str, bool, str, bool]:
        operates, chosen = screen.viewer().operates, len(selected or [])
        said = f"Plan a replay of {fmt.count(chosen)}" if chosen else "Select letters to replay"
        return said, not chosen, "inline-flex" if operates else "none", operates

    @app.callback(
        Output("letters-dialog", "opened"),
        Output("letters-plan", "children"),
        Output("letters-problem", "children"),
        Output("letters-planned", "data"),
        Output("letters-done", "children"),
        Output("letters-grid", "selectedRows"),
        Output("letters-tick", "n_intervals"),
        Input("letters-plan-button", "n_clicks"),
        Input("letters-start", "n_clicks"),
        State("letters-grid", "selectedRows"),
        State("letters-planned", "data"),
        State("letters-reason", "value"),
        State("letters-tick", "n_intervals"),
        State("letters-scope", "data"),
        prevent_initial_call=True,
    )
    def step(
        planning: int | None,
        starting: int | None,
        selected: list[dict[str, str]] | None,
        planned: list[str] | None,
        reason: str | None,
        ticks: int | None,
        stored: dict[str, object],
    ) -> tuple[object, ...]:
        nothing: tuple[object, ...] = (no_update,) * 7
        try:
            if ctx.triggered_id == "letters-plan-button" and planning:
                ids = [row["id"] for row in selected or []]
                plan = screen.actions.plan_replay(screen.viewer(), ids)
                return True, _plan(plan), [], ids, [], *nothing[:2]
            if ctx.triggered_id == "letters-start" and starting and planned:
                replay = screen.actions.start_replay(screen.viewer(), planned, (reason or "").strip())
                done = notice(
                    Tone.OK,
                    "The replay runs.",
                    dmc.Anchor(
                        "Watch it", href=link("replays", scope_of(stored).bare().with_filters(q=replay))
                    ),
                )
                return False, [], [], None, done, [], (ticks or 0) + 1
        except HookvitalsError as exc:
            problem = notice(Tone.ERROR, "Refused.", str(exc))
            return True, no_update, problem, *nothing[:4]
        return nothing


def _plan(plan: ReplayPlan) -> list[Component]:
    shown: list[Component] = [
        facts(
            [
                ("Selected", fmt.count(plan.letters)),
                ("Will be sent", fmt.count(plan.to_send)),
                ("Already succeeded", fmt.count(plan.already_succeeded)),
                ("Bodies", fmt.size(plan.body_bytes)),
                ("Pace", fmt.NONE if plan.rate_per_s is None else f"{plan.rate_per_s:g} a second"),
                ("Takes about", _length(plan)),
            ]
        )
    ]
    if plan.refusals:
        left_out = ", ".join(f"{fmt.count(n)} {fmt.words(why)}" for why, n in plan.refusals)
        shown.append(notice(Tone.WARNING, "Left out:", left_out))
    shown += [notice(Tone.INFO, note) for note in plan.notes]
    words = "Each is signed anew with the endpoint's replay secret. It stops itself when failures come back."
    shown.append(html.P(words, className="muted"))
    return shown


def _length(plan: ReplayPlan) -> str:
    return fmt.NONE if not plan.rate_per_s else fmt.seconds(plan.to_send / plan.rate_per_s)


def _counted(view: LettersView) -> str:
    if len(view.letters) < view.total:
        return f"the newest {fmt.count(len(view.letters))} of {fmt.count(view.total)}"
    return fmt.count(view.total)


PAGE = Page("dead_letters", "Dead letters", "/dead-letters", layout, register)
