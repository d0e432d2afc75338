"""The public face of the SDK, and what importing it costs."""

import inspect
import subprocess
import sys
from importlib.metadata import requires, version

import hookvitals
from hookvitals import Receiver, Recorder, Shipper
from hookvitals.integrations import asgi, django, flask, wsgi
from hookvitals.testing import signed_request

FACE = {
    "ACCEPTED", "PROFILES", "SCHEMES", "BatchFailed", "BreakerPolicy", "Event", "JsonFormatter", "LogContext",
    "MemoryState", "MissingDependency", "Permanent", "Profile", "Receiver", "Recorder", "RedisState",
    "RetryPolicy", "Shipper", "SqlState", "SqliteState", "StateUnavailable", "Transient",
    "VerificationError", "Verified", "__version__", "canary_headers", "make", "profile_of", "register",
    "replay_headers",
}  # fmt: skip


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def test_the_face_is_these_names_and_no_others() -> None:
    assert set(hookvitals.__all__) == FACE
    assert all(hasattr(hookvitals, name) for name in FACE)


def test_what_others_call_keeps_its_parameters() -> None:
    assert parameters(Receiver.handle)[1:] == [
        "method", "url", "headers", "body", "remote_addr", "arrived_ns", "cut_off",
    ]  # fmt: skip
    assert parameters(Receiver)[0] == "source"
    assert set(parameters(Receiver)) >= {
        "endpoint", "secrets", "system", "environment", "collector", "key", "shipper", "state_path", "inbox",
        "profile", "allow_from", "trusted_proxies", "replay_secret", "max_body_bytes", "capture",
        "capture_headers", "retry", "lease_s", "labels", "now",
    }  # fmt: skip
    assert parameters(Recorder)[:5] == ["source", "endpoint", "shipper", "environment", "receiver"]
    assert parameters(Recorder.record)[1:] == ["outcome", "received_at_us", "fields"]
    assert parameters(Shipper)[:2] == ["url", "key"]
    assert parameters(hookvitals.replay_headers) == ["item", "body", "secret", "now"]
    assert parameters(flask.mount) == ["receiver", "app", "path"]
    assert parameters(wsgi.application) == ["receiver"]
    assert parameters(asgi.application) == ["receiver", "threads"]
    assert parameters(asgi.mount) == ["receiver", "app", "path", "threads"]
    assert parameters(asgi.before) == ["app", "receivers", "threads"]
    assert parameters(asgi.lifespan) == ["receivers"]
    assert parameters(asgi.on_this_loop) == ["handler"]
    assert parameters(django.view) == ["receiver"]
    assert parameters(django.fresh_connections) == ["handler"]
    assert parameters(signed_request)[:5] == ["system", "secret", "event_id", "event_type", "data"]


def test_importing_it_brings_in_the_standard_library_alone() -> None:
    program = """
import sys
before = set(sys.modules)
import hookvitals, hookvitals.testing, hookvitals.__main__
import hookvitals.integrations.asgi, hookvitals.integrations.wsgi
names = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(names - set(sys.stdlib_module_names) - {"hookvitals"}))
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)

    assert done.stdout.strip() == "[]"


def test_the_distribution_requires_nothing_but_its_extras() -> None:
    assert [one for one in requires("hookvitals") or [] if "extra ==" not in one] == []
    assert version("hookvitals") == hookvitals.__version__
