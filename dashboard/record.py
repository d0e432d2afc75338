"""Where a message's link to a record leads: on to its event's page, which shows it among the others."""

from collections.abc import Callable

from flask import Blueprint, Response, redirect
from werkzeug.wrappers import Response as AnyResponse

from dashboard.links import event_link, link
from dashboard.scope import scope_of
from monitor.model import Record


def record_pages(find: Callable[[str], Record | None]) -> Blueprint:
    """The addresses below /records/. find: the record of an id; None for one that is not kept."""
    pages = Blueprint("record", __name__)

    @pages.route("/records/<record_id>")
    def record(record_id: str) -> AnyResponse:
        found = find(record_id)
        if found is None:
            gone = "There is no such record, or it is no longer kept.\n"
            return Response(gone, 404, mimetype="text/plain")
        if found.event_id is None:  # a rejection: nothing unverified becomes a name
            around = {
                "environment": found.environment,
                "source": found.source,
                "endpoint": found.endpoint,
                "outcome": found.outcome.value,
            }
            return redirect(link("events", scope_of(around)))
        return redirect(event_link(found.environment, found.source, found.event_id))

    return pages
