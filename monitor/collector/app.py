"""The collector's Flask app: routes over a Front, errors as problem documents. Starts nothing itself."""

from flask import Flask

from monitor.collector import health, metrics, problems, records
from monitor.collector.front import Front


def create_app(front: Front) -> Flask:
    """The WSGI app of one front process."""
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(records.routes(front))
    app.register_blueprint(health.routes(front))
    app.register_blueprint(metrics.routes(front))
    problems.install(app)
    return app
