"""The page behind a link of a message: GET shows who would do what, POST does it. No login and no script.

Whoever only looks (a mail scanner, a chat that previews links) changes nothing. The link itself is the
permission, so the page tells little: the alert's own sentence, and nothing that it leads to.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from flask import Blueprint, Response, render_template, request

from alerts.message import SUMMARY_CHARS, TITLE_CHARS, place_of, plain
from alerts.permits import Act
from alerts.wording import moment
from dashboard import palette, security
from dashboard.allowance import Allowance
from monitor.errors import HookvitalsError
from monitor.operations.by_link import HOURS, Offer

log = logging.getLogger("hookvitals.dashboard")

PER_MINUTE = 30
"""Requests of one address: a person needs three."""


class LinkActions(Protocol):
    """What a link can lead to. Refusals are errors of monitor.errors with a hint."""

    def look(self, token: str) -> Offer: ...

    def do(self, token: str, who: str, hours: int) -> Offer: ...


def act_pages(actions: LinkActions, monotonic: Callable[[], float]) -> Blueprint:
    """The pages below /act/."""
    pages = Blueprint("act", __name__)
    allowance = Allowance(PER_MINUTE, timedelta(minutes=1), monotonic)

    @pages.route("/act/<token>", methods=["GET", "POST"])
    def act(token: str) -> Response:
        if not allowance.take(request.remote_addr or ""):
            page = _page(problem="Too many requests from your address. Try again in a minute.", status=429)
            page.headers["Retry-After"] = "60"
            return page
        if request.method == "POST" and security.is_foreign(request):
            return _page(problem="That form was sent by another site.", status=403)
        try:
            if request.method != "POST":
                return _page(actions.look(token))
            return _page(actions.do(token, request.form.get("who", "").strip(), _hours()), did=True)
        except HookvitalsError as exc:
            return _page(problem=f"{_sentence(exc.message)} {_sentence(exc.hint)}", status=exc.status)
        except Exception as exc:  # the boundary: Flask would log the address, which is the permission
            log.error("the page of a link failed", exc_info=exc)
            return _page(problem="Something went wrong here. Open the dashboard instead.", status=500)

    return pages


def _hours() -> int:
    text = request.form.get("hours", str(HOURS[0]))
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0


def _page(offer: Offer | None = None, problem: str = "", status: int = 200, did: bool = False) -> Response:
    body = render_template(
        "act.html",
        offer=offer,
        problem=problem,
        did=did,
        heading=_heading(offer),
        place=plain(place_of(offer.alert), TITLE_CHARS) if offer else "",
        rule=plain(offer.alert.rule, TITLE_CHARS) if offer else "",
        summary=plain(offer.alert.evidence.summary, SUMMARY_CHARS) if offer else "",
        since=_moment(offer.alert.firing_since) if offer else "",
        until=_moment(offer.done_until) if offer else "",
        silences=offer is not None and offer.act is Act.SILENCE,
        hours=HOURS,
        root=request.script_root,
        colours=palette.login_css(),
    )
    answer = Response(body, status, mimetype="text/html")
    answer.headers["Referrer-Policy"] = "no-referrer"  # the address is the permission
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _heading(offer: Offer | None) -> str:
    if offer is None:
        return "This link does nothing"
    if offer.done_by:
        return "Silenced" if offer.act is Act.SILENCE else "Acknowledged"
    if not offer.is_open:
        return "This alert is over"
    return "Silence this alert?" if offer.act is Act.SILENCE else "Acknowledge this alert?"


def _moment(at: datetime | None) -> str:
    return moment(at) if at else ""


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""
