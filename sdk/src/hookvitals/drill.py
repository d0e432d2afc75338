"""A drill: what providers and attackers send to a receiver, and whether it answers as it should.

Works against any receiver that is reached over HTTP, and judges by its answers alone: how often a handler
ran cannot be seen from outside. What is valid is real to the receiver: its handler runs. Bounded: some dozens
of requests, 30 s for each wait, and no new check after MOST_SECONDS.
"""

import copy
import itertools
import math
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from hookvitals.connection import TIMEOUT_S, Answer, Connection, Told
from hookvitals.schemes import SCHEMES
from hookvitals.secret import new_secret, source_profile
from hookvitals.testing.signing import put, signed_body, signed_request, signs_time, unsigned_request

MOST_SECONDS = 120.0
MOST_TYPES = 200
COPIES = 8
SIGNED_AWAY_S = 301.0
"""Providers and guides allow 300."""

PASS, FAIL, SKIP = "pass", "FAIL", "skip"
_AT_WORK = (409, 429, 503)
_OVER_RATE = 429
_GARBLED = "v1,t=\u00e9;"
_TRIED_AGAIN = "the sender takes anything else for a failure"

Signed = Tuple[Sequence[Tuple[str, str]], bytes]
Judged = Tuple[bool, str]
"""(whether the check holds, what was told)"""


@dataclass(frozen=True)
class Finding:
    """One check: its verdict, what was answered, what was expected, and why it matters."""

    check: str
    verdict: str
    told: str
    expected: str = ""
    why: str = ""

    def line(self) -> str:
        """For people."""
        said = f"{self.verdict}  {self.check:<20}  {self.told}"
        return said if self.verdict == SKIP else f"{said}; expected {self.expected}: {self.why}"


class Skip(Exception):
    """Why a check says nothing here; no error."""


@dataclass(frozen=True)
class Aim:
    """What the drill is aimed at. system: who seems to send. types: each is sent once, the first often;
    those that the profile expects unless given.

    max_body_bytes: what the receiver should take no more of. settings: of the scheme. signed_url: as the
    receiver knows its own address, for schemes that sign it.
    """

    url: str
    system: str
    secret: str = field(repr=False)
    types: Sequence[str] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    max_body_bytes: int = 1 << 20
    signed_url: str = ""

    def __post_init__(self) -> None:
        if not self.types:
            expected = tuple(source_profile(self.system).expected_types)
            object.__setattr__(self, "types", expected or ("test.event",))
        if not 0 < len(self.types) <= MOST_TYPES or not all(self.types):
            raise ValueError(f"expected 1 to {MOST_TYPES} event types")
        if not 0 < self.max_body_bytes <= 1 << 26:
            raise ValueError("expected a largest body of 1 byte to 64 MiB")


