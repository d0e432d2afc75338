"""The pipeline a webhook goes through: method, size, address, signature, rate, body, duplicate, order,
answer, work, record. Framework-free: `handle` takes a request's parts and returns an answer's.

Without an inbox the answer leaves after the handler; with one the event is on disk before the answer. An
event that was answered 2xx is never lost by a crash. Recording never changes an answer.
"""

import hashlib
import logging
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from hookvitals.addresses import client_address, sender_url
from hookvitals.admission import Admission
from hookvitals.answers import BUSY_RETRY_S, Answer, Refused
from hookvitals.attempts import Attempts
from hookvitals.batches import Batch, BatchHandler
from hookvitals.breaker import Breaker, BreakerPolicy
from hookvitals.desk import Desk
from hookvitals.dispatch import Dispatcher, Handler, Route
from hookvitals.event import Event
from hookvitals.inbox import Inbox, Put, Together
from hookvitals.inline import Inline
from hookvitals.ordering import Order, order_of
from hookvitals.parse import check_age, json_of, parsed
from hookvitals.recorder import Recorder
from hookvitals.redact import Redact
from hookvitals.reporter import Reporter
from hookvitals.request import Request
from hookvitals.retry import RetryPolicy
from hookvitals.schemes import HeaderItems, header_items
from hookvitals.schemes.signed import HeadersLike
from hookvitals.settings import DEFAULT_MAX_BODY_BYTES, SEPARATOR, Settings, settings_for
from hookvitals.shipper import Shipper
from hookvitals.state import MemoryState, SqliteState, State, StateUnavailable
from hookvitals.validate import InvalidPayload, Schema, Validator
from hookvitals.worker import InboxWorker

log = logging.getLogger("hookvitals")

Response = Tuple[int, List[Tuple[str, str]], bytes]


