"""The dashboard as one Flask application: pages, login, health, and whatever blueprints it is handed.

Everything the browser loads is served from here; nothing is fetched from elsewhere.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from dash import Dash
from flask import Blueprint, Flask
from flask_compress import Compress

from dashboard import auth, palette, security, shell
from dashboard.base_path import under_base_path
from dashboard.health import Probes, add_probes
from dashboard.pages import PAGES
from dashboard.screen import Actions, Reads, Screen
from monitor.clock import Clock

_HERE = Path(__file__).parent
_COMPRESSED = [
    "text/html",
    "text/css",
    "text/javascript",
    "application/javascript",
    "application/json",
    "image/svg+xml",
]
_INDEX = """<!doctype html>
<html lang="en">
<head>
{%metas%}
<title>{%title%}</title>
{%favicon%}
<style>COLOURS</style>
{%css%}
</head>
<body>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""


def create_dashboard(
    reads: Reads,
    actions: Actions,
    clock: Clock,
    probes: Probes,
    *,
    blueprints: Sequence[Blueprint] = (),
    base_path: str = "/",
    https: bool = False,
) -> Flask:
    """The application, for any WSGI server. base_path starts and ends with `/`; https: cookies are Secure."""
    server = Flask("dashboard", template_folder=str(_HERE / "templates"), static_folder=None)
    server.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    server.config["COMPRESS_ALGORITHM"] = ["gzip"]
    server.config["COMPRESS_MIMETYPES"] = _COMPRESSED
    app = Dash(
        "hookvitals",
        server=cast(Any, server),  # its annotation says bool
        routes_pathname_prefix="/",
        requests_pathname_prefix=base_path,
        assets_folder=str(_HERE / "assets"),
        assets_ignore=r"login\.css",  # served, but not part of the pages
        pages_folder="",
        use_pages=True,
        title="Hookvitals",
        update_title="",
        index_string=_INDEX.replace("COLOURS", palette.css()),
        suppress_callback_exceptions=False,
        include_pages_meta=False,
        meta_tags=[
            {"name": "viewport", "content": "width=device-width, initial-scale=1"},
            {"name": "robots", "content": "noindex"},
        ],
        enable_mcp=False,
        csrf_token_name=security.CSRF_COOKIE,
        csrf_header_name=security.CSRF_HEADER,
    )
    screen = Screen(reads, actions, clock, auth.current_viewer)
    auth.install(server, actions, https=https)
    add_probes(server, probes)
    for blueprint in blueprints:
        server.register_blueprint(blueprint)
    app.layout = shell.shell(base_path)
    shell.register(app, screen)
    for page in PAGES:
        page.install(app, screen)
    security.protect(server, app.csp_hashes, https=https)
    Compress(server)
    if base_path != "/":
        server.wsgi_app = under_base_path(server.wsgi_app, base_path)  # type: ignore[assignment]
    return server
