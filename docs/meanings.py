"""What each key of hookvitals.toml means, in one sentence; docs/configuration.md is written from it.

Class of the table → key → sentence. A key of a class is one of the classes made of it too. A test holds this
against the tables: none may lack its sentence, and none may be left over.
"""

from pydantic import BaseModel

MEANINGS: dict[str, dict[str, str]] = {
    "SourceTable": {
        "name": "what its records call it; a provider the SDK knows has its terms by this name",
        "deadline": "how long it waits for an answer; without it the provider's own, else 30 s",
        "expected_statuses": "the answers that it takes for received",
        "retry_horizon": "how long it sends again what was not acknowledged",
        "redeliver": "whether its open dead letters are replayed by themselves each 5 min",
        "api_host": "host of its own API, whose certificate is looked at too",
        "secrets": "signing secrets of it that are to go",
    },
    "SecretTable": {
        "id": "the short keyed hash by which records and alerts name it (`secret_id`)",
        "remove_after": "the last day, by UTC, on which it may be used",
    },
    "EndpointTable": {
        "source": "who sends to it",
        "name": "what its records call it",
        "url": "its public address, for probes and replays",
        "environment": "which one it belongs to; rules look at production",
        "insecure": "take an http:// address outside of the environment dev",
        "probe": "whether it is looked at from outside",
        "probe_url": "asked in place of url",
        "probe_method": "how it is asked",
        "probe_statuses": "the answers that count as up; without them any below 500",
        "probe_contains": "a text that the answer must contain",
        "probe_matches": "a pattern that the answer must match",
        "probe_json": "dotted path in the answer's JSON = the value it must have",
        "probe_headers": "header of the answer = the value it must have",
        "probe_exposure": "also ask it as a stranger would, which it must refuse",
        "probe_canary": "also send signed canaries, whose records must come",
        "replay_secret": "signs replays and canaries",
    },
    "QueueTable": {
        "source": "whose events wait in it",
        "endpoint": "where they came in",
        "environment": "which one it belongs to",
        "kind": "what keeps it",
        "url": "of the broker; of RabbitMQ's management API",
        "queue": "its name or key at the broker",
        "name": "what samples call it; without it its name at the broker",
        "vhost": "RabbitMQ's",
        "group": "the consumer group of a stream",
        "user": "who asks the broker",
        "password": "of that user",
    },
    "RuleTable": {
        "kind": "what it looks at: see [rules](rules.md)",
        "name": "under a shipped rule's name it takes its place; without it the kind's",
        "severity": "of its alerts; only critical pages",
        "environment": "where it looks, with `*`; without it production",
        "source": "whose events, with `*`",
        "endpoint": "of which endpoints, with `*`",
        "event_type": "which types, with `*`; each is judged by itself",
        "threshold": "a breach is beyond it; in the kind's unit, or with a unit of its own",
        "clear_threshold": "it is well again at or below it; without it at the threshold",
        "window": "how much of the past is looked at",
        "for": "how long a breach must last before it fires",
        "keep_firing_for": "how long all must be well before it is resolved",
        "interval": "how often it is judged",
        "min_sample": "with fewer events it has no data",
        "no_data": "what that means: fine, a breach, or that nothing changes",
        "runbook": "where whoever is woken reads what to do",
        "labels": "labels that its alerts carry besides",
        "params": "the kind's own settings",
        "quiet_hours": "when silence means nothing, of no_events",
        "timezone": "by whose clocks quiet hours and past weeks are told; UTC unless set",
        "enabled": "false switches it off",
    },
    "Channel": {
        "name": "what routes call it",
        "kind": "what it is",
    },
    "Read": {
        "title": "a template for the first line: see [channels](channels.md)",
        "links": "whether messages carry links that act without a login",
    },
    "SlackTable": {
        "url": "of an incoming webhook",
        "token": "of an app, in place of the url",
        "channel": "id of the channel that the app posts to",
        "api_url": "another one for GovSlack",
    },
    "EmailTable": {
        "host": "the mail server",
        "port": "587 for STARTTLS, 465 for TLS",
        "security": "how the connection is protected",
        "username": "who logs in; without it nobody does",
        "password": "of that user",
        "sender": "the From of the mails",
        "recipients": "who gets them",
    },
    "WebhookTable": {
        "url": "where messages are posted to",
        "secret": "signs them, `whsec_…`",
    },
    "PagerDutyTable": {
        "routing_key": "of the service's Events API v2 integration",
        "events_url": "another one for the EU region",
    },
    "AlertmanagerTable": {
        "url": "its address without /api",
        "authorization": "the whole value of that header",
    },
    "AppriseTable": {
        "url": "as Apprise writes it",
    },
    "RouteTable": {
        "channels": "who is told",
        "min_severity": "of alerts at least so severe",
        "matchers": "and only of those whose labels match all of these, with `*`",
        "repeat_every": "how often while it fires and nobody took it on",
        "fallback": "the channel that takes over when one of these gave up",
        "steps": "who else is told when nobody takes it on, and when",
        "quiet_hours": "when what is not critical waits for the end of these hours",
        "quiet_days": "on which days, such as mon-fri; without them on each",
        "timezone": "by whose clocks",
    },
    "StepTable": {
        "after": "how long after the first message",
        "channels": "who is told then",
    },
    "InhibitionTable": {
        "source": "labels of the alert that hides",
        "target": "labels of those that it hides",
        "equal": "labels that must be alike in both",
    },
    "WindowTable": {
        "name": "what a hidden alert names as the reason",
        "matchers": "labels of the alerts that it hides",
        "hours": "from when until when",
        "days": "on which days, such as sat,sun; without them on each",
        "timezone": "by whose clocks",
    },
    "FlappingTable": {
        "count": "so many firings within the window are flapping; 0 damps nothing",
        "window": "the window",
        "calm": "how long it must be well before it is over",
    },
    "SloTable": {
        "name": "what reports call it",
        "source": "whose events, with `*`",
        "endpoint": "of which endpoints, with `*`",
        "objective": "the share of events that must succeed, below 1",
    },
    "EgressTable": {
        "allow": "private ranges that may be dialled besides the public internet",
    },
    "EvaluationTable": {
        "interval": "how often rules are judged that name none; without it as shipped",
    },
    "ProbesTable": {
        "interval": "between two looks at an endpoint",
        "tls_interval": "between two looks at its certificate",
        "exposure_interval": "between two tries as a stranger",
        "canary_interval": "between two canaries",
        "canary_within": "how soon a canary's record must be there",
        "queue_interval": "between two samples of a queue",
        "ca_file": "certificates of authorities of your own, in PEM, trusted besides the public ones",
        "timeout": "how long one look may take",
    },
    "ReplayTable": {
        "per_second": "events a second to one endpoint, unless a replay says otherwise",
        "timeout": "how long an endpoint may take to answer one",
    },
    "ReportTable": {
        "timezone": "whose weeks are reported",
        "channel": "the email channel that sends it; without it none is sent",
        "recipients": "who gets it in place of the channel's recipients",
        "hour": "of Monday, local",
    },
    "DrillTable": {
        "enabled": "whether there is a weekly drill",
        "day": "on which day",
        "hour": "local, of that day",
        "timezone": "by whose clocks",
    },
    "HeartbeatTable": {
        "url": "asked after an evaluation, once a minute at most; a secret",
    },
    "IssuesTable": {
        "quiet_after": "an issue that has not been seen for so long ends by itself",
    },
    "MaintenanceTable": {
        "alerts": "how long alerts that are over are kept",
        "issues": "how long issues that are over are kept",
        "notifications": "how long messages that were settled are kept",
    },
}


def meaning(table: type[BaseModel], key: str) -> str:
    """The sentence of a key. Raises KeyError for one that has none."""
    for each in table.__mro__:
        if key in MEANINGS.get(each.__name__, {}):
            return MEANINGS[each.__name__][key]
    raise KeyError(f"{table.__name__}.{key} has no sentence in docs/meanings.py")