class Receiver:
    """Receives one source's webhooks at one endpoint.

    receiver = Receiver("standard", endpoint="billing", secrets=["whsec_…"],
                        collector="http://127.0.0.1:8700", key="hv_…")

    @receiver.on("invoice.*")
    def invoice(event): ...

    source: who sends; also the source system unless `system` names another (see `profiles`).
    state_path: a file for claims and the inbox, shared by the processes of this host; without it they are
    kept in memory. state: instead of state_path what other hosts share too, e.g. RedisState; whoever made it
    closes it. inbox: acknowledge first and process from the durable inbox; needs state_path.
    profile: fields of the source's profile to change, e.g. {"ack_deadline_s": 10}.
    allow_from: CIDRs that may send; None takes the source's published ones for the environment, [] any.
    public_url: the address that the sender was given, for schemes that sign it; without it what the framework
    says, or what a trusted proxy says.
    shipper: share one between receivers instead of giving collector and key; without either nothing is sent.
    spool_dir: where records wait while the collector is away; a shared shipper has its own. durable: each
    record is on the disk of the spool before its answer leaves.
    capture_rate: the share of events that capture="sampled" keeps. redact: paths into the body, or a function
    of its JSON, for what no capture may show; such a capture is never replayed.
    previous_secrets, other_environments: secrets that are not valid here (environment → its secrets): they
    only explain why a signature did not hold.
    workers: threads of this process that work the inbox; two events of one resource never run at once.
    breaker: when to leave the handlers in peace for a while; None: never.
    lease_s: how long one copy of an event may be worked inline before another may start.
    failures_per_minute: an address that fails verification more often is told 429 unheard; None: never.
    Raises ValueError for a setting that cannot work.
    """

    def __init__(
        self,
        source: str,
        *,
        endpoint: str,
        secrets: Sequence[Union[str, bytes]],
        system: Optional[str] = None,
        environment: str = "production",
        collector: Optional[str] = None,
        key: Optional[str] = None,
        shipper: Optional[Shipper] = None,
        spool_dir: Optional[str] = None,
        durable: bool = False,
        state_path: Optional[str] = None,
        state: Optional[State] = None,
        inbox: bool = False,
        profile: Optional[Mapping[str, Any]] = None,
        allow_from: Optional[Sequence[str]] = None,
        trusted_proxies: Sequence[str] = (),
        public_url: Optional[str] = None,
        replay_secret: Optional[str] = None,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        capture: str = "dead_letters",
        capture_headers: Sequence[str] = (),
        capture_rate: float = 0.01,
        redact: Union[Redact, Sequence[str], None] = None,
        previous_secrets: Sequence[Union[str, bytes]] = (),
        other_environments: Optional[Mapping[str, Sequence[Union[str, bytes]]]] = None,
        workers: int = 1,
        retry: Optional[RetryPolicy] = None,
        breaker: Optional[BreakerPolicy] = BreakerPolicy(),
        lease_s: float = 300.0,
        failures_per_minute: Optional[float] = 600.0,
        labels: Optional[Mapping[str, str]] = None,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings: Settings = settings_for(
            source,
            endpoint=endpoint,
            secrets=secrets,
            system=system,
            environment=environment,
            profile=profile or {},
            allow_from=allow_from,
            trusted_proxies=trusted_proxies,
            public_url=public_url,
            replay_secret=replay_secret,
            max_body_bytes=max_body_bytes,
            capture_policy=capture,
            capture_headers=capture_headers,
            capture_rate=capture_rate,
            redact=redact,
            previous_secrets=previous_secrets,
            other_environments=other_environments,
            retry=retry,
            lease_s=lease_s,
            failures_per_minute=failures_per_minute,
            labels=labels,
        )
        if state is not None and state_path:
            raise ValueError("state and state_path say the same thing twice: give one of them")
        if inbox and not state_path:
            raise ValueError("an inbox needs state_path, the file it is kept in")
        if workers < 1:
            raise ValueError(f"workers must be at least 1, not {workers}")
        if collector and not key:
            raise ValueError("a collector needs key, an ingest key made by `hookvitals key create`")
        self._now = now
        self._owns_shipper = shipper is None
        self.shipper = shipper or (Shipper(collector, key or "", spool_dir=spool_dir) if collector else None)
        if (durable or spool_dir) and (self.shipper is None or self.shipper.spool_dir is None):
            raise ValueError("spool_dir and durable need a collector; a shared shipper has its own spool_dir")
        reporter = Reporter(
            self.settings, _recorder(self.settings, self.shipper, durable, now) if self.shipper else None
        )
        self._desk = Desk(self.settings.profile.status_of(), reporter, self._now_us)
        self._dispatcher = Dispatcher()
        self._owns_state = state is None
        self.state: State = state or (SqliteState(state_path, now) if state_path else MemoryState(now))
        self.inbox: Optional[Inbox] = None
        self.breaker = Breaker(breaker, self.state, self.settings.scope, self._now_us)
        if self.shipper:
            self.shipper.watch(self.breaker.name, lambda: self.breaker.state)
        if inbox and state_path and isinstance(self.state, SqliteState):
            self.inbox = Inbox(self.state, self.settings.scope, self._now_us)
            attempts = Attempts(
                self.settings, self.inbox, self.state, self._dispatcher, reporter, self.breaker, self._now_us
            )
            lock_path = _lock_path(state_path, self.settings.scope)
            self._worker = InboxWorker(self.inbox, lock_path, attempts.attempt, self.breaker.wait_s, workers)
            if self.shipper:
                self.shipper.sample(self._queue_samples)
        self._inline = Inline(self.settings, self.state, self.breaker, self._desk, self._now_us)
        self._admission = Admission(self.settings, self.state, now, monotonic)

    def on(self, pattern: str, *, schema: Optional[Schema] = None) -> Callable[[Handler], Handler]:
        """Registers the decorated function for an event type; `*` matches any run of characters.

        schema: the form of the payload, a JSON Schema (extra `jsonschema`) or a function of `event.data` that
        raises or gives something falsy; what does not have it is refused before anything is claimed.
        """

        def register(handler: Handler) -> Handler:
            self._dispatcher.add(pattern, handler, schema)
            return handler

        return register

    def batch(
        self, pattern: str, *, size: int = 100, wait_s: float = 5.0, schema: Optional[Schema] = None
    ) -> Callable[[BatchHandler], BatchHandler]:
        """Registers the decorated function for lists of events: `size` of them, or fewer when the first has
        waited `wait_s`.

        Only with an inbox, for an event waits on disk. On an exception the list is halved until what is at
        fault stands alone, so an event may be handed over again; `BatchFailed` names those that failed.
        Raises ValueError where it cannot work.
        """
        if self.inbox is None:
            raise ValueError("a batch needs inbox=True: its events are acknowledged while they wait")
        if size < 1 or wait_s < 0:
            raise ValueError("a batch needs a size of 1 or more, and a wait of 0 s or more")

        def register(handler: BatchHandler) -> BatchHandler:
            together = Together(pattern, size, int(wait_s * 1e6))
            self._dispatcher.add_batch(pattern, Batch(handler, together), schema)
            return handler

        return register

    def init_app(self, app: Any, path: str) -> None:
        """Adds this receiver at `path` to an application of Flask (or a blueprint), Starlette or FastAPI."""
        if hasattr(app, "add_url_rule"):
            from hookvitals.integrations import flask  # noqa: PLC0415  # the flask extra

            flask.mount(self, app, path)
        else:
            from hookvitals.integrations import asgi  # noqa: PLC0415  # asyncio, for those who use it

            asgi.mount(self, app, path)

    def start(self) -> None:
        """Starts working what an earlier process left in the inbox. Called by the first request otherwise."""
        if self.inbox:
            self._worker.start()

    def close(self) -> None:
        """Ends the inbox's worker after the event in hand, and ships what waits. A shared shipper stays."""
        if self.inbox:
            self._worker.stop()
        if self.shipper:
            self.shipper.forget(self._queue_samples)
            self.shipper.watch(self.breaker.name, None)
            if self._owns_shipper:
                self.shipper.close()
        if self._owns_state:
            self.state.close()

    def handle(
        self,
        method: str,
        url: str,
        headers: HeadersLike,
        body: bytes,
        remote_addr: Optional[str] = None,
        *,
        arrived_ns: Optional[int] = None,
    ) -> Response:
        """(status, headers, body) for a request. url: whole. body: the bytes as received. Never raises.

        arrived_ns: of time.perf_counter_ns, when all of the request had come, if it had to wait since.
        """
        called_ns = time.perf_counter_ns()
        started_ns = called_ns if arrived_ns is None else arrived_ns
        at_us = self._now_us() - (called_ns - started_ns) // 1000
        try:
            items = header_items(headers)
        except Exception:  # what no server hands over holds no signature
            items = []
        try:
            request = self._request(str(method), str(url), items, body, remote_addr, at_us, started_ns)
        except Exception:  # nor has it a method
            request = Request("", "", items, b"", None, at_us, started_ns)
        answer = self._answered(request)
        return answer.status, answer.headers, answer.body

    def _request(
        self,
        method: str,
        url: str,
        items: HeaderItems,
        body: bytes,
        remote_addr: Optional[str],
        at_us: int,
        started_ns: int,
    ) -> Request:
        """As the sender made it, as far as the proxies that are trusted say so."""
        settings = self.settings
        trusted = settings.trusted_proxies
        address = None if remote_addr is None else str(remote_addr)
        if trusted or settings.public_url:
            forwarded = ",".join(value for name, value in items if name == "x-forwarded-for")
            url = sender_url(url, settings.public_url, dict(items).get, address, trusted)
            address = client_address(address, forwarded, trusted)
        return Request(method.upper(), url, items, body, address, at_us, started_ns)

    # --- the pipeline; fields: what the record will say ---

    def _answered(self, request: Request) -> Answer:
        fields: Dict[str, Any] = {}
        event: Optional[Event] = None
        try:
            admitted = self._admission.admit(request, fields)
            if admitted.canary_id is not None:
                return self._desk.canary(request, admitted.canary_id, fields)
            data = json_of(request)
            challenged = self._challenged(data, fields)
            if challenged is not None:
                return self._desk.asked(request, challenged, fields)
            event = parsed(request, data, self.settings, admitted.replay_id)
            if admitted.replay_id is None:
                check_age(event, self.settings.profile, request.at_us)
            return self._take(request, event, fields)
        except Refused as refused:
            return self._desk.refused(request, refused, event, fields)
        except StateUnavailable as exc:  # handled or not, nobody can say: the sender comes again
            log.warning("hookvitals: the state of events cannot be asked: %s", exc)
            away = Refused("unavailable", retry_after_s=BUSY_RETRY_S)
            away.__cause__ = exc
            return self._desk.refused(request, away, event, fields)
        except Exception as exc:  # our own fault: the sender may try again, the event is not lost
            log.exception("hookvitals: a request could not be handled")
            return self._desk.failed(request, exc, event, fields)

    def _challenged(self, data: Any, fields: Dict[str, Any]) -> Optional[Dict[str, Any]]:
        """The answer, where the source asks about the endpoint itself."""
        challenge = self.settings.profile.challenge
        if challenge is None:
            return None
        return challenge(data, self.settings.secret_of(fields.get("secret_id")))

    def _take(self, request: Request, event: Event, fields: Dict[str, Any]) -> Answer:
        route = self._dispatcher.route_of(event.type)
        if route is None:
            return self._desk.taken(request, "unhandled", event, fields)
        if route.validator is not None:
            _check(route.validator, event)
        key = f"{self.settings.scope}{SEPARATOR}{event.id}"
        order = order_of(
            self.settings.scope,
            event.fields.get("resource"),
            event.fields.get("version"),
            self.settings.profile.equal_versions,
        )
        if self.inbox:
            return self._enqueue(request, event, key, order, route, fields)
        return self._inline.take(request, event, key, order, route.handler, fields)

    def _enqueue(
        self,
        request: Request,
        event: Event,
        key: str,
        order: Optional[Order],
        route: Route,
        fields: Dict[str, Any],
    ) -> Answer:
        assert self.inbox is not None
        guard = None if event.replay_id else order  # an operator decided that a replay should run
        keep_us = int(self.settings.profile.memory_s() * 1e6)
        together = None if route.batch is None else route.batch.together
        put = self.inbox.put(key, event, keep_us=keep_us, order=guard, together=together)
        if put is Put.STALE:
            return self._desk.taken(request, "stale", event, fields)
        if put is Put.WAITING and event.replay_id is not None:
            raise Refused("busy", retry_after_s=BUSY_RETRY_S)  # it will run; a 2xx would settle the replay
        if put in (Put.WAITING, Put.DONE):
            return self._desk.taken(request, "duplicate", event, fields)
        answer = self._desk.taken(request, "accepted", event, fields)
        self._worker.wake()
        return answer

    def _queue_samples(self) -> List[Dict[str, Any]]:
        assert self.inbox is not None
        settings = self.settings
        return [
            {
                "environment": settings.environment,
                "source": settings.source,
                "endpoint": settings.endpoint,
                "queue": "inbox",
                "depth": self.inbox.depth(),
                "oldest_age_s": self.inbox.oldest_age_s() or 0.0,
                "sampled_at": self._now_us(),
            }
        ]

    def _now_us(self) -> int:
        return int(self._now() * 1e6)


def _recorder(settings: Settings, shipper: Shipper, durable: bool, now: Callable[[], float]) -> Recorder:
    now_ns = time.time_ns if now is time.time else lambda: int(now() * 1e9)
    named = {"source": settings.source, "endpoint": settings.endpoint, "environment": settings.environment}
    return Recorder(**named, shipper=shipper, durable=durable, now_ns=now_ns)


def _check(validator: Validator, event: Event) -> None:
    try:
        validator(event.data)
    except InvalidPayload as exc:
        raise Refused("invalid_payload", f"{event.type}: {exc}") from exc


def _lock_path(state_path: str, scope: str) -> str:
    """Where the locks of each inbox in the file begin."""
    return f"{state_path}.{hashlib.sha256(scope.encode()).hexdigest()[:12]}.worker"
