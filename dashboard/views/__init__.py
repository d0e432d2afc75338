"""What each screen is given, as frozen values: no formatting, no store. `dashboard.data` fills them.

Rates are 0..1 and None when there was nothing to judge; durations are milliseconds; times are aware UTC.
"""

from dashboard.views.alerts import AlertLine, AlertView, NotificationLine, TransitionLine
from dashboard.views.checklist import ChecklistLine, ChecklistView, SightingLine
from dashboard.views.events import Choices, EventPage, Payload
from dashboard.views.issues import IssueLine, IssuesView, IssueView
from dashboard.views.letters import LetterLine, LettersView, ReplayLine, ReplayPlan
from dashboard.views.rules import RuleLine, RulesView
from dashboard.views.silences import HiddenLine, SilenceLine, SilencesView
from dashboard.views.status import BLIND_AFTER, Client, Job, ShellView, StatusView
from dashboard.views.traffic import (
    Bucket,
    EndpointLine,
    EndpointView,
    Figures,
    Outage,
    OverviewView,
    ProbedCell,
    TypeFigures,
)
from dashboard.views.viewer import Role, Viewer

__all__ = [
    "BLIND_AFTER",
    "AlertLine",
    "AlertView",
    "Bucket",
    "ChecklistLine",
    "ChecklistView",
    "Choices",
    "Client",
    "EndpointLine",
    "EndpointView",
    "EventPage",
    "Figures",
    "HiddenLine",
    "IssueLine",
    "IssueView",
    "IssuesView",
    "Job",
    "LetterLine",
    "LettersView",
    "NotificationLine",
    "Outage",
    "OverviewView",
    "Payload",
    "ProbedCell",
    "ReplayLine",
    "ReplayPlan",
    "Role",
    "RuleLine",
    "RulesView",
    "ShellView",
    "SightingLine",
    "SilenceLine",
    "SilencesView",
    "StatusView",
    "TransitionLine",
    "TypeFigures",
    "Viewer",
]
