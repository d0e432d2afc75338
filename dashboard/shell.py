"""The frame around every page: navigation, environment, time range, freshness, colour scheme, banners.

Its callback runs every ten seconds with one small query. `assets/hookvitals.js` writes the choices it offers
into the address; pages read them from there.
"""

from collections.abc import Sequence
from datetime import datetime

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, page_container
from dash.development.base_component import Component

from dashboard import auth
from dashboard import format as fmt
from dashboard.clientside import in_browser
from dashboard.components.attributes import attributes
from dashboard.components.panel import notice
from dashboard.components.text import icon
from dashboard.palette import Tone
from dashboard.scope import DEFAULT_RANGE, RANGES, scope_of
from dashboard.screen import Screen
from dashboard.security import CSRF_FIELD
from dashboard.views import BLIND_AFTER, Job, ShellView
from monitor.model import DEFAULT_ENVIRONMENT

_PLACES = (  # icon, label, path, keys; hookvitals.js knows the paths and keys too
    ("overview", "Overview", "", "g o"),
    ("events", "Events", "events", "g e"),
    ("alerts", "Alerts", "alerts", "g a"),
    ("rules", "Rules", "rules", "g u"),
    ("silences", "Silences", "silences", "g m"),
    ("issues", "Issues", "issues", "g i"),
    ("letters", "Dead letters", "dead-letters", "g d"),
    ("replay", "Replays", "replays", "g p"),
    ("reports", "Reports", "reports", "g r"),
    ("status", "Status", "status", "g s"),
)
_KEYS = (
    ("g o", "overview"),
    ("g e", "events"),
    ("g a", "alerts"),
    ("g u", "rules"),
    ("g m", "silences"),
    ("g i", "issues"),
    ("g d", "dead letters"),
    ("g p", "replays"),
    ("g r", "reports"),
    ("g s", "status"),
    ("/", "look an event up"),
    ("?", "this help"),
    ("Esc", "close"),
)
THEME = {
    "primaryColor": "brand",
    "primaryShade": {"light": 7, "dark": 6},
    "defaultRadius": "md",
    "fontFamily": "var(--hv-font)",
    "fontFamilyMonospace": "var(--hv-mono)",
    "colors": {
        "brand": [
            "#eef1fc", "#dbe2f8", "#b8c5f1", "#93a6ea", "#738ae2",
            "#5f78dc", "#4a63c9", "#3451b2", "#2b4496", "#22377b",
        ]
    },
}  # fmt: skip


def shell(base: str) -> dmc.MantineProvider:
    """The whole document. base: the path the dashboard is shown under, ending in `/`."""
    return dmc.MantineProvider(
        [
            dcc.Location(id="url", refresh="callback-nav"),
            dcc.Interval(id="shell-tick", interval=10_000),
            dmc.AppShell(
                [
                    dmc.AppShellHeader(_header(base), className="header"),
                    dmc.AppShellNavbar(_navigation(base), className="navbar"),
                    dmc.AppShellMain([html.Div(id="banners"), page_container], className="main", id="main"),
                ],
                id="frame",
                header={"height": {"base": 100, "sm": 56}},
                navbar={"width": 216, "breakpoint": "sm", "collapsed": {"mobile": True}},
                padding=0,
            ),
            _help(),
            html.Div(id="announced", className="unseen", role="status"),
        ],
        id="provider",
        defaultColorScheme="auto",
        theme=THEME,
    )


def _header(base: str) -> list[Component]:
    return [
        html.A("Skip to content", href="#main", className="skip"),
        html.Div(
            [
                dmc.Burger(
                    id="burger",
                    size="sm",
                    hiddenFrom="sm",
                    opened=False,
                    **attributes(aria_label="Navigation"),
                ),
                dcc.Link(
                    [
                        html.Img(src=f"{base}assets/favicon.svg", width=26, height=26, alt=""),
                        html.Span("Hookvitals"),
                    ],
                    href=base,
                    className="brand",
                ),
            ],
            className="header-brand",
        ),
        html.Div(
            [
                dmc.Select(
                    id="environment",
                    data=[DEFAULT_ENVIRONMENT],
                    value=DEFAULT_ENVIRONMENT,
                    allowDeselect=False,
                    size="xs",
                    className="environment",
                    comboboxProps={"withinPortal": True},
                    **attributes(aria_label="Environment"),
                ),
                dmc.SegmentedControl(
                    id="range",
                    data=[{"value": name, "label": name} for name in RANGES],
                    value=DEFAULT_RANGE,
                    size="xs",
                    className="range",
                    **attributes(aria_label="Time range"),
                ),
            ],
            className="header-scope",
        ),
        html.Div(
            [
                html.Span(id="freshness", className="freshness", role="status", title="Age of what you see"),
                dmc.ColorSchemeToggle(
                    id="scheme",
                    lightIcon=icon("moon"),
                    darkIcon=icon("sun"),
                    variant="subtle",
                    color="gray",
                    size="md",
                    **attributes(aria_label="Switch between light and dark"),
                ),
                html.Div(id="account", className="account"),
            ],
            className="header-tools",
        ),
    ]


def _navigation(base: str) -> list[Component]:
    links = [
        dmc.NavLink(
            id=f"nav-{name}",
            label=label,
            leftSection=icon(name),
            rightSection=html.Span(id=f"count-{name}", className="nav-count"),
            href=f"{base}{path}",
            active=False,
            className="nav-link",
            **attributes(aria_keyshortcuts=keys),
        )
        for name, label, path, keys in _PLACES
    ]
    return [
        html.Nav(links, **attributes(aria_label="Pages")),
        html.Div(
            [
                html.Span("All times are UTC"),
                html.Span(["Press ", dmc.Kbd("?", size="xs"), " for keys"], className="keys-hint"),
            ],
            className="navbar-foot",
        ),
    ]


