"""A queue of RabbitMQ, asked of its management API. Its statistics are some seconds old."""

import base64
import json
from datetime import datetime
from urllib.parse import quote

from alerts.errors import Failure, RequestFailed
from monitor.probes.http import Requests
from monitor.probes.queues.redis import Depth
from monitor.probes.queues.target import QueueTarget

COLUMNS = "messages,head_message_timestamp"


def read(target: QueueTarget, client: Requests, now: datetime, timeout_s: float) -> Depth:
    """Ready and unacknowledged messages; the age where publishers set a timestamp. Raises RequestFailed."""
    where = f"/api/queues/{quote(target.vhost, safe='')}/{quote(target.queue, safe='')}?columns={COLUMNS}"
    answer = client.request("GET", target.url.rstrip("/") + where, _signed_in(target), b"", timeout_s)
    if answer.status == 401:
        raise RequestFailed(
            Failure.AUTHENTICATION,
            "RabbitMQ refused the user or the password",
            retryable=False,
            hint="the user needs the tag `monitoring` and access to the vhost",
        )
    if answer.status == 404:
        raise RequestFailed(
            Failure.CLIENT_ERROR,
            f"RabbitMQ has no queue {target.queue} in vhost {target.vhost}",
            retryable=True,
            hint="is its name right, and has a consumer declared it?",
        )
    if answer.status != 200:
        raise RequestFailed(Failure.SERVER_ERROR, f"RabbitMQ answered {answer.status}", retryable=True)
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    messages = found.get("messages") if isinstance(found, dict) else None
    if not isinstance(messages, int):
        raise RequestFailed(
            Failure.BROKEN_RESPONSE, "RabbitMQ has no figures of the queue yet", retryable=True
        )
    published_s = found.get("head_message_timestamp")
    age_s = now.timestamp() - published_s if isinstance(published_s, int | float) else None
    return messages, None if age_s is None or not messages else max(0.0, age_s)


def _signed_in(target: QueueTarget) -> dict[str, str]:
    if target.user is None:
        return {}
    both = f"{target.user}:{target.password or ''}".encode()
    return {"Authorization": f"Basic {base64.b64encode(both).decode()}"}
