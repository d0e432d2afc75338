"""`python -m hookvitals send`: one signed test event to a receiver, and what it answered."""

import argparse
import json
import sys
import urllib.error
import urllib.request
from typing import List, Optional

from hookvitals.profiles import PROFILES
from hookvitals.testing import signed_request


def main(arguments: Optional[List[str]] = None) -> int:
    """Exit status 0 when the receiver answered 2xx, 1 when it did not, 2 when nothing could be sent."""
    parser = argparse.ArgumentParser(prog="python -m hookvitals", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    send = commands.add_parser("send", help="send one signed test event")
    send.add_argument(
        "--url", required=True, help="the receiver, e.g. http://127.0.0.1:5000/webhooks/billing"
    )
    send.add_argument("--scheme", default="standard", choices=sorted(PROFILES), help="who seems to send it")
    send.add_argument("--secret", required=True, help="the signing secret the receiver has")
    send.add_argument("--type", default="test.event", help="event type")
    send.add_argument("--id", default=None, help="event id; a new one if left out")
    send.add_argument("--data", default="{}", help="JSON object to send with it")
    given = parser.parse_args(arguments)
    try:
        data = json.loads(given.data)
        if not isinstance(data, dict):
            raise ValueError("--data must be a JSON object")
        event_id = given.id or _new_id()
        headers, body = signed_request(given.scheme, given.secret, event_id, given.type, data)
        status, text = _post(given.url, dict(headers), body)
    except (ValueError, OSError) as exc:
        print(f"nothing was sent: {exc}", file=sys.stderr)  # noqa: T201
        return 2
    print(f"{event_id}: HTTP {status} {text}")  # noqa: T201
    return 0 if 200 <= status < 300 else 1


def _new_id() -> str:
    import uuid  # noqa: PLC0415

    return f"evt_{uuid.uuid4().hex}"


def _post(url: str, headers: "dict[str, str]", body: bytes) -> "tuple[int, str]":
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url!r} is not an http address")
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return int(response.status), response.read(2000).decode("utf-8", "replace")
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read(2000).decode("utf-8", "replace")


if __name__ == "__main__":
    sys.exit(main())
