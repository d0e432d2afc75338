"""What machines ask the dashboard: is it up, can it serve, which version, which figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask import Flask, Response, jsonify, request


@dataclass(frozen=True, slots=True)
class Readiness:
    """reasons: why it cannot serve now, a sentence each. warnings: what an operator should know all the same.

    jobs: each job of the worker and its last success.
    """

    reasons: Sequence[str] = ()
    warnings: Sequence[str] = ()
    jobs: Mapping[str, datetime | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Probes:
    """metrics: the exposition in the form an Accept header prefers, and its content type."""

    metrics: Callable[[str], tuple[bytes, str]]
    ready: Callable[[], Readiness]
    version: str


def add_probes(server: Flask, probes: Probes) -> None:
    """The routes /healthz, /readyz, /metrics and /version, open to everybody who reaches the port."""

    @server.get("/healthz")
    def healthz() -> Response:
        return jsonify({"status": "ok"})

    @server.get("/readyz")
    def readyz() -> tuple[Response, int]:
        found = probes.ready()
        told = {
            "status": "not ready" if found.reasons else "ready",
            "reasons": list(found.reasons),
            "warnings": list(found.warnings),
            "jobs": {name: at and at.isoformat() for name, at in found.jobs.items()},
        }
        return jsonify(told), 503 if found.reasons else 200

    @server.get("/metrics")
    def metrics() -> Response:
        body, content_type = probes.metrics(request.headers.get("Accept", ""))
        return Response(body, content_type=content_type)

    @server.get("/version")
    def version() -> Response:
        return jsonify({"version": probes.version})
