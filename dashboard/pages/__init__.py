"""The pages: one file a screen."""

from dashboard.pages import (
    alert,
    alerts,
    checklist,
    dead_letters,
    endpoint,
    event,
    events,
    issue,
    issues,
    overview,
    replays,
    reports,
    rules,
    silences,
    status,
)

PAGES = (
    overview.PAGE,
    endpoint.PAGE,
    checklist.PAGE,
    events.PAGE,
    event.PAGE,
    alerts.PAGE,
    alert.PAGE,
    rules.PAGE,
    silences.PAGE,
    issues.PAGE,
    issue.PAGE,
    dead_letters.PAGE,
    replays.PAGE,
    reports.PAGE,
    status.PAGE,
)
