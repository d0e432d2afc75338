"""The dashboard below a path of a reverse proxy, whether the proxy cuts that path off or not."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def under_base_path(inner: "WSGIApplication", base_path: str) -> "WSGIApplication":
    """The application with SCRIPT_NAME set to base_path (starts and ends with `/`), for its links."""
    prefix = base_path.rstrip("/")

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == prefix or path.startswith(f"{prefix}/"):
            environ["PATH_INFO"] = path[len(prefix) :] or "/"
        environ["SCRIPT_NAME"] = prefix
        return inner(environ, start_response)

    return application
