"""The management API as one application under /api/v1, with its own errors, guard and OpenAPI document.

Every route is thin: it reads through `monitor.queries`, changes things through `monitor.operations`, and has
no rule of its own.
"""

import re
from collections.abc import Callable, Sequence

from flask import Blueprint, Flask, Response, current_app, json, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from flask_openapi3.types import SecuritySchemesDict
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.wrappers import Response as AnyResponse

from monitor.api import access, problems, repeats
from monitor.api.access import Identify, Need, needs
from monitor.api.alerts import alerts
from monitor.api.audit import audit
from monitor.api.auth import identify_with
from monitor.api.checklists import checklists
from monitor.api.clients import clients
from monitor.api.dead_letters import dead_letters
from monitor.api.endpoints import endpoints
from monitor.api.events import events
from monitor.api.issues import issues
from monitor.api.keys import keys
from monitor.api.noun import EXTENSION, ProblemDocument
from monitor.api.noun import services as current
from monitor.api.queues import queues
from monitor.api.records import records
from monitor.api.replays import replays
from monitor.api.reports import reports
from monitor.api.series import series
from monitor.api.services import Services
from monitor.api.sightings import sightings
from monitor.api.silences import silences
from monitor.api.stats import stats
from monitor.api.users import users

PREFIX = "/api/v1"
BODY_BYTES = 256 * 1024
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
NOUNS: Sequence[APIBlueprint] = (
    events, records, series, stats, queues, clients, endpoints, checklists, sightings, alerts, silences,
    issues, dead_letters, replays, reports, keys, users, audit,
)  # fmt: skip

SECURITY_SCHEMES: SecuritySchemesDict = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key hv_… with the scope the route needs."},
    "session": {"type": "apiKey", "in": "cookie", "name": "hookvitals_session"},
}


def create_api(services: Services, version: str, sessions: Identify | None = None) -> OpenAPI:
    """The API as an application whose routes start at its root; `mounted` puts it under /api/v1.

    sessions: finds who is logged in, for requests that bring no key.
    """
    app = _bare(identify_with(services.desk, sessions), version)
    app.extensions[EXTENSION] = services
    return app


def routes() -> list[tuple[str, str, Need, str]]:
    """(method, path, need, what it does) of every route, by path: for the documentation."""
    app = _bare(lambda _: None, "")
    found = []
    for rule in app.url_map.iter_rules():
        need = access.need_of(app.view_functions[rule.endpoint])
        assert need is not None
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            operation = getattr(app.paths.get(path), method.lower(), None)
            found.append((method, path, need, operation.summary if operation else "This API as OpenAPI 3.1"))
    return sorted(found, key=lambda row: (row[1], row[0]))


def _bare(identify: Identify, version: str) -> OpenAPI:
    app = OpenAPI(
        "monitor.api",
        info=Info(title="Hookvitals management API", version=version),
        security_schemes=SECURITY_SCHEMES,
        validation_error_model=ProblemDocument,
        validation_error_callback=problems.unusable,
        doc_ui=False,
        static_folder=None,
    )
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
    problems.install(app)
    access.install(app, identify)
    app.before_request(_read_body)
    repeats.install(app, lambda: current().control.answers, lambda: current().clock)
    for noun in NOUNS:
        app.register_api(noun)
    app.add_url_rule("/openapi.json", "openapi", _openapi)
    return app


def mounted(api: Flask) -> Blueprint:
    """A blueprint that hands every request under /api/v1 to the API, errors included."""
    mount = Blueprint("management_api", __name__, url_prefix=PREFIX)
    view = _into(api)
    for rule in ("/", "/<path:rest>"):
        mount.add_url_rule(rule, "into", view, methods=METHODS, provide_automatic_options=False)
    return mount


def _into(api: Flask) -> Callable[..., AnyResponse]:
    def into(rest: str = "") -> AnyResponse:
        # Taken from the environ and not from `rest`: there it is still as the client wrote it.
        path = request.environ["PATH_INFO"].removeprefix(PREFIX)
        environ = request.environ | {"SCRIPT_NAME": request.script_root + PREFIX, "PATH_INFO": path}
        return AnyResponse.from_app(api.wsgi_app, environ)

    return into


def _read_body() -> None:
    """Refuse a body that is too large, not JSON by its type, or not JSON at all, before any view runs."""
    if request.method in ("POST", "PUT", "PATCH") and request.get_data():
        if not request.is_json:
            raise UnsupportedMediaType("Send the body as application/json.")
        request.get_json()


@needs(Need.PUBLIC)
def _openapi() -> Response:
    app = current_app
    assert isinstance(app, OpenAPI)
    # Behind a proxy's path the routes stand below it too.
    document = app.api_doc | {"servers": [{"url": request.script_root or PREFIX}]}
    return Response(json.dumps(document, sort_keys=False), mimetype="application/json")
