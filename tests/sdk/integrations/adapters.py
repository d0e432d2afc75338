"""Every adapter by name, and a receiver behind it on a real server for as long as a block lasts."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.conf import settings as django_settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from django.urls import path as django_path
from fastapi import FastAPI
from flask import Blueprint, Flask
from starlette.applications import Starlette
from starlette.routing import Mount
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from hookvitals import Receiver
from hookvitals.integrations import asgi, django, flask, wsgi
from tests.sdk.integrations.serving import served, served_asgi

PATH = "/webhooks/orders"
_SAFE = "django.middleware.security.SecurityMiddleware"
_COMMON = "django.middleware.common.CommonMiddleware"
_CSRF = "django.middleware.csrf.CsrfViewMiddleware"

if not django_settings.configured:
    django_settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "ATOMIC_REQUESTS": True}
        },
        LOGGING_CONFIG=None,
        MIDDLEWARE=[_SAFE, _COMMON, _CSRF],
        SECRET_KEY="for tests",
    )


def _flask(receiver: Receiver, path: str) -> Any:
    app = Flask("test")
    flask.mount(receiver, app, path)
    return app


def _blueprint(receiver: Receiver, path: str) -> Any:
    app = Flask("test")
    _, first, rest = path.split("/", 2)
    hooks = Blueprint("hooks", "test", url_prefix=f"/{first}")
    receiver.init_app(hooks, f"/{rest}")
    app.register_blueprint(hooks)
    return app


def _starlette(receiver: Receiver, path: str) -> Any:
    app = Starlette(lifespan=asgi.lifespan(receiver))
    asgi.mount(receiver, app, path)
    return app


def _fastapi(receiver: Receiver, path: str) -> Any:
    app = FastAPI(lifespan=asgi.lifespan(receiver))
    receiver.init_app(app, path)
    return app


@contextmanager
def django_urls(receiver: Receiver, path: str = PATH) -> Iterator[None]:
    """Django routes `path` to the receiver while the block lasts."""
    with override_settings(ROOT_URLCONF=(django_path(path[1:], django.view(receiver)),)):
        yield


WSGI: dict[str, Callable[[Receiver, str], Any]] = {
    "flask": _flask,
    "blueprint": _blueprint,
    "wsgi": lambda receiver, path: wsgi.application(receiver),
    "django": lambda receiver, path: WSGIHandler(),
}
ASGI: dict[str, Callable[[Receiver, str], Any]] = {
    "asgi": lambda receiver, path: asgi.application(receiver),
    "starlette": _starlette,
    "fastapi": _fastapi,
    "django-asgi": lambda receiver, path: ASGIHandler(),
    "before-django": lambda receiver, path: asgi.before(ASGIHandler(), {path: receiver}),
}
ADAPTERS = [*WSGI, *ASGI]
READS_ALL = "django-asgi"
"""Django under ASGI reads a body to its end before it asks any view."""
BOUNDED = [name for name in ADAPTERS if name != READS_ALL]


@contextmanager
def serving(name: str, receiver: Receiver, *, path: str = PATH, prefix: str = "") -> Iterator[int]:
    """The port. prefix: what stands before `path` because the whole application is mounted there."""
    with ExitStack() as stack:
        if name.startswith("django"):  # else Django knows of no receiver
            stack.enter_context(django_urls(receiver, path))
        if name in WSGI:
            app = WSGI[name](receiver, path)
            if prefix:
                app = DispatcherMiddleware(NotFound(), {prefix: app})
            yield stack.enter_context(served(app))
        else:
            app = ASGI[name](receiver, path)
            if prefix:
                app = Starlette(routes=[Mount(prefix, app=app)])
            lifespan = "off" if "django" in name and not prefix else "on"
            yield stack.enter_context(served_asgi(app, lifespan=lifespan))
