"""Where a framework is not installed its adapter says which extra to install, and the others do not ask."""

import subprocess
import sys

import pytest

MISSING = """
import sys
from importlib import import_module
from hookvitals import MissingDependency
sys.modules[sys.argv[1]] = None  # as if it were not installed
try:
    import_module("hookvitals.integrations." + sys.argv[1])
except MissingDependency as exc:
    print(exc)
"""
WITHOUT = """
import sys
for name in ("flask", "werkzeug", "django", "starlette", "fastapi"):
    sys.modules[name] = None
from hookvitals import Receiver
from hookvitals.integrations import asgi, wsgi
receiver = Receiver("hmac", endpoint="orders", secrets=["secret"])

class Routes:  # what Starlette and FastAPI have of it
    def add_route(self, path, route, include_in_schema):
        print(path)

wsgi.application(receiver), asgi.application(receiver), asgi.before(None, {"/hooks": receiver})
receiver.init_app(Routes(), "/hooks")
"""


def told(program: str, *arguments: str) -> str:
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.mark.parametrize("framework", ["flask", "django"])
def test_an_adapter_without_its_framework_names_the_extra(framework: str) -> None:
    assert f"pip install 'hookvitals[{framework}]'" in told(MISSING, framework)


def test_wsgi_and_asgi_need_no_framework() -> None:
    assert told(WITHOUT) == "/hooks"
