"""Try a webhook receiver: send it signed events, put it under load, drill it, make a secret for it."""

import argparse
import json
import os
import sys
import textwrap
import uuid
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from hookvitals import drill, load
from hookvitals.connection import Connection, NoAnswer
from hookvitals.endpoint_path import new_path
from hookvitals.mix import EXPECTED, Mix, mix_of
from hookvitals.profiles import PROFILES
from hookvitals.schemes import SCHEMES
from hookvitals.secret import Secret, new_secret, source_profile
from hookvitals.testing import signed_request, unsigned_request

SECRET_VARIABLE = "HOOKVITALS_SEND_SECRET"  # noqa: S105  # its name, not a secret
_SYSTEMS = sorted({*PROFILES, *SCHEMES})
_EXAMPLES = f"""\
examples:
  python -m hookvitals secret new --scheme standard --to secret
  python -m hookvitals send --url http://127.0.0.1:5000/hooks --secret-file secret --type invoice.paid
  python -m hookvitals send --url http://127.0.0.1:5000/hooks --secret-file secret --drill --types a.b,c.d
  python -m hookvitals send --url http://127.0.0.1:5000/hooks --secret-file secret \\
      --for 60 --rate 50 --mix valid=90,bad_signature=5,duplicate=5

{textwrap.fill("schemes: " + ", ".join(_SYSTEMS), 100, subsequent_indent="  ")}
"""


def main(arguments: Optional[List[str]] = None) -> int:
    """Exit status 0 when all was answered as expected, 1 when not, 2 when nothing was sent or made."""
    given = _parser().parse_args(arguments)
    work, undone = (
        (_new_secret, "no secret was made") if given.command == "secret" else (_send, "nothing was sent")
    )
    try:
        return work(given)
    except (ValueError, RuntimeError, OSError) as exc:
        told = " ".join(str(exc).split())
        print(f"{undone}: {told}", file=sys.stderr)  # noqa: T201
        return 2


def _send(given: argparse.Namespace) -> int:
    if given.drill:
        return _send_drill(given)
    many = given.count is not None or given.seconds is not None
    if not many and (given.rate is not None or given.mix is not None):
        raise ValueError("--rate and --mix belong to a load: say how much with --count or --for")
    return _send_many(given) if many else _send_one(given)


def _send_one(given: argparse.Namespace) -> int:
    event_id = given.id or f"evt_{uuid.uuid4().hex}"
    headers, body = signed_request(
        given.scheme, _secret(given), event_id, given.type, _data(given.data),
        settings=_settings(given), url=given.signed_url or given.url,
    )  # fmt: skip
    connection = Connection(given.url)
    told = connection.send(dict(headers), body)
    connection.close()
    if isinstance(told, NoAnswer):
        raise OSError(f"{given.url}: {told.told}; does the receiver run there?")
    print(f"{event_id}: {told.told} {told.body.decode('utf-8', 'replace')}".rstrip())  # noqa: T201
    return 0 if told.taken else 1


def _send_many(given: argparse.Namespace) -> int:
    """Events of their own ids, and a report of how they were answered."""
    plan = _Plan(given)
    report = load.run(
        given.url, plan.planned, given.count,
        for_s=given.seconds, rate=given.rate, connections=given.concurrency,
    )  # fmt: skip
    print("\n".join(report.lines()))  # noqa: T201
    return 0 if report.all_expected else 1


