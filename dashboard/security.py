"""What the browser is told to refuse, and which requests are refused because another site made them."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from flask import Flask, Request, Response, request

CSRF_COOKIE = "_csrf_token"
CSRF_HEADER = "X-CSRFToken"
CSRF_FIELD = "csrf_token"


def csrf_token(session_secret: str) -> str:
    """The token that belongs to a session: it needs no row of its own and dies with the session."""
    return hmac.new(session_secret.encode(), b"hookvitals csrf", hashlib.sha256).hexdigest()


def is_forged(asked: Request, session_secret: str) -> bool:
    """Whether a writing request lacks the session's token, in the header Dash sets or in a form's field."""
    given = asked.headers.get(CSRF_HEADER) or asked.form.get(CSRF_FIELD) or ""
    return not hmac.compare_digest(given.encode(), csrf_token(session_secret).encode())


def is_foreign(asked: Request) -> bool:
    """Whether the browser says that another site sent this request."""
    if asked.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = asked.headers.get("Origin")
    return bool(origin) and origin != "null" and urlsplit(origin).netloc != asked.host


def protect(server: Flask, inline_hashes: Callable[[], Sequence[str]], *, https: bool) -> None:
    """Sets the headers on every answer. The hashes are asked per answer: Dash adds a script at first use."""

    @server.after_request
    def _headers(answer: Response) -> Response:
        headers = answer.headers
        headers.setdefault("Content-Security-Policy", policy(inline_hashes()))
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if https:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if not request.path.startswith(("/assets/", "/_dash-component-suites/")):
            headers.setdefault("Cache-Control", "no-store")
        return answer


def policy(hashes: Sequence[str]) -> str:
    """The Content-Security-Policy: own scripts and the hashed ones, no eval, nothing from elsewhere."""
    scripts = " ".join(["'self'", *sorted(set(hashes))])
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",  # plotly.js, Mantine and AG Grid write style elements
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-src 'self'",
            "frame-ancestors 'none'",
        ]
    )
