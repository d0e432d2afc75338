"""Addresses of our own pages, below whatever path a reverse proxy shows us under."""

from flask import has_request_context, request

from dashboard.scope import Scope, query_of, segment


def link(path: str, scope: Scope | None = None) -> str:
    """The address of a page (`events`, no leading slash) with the scope in its query."""
    root = request.script_root if has_request_context() else ""
    return f"{root}/{path}{query_of(scope) if scope else ''}"


def event_link(environment: str, source: str, event_id: str, scope: Scope | None = None) -> str:
    return link("/".join(["events", segment(environment), segment(source), segment(event_id)]), scope)


def endpoint_link(source: str, endpoint: str, scope: Scope | None = None) -> str:
    return link(f"endpoints/{segment(source)}/{segment(endpoint)}", scope)


def checklist_link(source: str, endpoint: str, scope: Scope | None = None) -> str:
    return link(f"checklists/{segment(source)}/{segment(endpoint)}", scope)


def issue_link(issue_id: str, scope: Scope | None = None) -> str:
    return link(f"issues/{segment(issue_id)}", scope)


def alert_link(alert_id: str, scope: Scope | None = None) -> str:
    return link(f"alerts/{segment(alert_id)}", scope)
