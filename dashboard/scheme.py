"""Which colour scheme the browser shows, by its cookie: charts are drawn here, so the server must know."""

from flask import request

from dashboard.palette import Palette, of_scheme

COOKIE = "hookvitals_scheme"


def asked_palette() -> Palette:
    """The palette of the request at hand."""
    return of_scheme(request.cookies.get(COOKIE))
