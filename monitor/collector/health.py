"""Whether the collector lives, is ready, and which one it is. Needs no key, tells nothing of the records."""

import shutil
from importlib.metadata import version

from flask import Blueprint, Response, json

from monitor.collector.front import Front
from monitor.errors import Unavailable


def routes(front: Front) -> Blueprint:
    """/healthz, /readyz and /version over this front."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return _answer({"status": "ok"})

    @blueprint.get("/readyz")
    def readyz() -> Response:
        reasons = reasons_not_ready(front)
        if reasons:
            return _answer({"status": "not ready", "reasons": reasons}, 503)
        return _answer({"status": "ready"})

    @blueprint.get("/version")
    def version_() -> Response:
        return _answer({"version": version("hookvitals-server"), "facts_schema": front.settings.facts_schema})

    return blueprint


def reasons_not_ready(front: Front) -> list[str]:
    """Why records would be refused now, each as a sentence; empty when ready."""
    reasons = []
    if not front.keys.is_loaded:
        reasons.append("the keys could not be read from the control store yet")
    try:
        if front.writer.ping()["failing"]:
            reasons.append("the facts store refuses to write: see the collector's log")
    except Unavailable as exc:
        reasons.append(f"the facts store is not reached: {exc.message}")
    free = shutil.disk_usage(front.settings.data_dir).free
    if free < front.settings.disk_reserve_bytes:
        reasons.append(f"only {free} bytes are free on the disk of the data directory")
    return reasons


def _answer(content: dict[str, object], status: int = 200) -> Response:
    response = Response(json.dumps(content), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
