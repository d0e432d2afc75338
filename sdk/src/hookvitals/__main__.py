"""`python -m hookvitals send`: signed test events to a receiver, one or many, and what it answered."""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from hookvitals import load
from hookvitals.profiles import PROFILES
from hookvitals.testing import signed_request

SECRET_VARIABLE = "HOOKVITALS_SEND_SECRET"  # noqa: S105  # its name, not a secret
_ANSWER_BYTES = 2000


def main(arguments: Optional[List[str]] = None) -> int:
    """Exit status 0 when the receiver answered 2xx, 1 when it did not, 2 when nothing could be sent."""
    given = _parser().parse_args(arguments)
    return _send_many(given) if given.count is not None else _send_one(given)


def _send_one(given: argparse.Namespace) -> int:
    event_id = given.id or f"evt_{uuid.uuid4().hex}"
    try:
        headers, body = signed_request(given.scheme, _secret(given), event_id, given.type, _data(given.data))
        status, text = _post(given.url, dict(headers), body)
    except (ValueError, RuntimeError, OSError) as exc:
        print(f"nothing was sent: {exc}", file=sys.stderr)  # noqa: T201
        return 2
    print(f"{event_id}: HTTP {status} {text}".rstrip())  # noqa: T201
    return 0 if 200 <= status < 300 else 1


def _send_many(given: argparse.Namespace) -> int:
    """Events of their own ids, and a report of how they were answered."""
    stem = given.id or f"evt_{uuid.uuid4().hex[:12]}"
    try:
        secret, data = _secret(given), _data(given.data)

        def signed(number: int) -> load.Signed:
            return signed_request(given.scheme, secret, f"{stem}_{number}", given.type, data)

        report = load.run(given.url, signed, given.count, rate=given.rate, connections=given.concurrency)
    except (ValueError, RuntimeError, OSError) as exc:
        print(f"nothing was sent: {exc}", file=sys.stderr)  # noqa: T201
        return 2
    print("\n".join(report.lines()))  # noqa: T201
    return 0 if report.all_good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hookvitals", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    send = commands.add_parser("send", help="send signed test events")
    send.add_argument("--url", required=True, help="e.g. http://127.0.0.1:5000/webhooks/billing")
    send.add_argument("--scheme", default="standard", choices=sorted(PROFILES), help="who seems to send it")
    send.add_argument(
        "--secret", help=f"the receiver's signing secret; without it ${SECRET_VARIABLE}, unseen by others"
    )
    send.add_argument("--secret-file", help="a file that holds it; for orum a private key of your own, PEM")
    send.add_argument("--type", default="test.event", help="event type")
    send.add_argument(
        "--id", default=None, help="event id, or what the ids of many begin with; else a new one"
    )
    send.add_argument("--data", default="{}", help="JSON object to send with it")
    send.add_argument("--count", type=int, help="put the receiver under load: so many events, then a report")
    send.add_argument("--rate", type=float, help="with --count: events a second; else as fast as answered")
    send.add_argument(
        "--concurrency", type=int, default=8, help="with --count: connections at once (default 8)"
    )
    return parser


def _secret(given: argparse.Namespace) -> str:
    if given.secret_file:
        return Path(given.secret_file).read_text(encoding="utf-8").strip()
    secret: str = given.secret or os.environ.get(SECRET_VARIABLE, "")
    if not secret:
        raise ValueError(f"a signing secret is needed: --secret-file, ${SECRET_VARIABLE} or --secret")
    return secret


def _data(text: str) -> Dict[str, object]:
    try:
        data = json.loads(text)
    except ValueError as exc:
        raise ValueError(f"--data is not JSON: {exc}") from exc
    if not isinstance(data, dict):
        raise ValueError("--data must be a JSON object")
    return data


def _post(url: str, headers: Dict[str, str], body: bytes) -> Tuple[int, str]:
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url!r} is not an http address")
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return int(response.status), response.read(_ANSWER_BYTES).decode("utf-8", "replace")
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read(_ANSWER_BYTES).decode("utf-8", "replace")


if __name__ == "__main__":
    sys.exit(main())
