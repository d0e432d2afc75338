"""What machines ask the dashboard: is it up, can it serve, which version, which figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Flask, Response, jsonify, request


@dataclass(frozen=True, slots=True)
class Probes:
    """metrics: the exposition in the form an Accept header prefers, and its content type.

    unready: why the dashboard cannot serve now, one sentence each; empty when it can.
    """

    metrics: Callable[[str], tuple[bytes, str]]
    unready: Callable[[], Sequence[str]]
    version: str


def add_probes(server: Flask, probes: Probes) -> None:
    """The routes /healthz, /readyz, /metrics and /version, open to everybody who reaches the port."""

    @server.get("/healthz")
    def healthz() -> Response:
        return jsonify({"status": "ok"})

    @server.get("/readyz")
    def readyz() -> tuple[Response, int]:
        reasons = list(probes.unready())
        return jsonify(
            {"status": "unready" if reasons else "ready", "reasons": reasons}
        ), 503 if reasons else 200

    @server.get("/metrics")
    def metrics() -> Response:
        body, content_type = probes.metrics(request.headers.get("Accept", ""))
        return Response(body, content_type=content_type)

    @server.get("/version")
    def version() -> Response:
        return jsonify({"version": probes.version})