class _Plan:
    """The requests of a load, each by its number."""

    def __init__(self, given: argparse.Namespace) -> None:
        self._system: str = given.scheme
        self._type: str = given.type
        self._stem = given.id or f"evt_{uuid.uuid4().hex[:12]}"
        self._secret, self._data = _secret(given), _data(given.data)
        self._more: Dict[str, Any] = {"settings": _settings(given), "url": given.signed_url or given.url}
        self._mix = mix_of(given.mix) if given.mix is not None else Mix()
        self._other = new_secret(given.scheme).signing if given.mix is not None else ""

    def planned(self, number: int) -> load.Planned:
        kind = self._mix.kind_of(number)
        event_id = f"{self._stem}_{self._mix.original_of(number) if kind == 'duplicate' else number}"
        if kind == "missing_signature":
            return load.Planned(*unsigned_request(self._system, event_id, self._type, self._data), kind)
        secret = self._other if kind == "bad_signature" else self._secret
        event_type = "hookvitals.load.unknown" if kind == "unknown_type" else self._type
        made = signed_request(self._system, secret, event_id, event_type, self._data, **self._more)
        return load.Planned(*made, kind)


def _send_drill(given: argparse.Namespace) -> int:
    """A line for each check; 1 when any failed."""
    types = tuple(part.strip() for part in given.types.split(",")) if given.types else ()
    if not types and not source_profile(given.scheme).expected_types:
        types = (given.type,)
    aim = drill.Aim(
        given.url, given.scheme, _secret(given), types, _data(given.data), _settings(given),
        given.max_body, given.signed_url or "",
    )  # fmt: skip
    findings: List[drill.Finding] = []
    for finding in drill.Drill(aim, given.id or f"drill_{uuid.uuid4().hex[:12]}").findings():
        findings.append(finding)
        print(finding.line(), flush=True)  # noqa: T201
    verdicts = [finding.verdict for finding in findings]
    passed, failed = verdicts.count(drill.PASS), verdicts.count(drill.FAIL)
    print(f"{passed} passed, {failed} failed, {verdicts.count(drill.SKIP)} do not apply")  # noqa: T201
    return 1 if failed else 0


def _new_secret(given: argparse.Namespace) -> int:
    """The secret alone to standard output, or into files; where it belongs to standard error."""
    if given.path:
        print(new_path(given.path))  # noqa: T201
        print("receiver: mount it there\nsender:   has it with your https address", file=sys.stderr)  # noqa: T201
        return 0
    made = new_secret(given.scheme)
    signing, verifying = ("it", "it") if made.is_shared else ("the private key", "the public key")
    if given.to:
        signing, verifying = _written(made, Path(given.to))
    else:
        print(made.signing if made.is_shared else f"{made.signing}{made.verifying}".rstrip())  # noqa: T201
    print(  # noqa: T201
        f"receiver: read {verifying} from a file or the environment into Receiver(…, secrets=[…])\n"
        f"sender:   sign with {signing}; in trials: send --scheme {given.scheme} --secret-file FILE",
        file=sys.stderr,
    )
    return 0


def _written(made: Secret, path: Path) -> Tuple[str, str]:
    """The names of the files: what signs, and what verifies. Overwrites nothing."""
    public = path if made.is_shared else path.with_name(path.name + ".pub")
    texts = {path: made.signing, public: made.verifying}
    for each in texts:
        if each.exists():  # before the other is written: half a pair helps nobody
            raise ValueError(f"{each} exists; name another file")
    for each, text in texts.items():
        descriptor = os.open(each, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text.rstrip() + "\n")
    return str(path), str(public)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hookvitals",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="send | secret")
    send = commands.add_parser(
        "send",
        help="send signed events: one, a drill, or a load",
        description="Send signed events to a receiver.",
    )
    _add_event(send)
    _add_drill(send.add_argument_group("a drill: every check a line, exit status 1 if any failed"))
    _add_load(send.add_argument_group("a load: many events, then a report"))
    secret = commands.add_parser("secret", help="new: make a secret", description="Make a secret.")
    new = secret.add_subparsers(dest="action", required=True, metavar="new").add_parser(
        "new", help="a fresh secret in the form that the scheme takes, shown once and kept nowhere"
    )
    _add_scheme(new)
    new.add_argument(
        "--path", nargs="?", const="/webhooks", metavar="PREFIX",
        help="a path for the endpoint that nobody guesses, instead of a secret (below /webhooks)",
    )  # fmt: skip
    new.add_argument(
        "--to", metavar="FILE", help="write it there, for its owner alone; a public key goes to FILE.pub"
    )
    return parser


