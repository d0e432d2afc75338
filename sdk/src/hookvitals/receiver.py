"""The receiver of webhooks as an application uses it. Framework-free: `handle` takes a request's parts and
returns an answer's; what happens between the two is the pipeline's.
"""

import time
from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple, Union

from hookvitals.addresses import client_address, sender_url
from hookvitals.batches import Batch, BatchHandler
from hookvitals.breaker import BreakerPolicy
from hookvitals.dispatch import Handler
from hookvitals.inbox import Together
from hookvitals.parts import Parts
from hookvitals.redact import Redact
from hookvitals.request import Request
from hookvitals.retry import RetryPolicy
from hookvitals.schemes import HeaderItems, header_items
from hookvitals.schemes.signed import HeadersLike
from hookvitals.settings import DEFAULT_MAX_BODY_BYTES, Settings, settings_for
from hookvitals.shipper import Shipper
from hookvitals.shipping import Shipping
from hookvitals.state import State
from hookvitals.subscriptions import Ask
from hookvitals.validate import Schema

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
    verify_token: what the provider was told to ask for (Meta's `hub.verify_token`).
    confirm_subscriptions: whether a subscription that the source offers (Amazon SNS) is confirmed, by asking
    the address that its message names; or a function of that address, to ask it another way.
    expects: the event types that are to come, instead of the profile's; with those that are handled they are
    told to the collector, which can say what never came.
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
        verify_token: Optional[str] = None,
        confirm_subscriptions: Union[bool, Ask] = False,
        expects: Optional[Sequence[str]] = None,
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
            verify_token=verify_token,
            confirm_subscriptions=confirm_subscriptions,
            expects=expects,
        )
        shipping = Shipping(
            self.settings,
            shipper=shipper,
            collector=collector,
            key=key,
            spool_dir=spool_dir,
            durable=durable,
            now=now,
        )
        parts = Parts(
            self.settings,
            shipping,
            state=state,
            state_path=state_path,
            inbox=inbox,
            workers=workers,
            breaker=breaker,
            now=now,
            monotonic=monotonic,
        )
        shipping.watch(parts.breaker, parts.inbox, parts.dispatcher, parts.shapes)
        self._now = now
        self._shipping, self.shipper = shipping, shipping.shipper
        self._parts, self.state, self.inbox = parts, parts.state, parts.inbox
        self.breaker = parts.breaker

    def on(self, pattern: str, *, schema: Optional[Schema] = None) -> Callable[[Handler], Handler]:
        """Registers the decorated function for an event type; `*` matches any run of characters.

        schema: the form of the payload, a JSON Schema (extra `jsonschema`) or a function of `event.data` that
        raises or gives something falsy; what does not have it is refused before anything is claimed.
        """

        def register(handler: Handler) -> Handler:
            self._parts.dispatcher.add(pattern, handler, schema)
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
            self._parts.dispatcher.add_batch(pattern, Batch(handler, together), schema)
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
        """Starts working what an earlier process left in the inbox, and shipping what it left in the spool.
        The first request does it otherwise."""
        if self._parts.worker is not None:
            self._parts.worker.start()
        if self.shipper is not None:
            self.shipper.start()

    def close(self) -> None:
        """Ends the inbox's worker after the event in hand, and ships what waits. A shared shipper stays."""
        if self._parts.worker is not None:
            self._parts.worker.stop()
        self._shipping.close()
        self._parts.close()

    def handle(
        self,
        method: str,
        url: str,
        headers: HeadersLike,
        body: bytes,
        remote_addr: Optional[str] = None,
        *,
        arrived_ns: Optional[int] = None,
        cut_off: bool = False,
    ) -> Response:
        """(status, headers, body) for a request. url: whole. body: the bytes as received. Never raises; only
        what ends the process, `SystemExit` in its main thread, goes on, after it is on record.

        arrived_ns: of time.perf_counter_ns, when all of the request had come, if it had to wait since.
        cut_off: the sender went away before the end of the body, which is refused and recorded.
        """
        called_ns = time.perf_counter_ns()
        started_ns = called_ns if arrived_ns is None else arrived_ns
        at_us = int(self._now() * 1e6) - (called_ns - started_ns) // 1000
        try:
            items = header_items(headers)
        except Exception:  # what no server hands over holds no signature
            items = []
        try:
            request = self._request(
                str(method), str(url), items, body, remote_addr, at_us, started_ns, cut_off
            )
        except Exception:  # nor has it a method
            request = Request("", "", items, b"", None, at_us, started_ns)
        answer = self._parts.pipeline.answered(request)
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
        cut_off: bool,
    ) -> Request:
        """As the sender made it, as far as the proxies that are trusted say so."""
        settings = self.settings
        trusted = settings.trusted_proxies
        address = None if remote_addr is None else str(remote_addr)
        if trusted or settings.public_url:
            forwarded = ",".join(value for name, value in items if name == "x-forwarded-for")
            url = sender_url(url, settings.public_url, dict(items).get, address, trusted)
            address = client_address(address, forwarded, trusted)
        return Request(method.upper(), url, items, body, address, at_us, started_ns, cut_off)
