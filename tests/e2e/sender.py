"""A provider: signs with the official `standardwebhooks` library and posts, as anybody would."""

import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests
from standardwebhooks import Webhook

_NUMBERS = itertools.count(1)


@dataclass
class Sender:
    """Sends to one base URL under one secret; `forged` signs with another."""

    url: str
    secret: str
    sent: list[str] = field(default_factory=list)

    def send(self, endpoint: str, kind: str = "invoice.paid", *, forged: bool = False) -> int:
        """The status of one event's delivery."""
        event_id = f"msg_{next(_NUMBERS)}"
        body = json.dumps({"type": kind, "data": {"amount": 100}})
        at = datetime.now(UTC)
        secret = "whsec_" + "Zm9yZ2Vk" * 5 if forged else self.secret
        headers: dict[str, Any] = {
            "content-type": "application/json",
            "webhook-id": event_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(event_id, at, body),
        }
        answer = requests.post(f"{self.url}/{endpoint}", data=body, headers=headers, timeout=30)
        self.sent.append(event_id)
        return answer.status_code