def _add_scheme(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scheme", default="standard", choices=_SYSTEMS, metavar="NAME",
        help="who seems to send it, or how it is signed (default standard; see python -m hookvitals --help)",
    )  # fmt: skip


def _add_event(send: argparse.ArgumentParser) -> None:
    send.add_argument("--url", required=True, help="e.g. http://127.0.0.1:5000/webhooks/billing")
    _add_scheme(send)
    send.add_argument(
        "--secret-file", metavar="FILE",
        help=f"a file that holds the signing secret; without it ${SECRET_VARIABLE} is read. Where the source "
        "signs with a private key (orum, discord, sendgrid): one of your own, PEM",
    )  # fmt: skip
    send.add_argument(
        "--secret", help="the same in plain view of every user of this machine: for trials only"
    )
    send.add_argument(
        "--setting", action="append", default=[], metavar="NAME=VALUE",
        help="of the scheme, e.g. --scheme hmac --setting header=X-Sig; may be repeated",
    )  # fmt: skip
    send.add_argument(
        "--signed-url", metavar="URL", help="the receiver's address as it knows it, if not --url"
    )
    send.add_argument("--type", default="test.event", help="event type (default test.event)")
    send.add_argument("--id", help="event id, or what the ids of many begin with; else a new one")
    send.add_argument("--data", default="{}", metavar="JSON", help="object to send with it")


def _add_drill(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--drill", action="store_true",
        help="send what providers and attackers send, judge the answers; what is valid is really handled",
    )  # fmt: skip
    group.add_argument("--types", metavar="A,B", help="event types that the source sends, each to be taken")
    group.add_argument(
        "--max-body", type=int, default=1 << 20, metavar="BYTES", help="more must be 413 (default 1048576)"
    )


def _add_load(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--count", type=int, metavar="N", help="so many events")
    group.add_argument("--for", type=float, dest="seconds", metavar="SECONDS", help="or for so long")
    group.add_argument("--rate", type=float, metavar="R", help="events a second; else as fast as answered")
    group.add_argument(
        "--concurrency", type=int, default=8, metavar="C", help="connections at once (default 8)"
    )
    group.add_argument(
        "--mix", metavar="KIND=WEIGHT,…",
        help=f"what is sent, of {', '.join(EXPECTED)}; a refusal that is due is no failure",
    )  # fmt: skip


def _secret(given: argparse.Namespace) -> str:
    if given.secret_file:
        return Path(given.secret_file).read_text(encoding="utf-8").strip()
    secret: str = given.secret or os.environ.get(SECRET_VARIABLE, "")
    if not secret:
        raise ValueError(f"a signing secret is needed: --secret-file, ${SECRET_VARIABLE} or --secret")
    return secret


def _settings(given: argparse.Namespace) -> Dict[str, Any]:
    """Texts, but for seconds, whose names end in _s, and for true and false."""
    settings: Dict[str, Any] = {}
    for part in given.setting:
        name, equals, value = part.partition("=")
        if not name or not equals:
            raise ValueError(f"--setting is NAME=VALUE, not {part!r}")
        settings[name] = {"true": True, "false": False}.get(value, value)
        if name.endswith("_s"):
            try:
                settings[name] = float(value)
            except ValueError as exc:
                raise ValueError(f"--setting {name} is a number of seconds, not {value!r}") from exc
    return settings


def _data(text: str) -> Dict[str, object]:
    try:
        data = json.loads(text)
    except ValueError as exc:
        raise ValueError(f"--data is not JSON: {exc}") from exc
    if not isinstance(data, dict):
        raise ValueError("--data must be a JSON object")
    return data


if __name__ == "__main__":
    sys.exit(main())