def _help() -> dmc.Modal:
    rows = [
        html.Div([html.Span([dmc.Kbd(key) for key in keys.split()]), html.Span(does)]) for keys, does in _KEYS
    ]
    return dmc.Modal(
        html.Div(rows, className="keys"),
        id="help",
        title="Keys",
        opened=False,
        size="sm",
        centered=True,
        closeButtonProps={"aria-label": "Close"},
    )


def register(app: Dash, screen: Screen) -> None:
    """The shell's callbacks."""
    in_browser(
        app,
        "toggleNavigation",
        Output("frame", "navbar"),
        Input("burger", "opened"),
        State("frame", "navbar"),
    )
    in_browser(
        app,
        "closeNavigation",
        Output("burger", "opened"),
        Input("url", "pathname"),
    )
    in_browser(
        app,
        "syncScope",
        Output("url", "search"),
        Output("environment", "value"),
        Output("range", "value"),
        *[Output(f"nav-{name}", prop) for name, _, _, _ in _PLACES for prop in ("href", "active")],
        Input("url", "search"),
        Input("url", "pathname"),
        Input("environment", "value"),
        Input("range", "value"),
        at_start=True,
    )

    @app.callback(
        Output("banners", "children"),
        Output("environment", "data"),
        Output("count-alerts", "children"),
        Output("announced", "children"),
        Output("count-issues", "children"),
        Output("count-letters", "children"),
        Output("account", "children"),
        Input("shell-tick", "n_intervals"),
        Input("environment", "value"),
        running=[(Output("shell-tick", "disabled"), True, False)],
    )
    def refresh(_: int | None, environment: str | None) -> tuple[object, ...]:
        now = screen.clock.now()
        scope = scope_of({"environment": environment})
        view = screen.reads.shell(scope.environment, now)
        known = sorted({*view.environments, DEFAULT_ENVIRONMENT, scope.environment})
        return (
            banners(view, now),
            known,
            _bubble(view.firing, Tone.CRITICAL),
            announced(view.firing, scope.environment),
            _bubble(view.new_issues, Tone.WARNING),
            _bubble(view.open_letters, Tone.NEUTRAL),
            account(screen),
        )


def account(screen: Screen) -> dmc.Menu:
    """Who is logged in, and the way out: a plain form, so that it works whatever the page's state."""
    viewer = screen.viewer()
    return dmc.Menu(
        [
            dmc.MenuTarget(
                dmc.ActionIcon(
                    icon("user"),
                    variant="subtle",
                    color="gray",
                    **attributes(aria_label=f"Account of {viewer.name}"),
                )
            ),
            dmc.MenuDropdown(
                [
                    dmc.MenuLabel(f"{viewer.name} · {viewer.role.word}"),
                    html.Form(
                        [
                            dcc.Input(type="hidden", name=CSRF_FIELD, value=auth.current_csrf()),
                            html.Button([icon("logout"), "Log out"], type="submit", className="menu-button"),
                        ],
                        action=auth.logout_path(),
                        method="POST",
                    ),
                ]
            ),
        ],
        position="bottom-end",
    )


def banners(view: ShellView, now: datetime) -> list[Component]:
    """What nobody may overlook, worst first."""
    shown: list[Component] = []
    silent = view.heartbeat_at is None or now - view.heartbeat_at > BLIND_AFTER
    if silent:
        since = (
            "has never written"
            if view.heartbeat_at is None
            else f"last wrote {fmt.ago(view.heartbeat_at, now)}"
        )
        shown.append(
            notice(
                Tone.CRITICAL,
                "The monitor is blind.",
                f"The collector {since}: nothing is recorded now, and no alert can start or resolve. "
                "Is `hookvitals collector` running?",
            )
        )
    if not view.channels:
        shown.append(
            notice(
                Tone.WARNING,
                "Alerts reach nobody.",
                "No channel is configured. Add one to hookvitals.toml and run `hookvitals config apply`.",
            )
        )
    shown += _late(view.late_jobs, now)
    if not view.ever_received:
        shown.append(_first_steps(view.paste))
    return shown


def announced(firing: int, environment: str) -> str:
    """What a screen reader says whenever it changes, and only then: no count of minutes is in it."""
    said = "No alert fires" if not firing else f"{firing} alert{' fires' if firing == 1 else 's fire'}"
    return f"{said} in {environment}."


def _late(jobs: Sequence[Job], now: datetime) -> list[Component]:
    """One line however many are late: usually the worker as a whole does not run."""
    if not jobs:
        return []
    title = f"A job is late: {fmt.words(jobs[0].name)}." if len(jobs) == 1 else f"{len(jobs)} jobs are late."
    known = [job.last_success_at for job in jobs if job.last_success_at is not None]
    last = f"last succeeded {fmt.ago(min(known), now)}" if known else "never succeeded"
    names = ", ".join(fmt.words(job.name) for job in jobs)
    error = next((job.error for job in jobs if job.error), "")
    said = f"{names}: {last}. {error or 'Is `hookvitals worker` running?'}"
    return [notice(Tone.WARNING, title, said)]


def _first_steps(paste: str) -> Component:
    return notice(
        Tone.INFO,
        "Nothing has been received yet.",
        [
            html.Span("Paste this into your receiver; the first record appears here within seconds."),
            html.Pre(paste, className="paste"),
        ],
    )


def _bubble(n: int, tone: Tone) -> Sequence[Component]:
    return [html.Span(fmt.compact(n), className=f"bubble bubble-{tone.value}")] if n else []