class Drill:
    """The checks, in the order that they are made. Raises ValueError for what cannot be signed."""

    def __init__(
        self,
        aim: Aim,
        stem: str,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        Connection(aim.url).close()
        self._aim = aim
        self._stem = stem
        self._now = now
        self._monotonic = monotonic
        self._profile = source_profile(aim.system)
        self._numbers = itertools.count()
        self._signs_time = signs_time(aim.system, aim.secret, aim.types[0], aim.settings, self._url)

    def findings(self) -> Iterator[Finding]:
        """One for each check, as they are made."""
        began_s = self._monotonic()
        for name, check, expected, why in self._checks():
            if self._monotonic() - began_s > MOST_SECONDS:
                yield Finding(name, FAIL, f"not checked: {MOST_SECONDS:.0f} s are over", expected, why)
                continue
            try:
                holds, told = check()
                yield Finding(name, PASS if holds else FAIL, told, expected, why)
            except Skip as skip:
                yield Finding(name, SKIP, str(skip))

    def _checks(self) -> List[Tuple[str, Callable[[], Judged], str, str]]:
        """(name, check, what is expected, why it matters)."""
        away, refused, in_time = f"{SIGNED_AWAY_S:.0f} s", "401 or 400", f"{self._profile.ack_deadline_s:g} s"
        return [
            ("valid", self._valid, f"2xx within {in_time}", _TRIED_AGAIN),
            ("other secret", self._other_secret, refused, "else whoever finds the address sends events"),
            ("changed body", self._changed_body, refused, "else what is worked on is not what was signed"),
            ("no signature", self._no_signature, refused, "else who does not sign is not checked"),
            ("garbled signature", self._garbled, refused, "a 5xx is an exception that strangers cause"),
            (f"{away} old", self._old, refused, "else a request that was overheard can be sent again later"),
            (f"{away} ahead", self._ahead, refused, "else what is signed ahead outlives every tolerance"),
            ("duplicate", self._duplicate, "2xx both times", f"providers repeat themselves; {_TRIED_AGAIN}"),
            (
                "concurrent copies",
                self._concurrent,
                "2xx, or 503 while one is at work",
                "copies come at once",
            ),
            ("out of order", self._out_of_order, "2xx for the older, too", _TRIED_AGAIN),
            ("unknown type", self._unknown_type, "2xx", f"new types come unannounced; {_TRIED_AGAIN}"),
            ("not JSON", self._not_json, "400", "what cannot be read is the sender's fault"),
            ("oversize", self._oversize, "413", "else one request fills the memory"),
            ("GET", self._get, "405 with Allow: POST", "crawlers and previews are no events"),
            *(
                (f"type {one}", self._check_of_type(one), "2xx", f"the source sends it; {_TRIED_AGAIN}")
                for one in self._aim.types
            ),
        ]

    # --- the checks ---

    def _valid(self) -> Judged:
        told = self._post(self._event())
        late = isinstance(told, Answer) and told.seconds > self._profile.ack_deadline_s
        return told.taken and not late, _timed(told)

    def _other_secret(self) -> Judged:
        return self._refused(self._event(secret=new_secret(self._aim.system).signing))

    def _changed_body(self) -> Judged:
        if not SCHEMES[self._profile.scheme].covers_body:
            raise Skip(f"what {self._aim.system} sends proves nothing about the body")
        event_id = self._next_id()
        headers, body = self._event(event_id)
        return self._refused((headers, body.replace(event_id.encode(), event_id[:-1].encode() + b"x")))

    def _no_signature(self) -> Judged:
        aim = self._aim
        return self._refused(
            unsigned_request(aim.system, self._next_id(), aim.types[0], aim.data, now=self._now())
        )

    def _garbled(self) -> Judged:
        headers, body = self._event()
        unsigned, _ = unsigned_request(self._aim.system, "any", "any")
        plain = {name.lower() for name, _ in unsigned}
        if all(name.lower() in plain for name, _ in headers):
            raise Skip(f"{self._aim.system} has its signature in the body")
        return self._refused(
            ([(name, value if name.lower() in plain else _GARBLED) for name, value in headers], body)
        )

    def _old(self) -> Judged:
        return self._away(math.floor(self._now()) - SIGNED_AWAY_S)

    def _ahead(self) -> Judged:
        return self._away(math.ceil(self._now()) + SIGNED_AWAY_S)

    def _away(self, signed_at: float) -> Judged:
        if not self._signs_time:
            raise Skip(f"{self._aim.system} signs no time of its own")
        return self._refused(self._event(at=signed_at))

    def _duplicate(self) -> Judged:
        event = self._event()
        first, second = self._post(event), self._post(event)
        told = f"{first.told}, then {second.told} (whether it was worked once cannot be seen from outside)"
        return first.taken and second.taken, told

    def _concurrent(self) -> Judged:
        event = self._event()
        answers: List[Told] = []
        together = threading.Barrier(COPIES)

        def post() -> None:
            together.wait()
            answers.append(self._post(event))

        threads = [threading.Thread(target=post, daemon=True) for _ in range(COPIES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * TIMEOUT_S)
        told = [answer.told for answer in answers]
        held = len(answers) == COPIES and all(one.taken or one.status in _AT_WORK for one in answers)
        counts = ", ".join(f"{told.count(one)} x {one}" for one in sorted(set(told)))
        return held and any(one.taken for one in answers), counts

    def _out_of_order(self) -> Judged:
        profile = self._profile
        if not profile.resource_path or not profile.version_path:
            raise Skip(f"{self._aim.system} has no version that would order its events")
        newer, older = (
            self._post(
                self._event(
                    more={profile.resource_path: self._stem, profile.version_path: _iso(self._now() - age_s)}
                )
            )
            for age_s in (0, 60)
        )
        return newer.taken and older.taken, f"{newer.told} for the newer, {older.told} for the older"

    def _unknown_type(self) -> Judged:
        return self._taken(self._event(event_type=f"hookvitals.drill.{self._stem}"))

    def _not_json(self) -> Judged:
        aim = self._aim
        try:
            made = signed_body(
                aim.system, aim.secret, b'{"id": ', self._next_id(), aim.types[0],
                now=self._now(), settings=aim.settings, url=self._url,
            )  # fmt: skip
        except ValueError as exc:
            raise Skip(f"{aim.system} signs parts of the JSON") from exc
        return self._refused(made)

    def _oversize(self) -> Judged:
        most = self._aim.max_body_bytes
        told = self._post(self._event(more={"filling": "x" * most}))
        if not isinstance(told, Answer) and told.unread:
            return True, f"ended the connection before it had read more than {most} bytes"
        return told.status == 413, f"{_hinted(told)} for more than {most} bytes"

    def _get(self) -> Judged:
        told = self._sent(((), b""), "GET")
        allow = told.headers.get("allow", "") if isinstance(told, Answer) else ""
        listed = "POST" in [one.strip().upper() for one in allow.split(",")]
        return told.status == 405 and listed, f"{told.told}" + (
            f", Allow: {allow}" if allow else ", no Allow"
        )

    def _check_of_type(self, event_type: str) -> Callable[[], Judged]:
        return lambda: self._taken(self._event(event_type=event_type))

    # --- what they are made of ---

    @property
    def _url(self) -> str:
        return self._aim.signed_url or self._aim.url

    def _next_id(self) -> str:
        return f"{self._stem}_{next(self._numbers)}"

    def _event(
        self,
        event_id: str = "",
        *,
        event_type: str = "",
        secret: str = "",
        at: Optional[float] = None,
        more: Optional[Mapping[str, str]] = None,
    ) -> Signed:
        """A signed event. more: values by their dotted paths."""
        aim = self._aim
        data: Dict[str, Any] = copy.deepcopy(dict(aim.data))
        for path, value in (more or {}).items():
            put(data, path, value)
        return signed_request(
            aim.system,
            secret or aim.secret,
            event_id or self._next_id(),
            event_type or aim.types[0],
            data,
            now=self._now() if at is None else at,
            settings=aim.settings,
            url=self._url,
        )

    def _taken(self, made: Signed) -> Judged:
        told = self._post(made)
        return told.taken, _hinted(told)

    def _refused(self, made: Signed) -> Judged:
        told = self._post(made)
        return 400 <= told.status < 500 and told.status != _OVER_RATE, _hinted(told)

    def _post(self, made: Signed) -> Told:
        return self._sent(made, "POST")

    def _sent(self, made: Signed, method: str) -> Told:
        connection = Connection(self._aim.url)
        try:
            return connection.send(dict(made[0]), made[1], method)
        finally:
            connection.close()


def _timed(told: Told) -> str:
    return f"{told.told} in {1000 * told.seconds:.0f} ms" if isinstance(told, Answer) else told.told


def _hinted(told: Told) -> str:
    return f"{told.told}, over its rate: raise that for the drill" if told.status == _OVER_RATE else told.told


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, tz=timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
