"""The pipeline a webhook goes through: method, size, address, signature, rate, body, duplicate, order,
answer, work, record. Framework-free: `handle` takes a request's parts and returns an answer's.

Without an inbox the answer leaves after the handler; with one the event is on disk before the answer. An
event that was answered 2xx is never lost by a crash. Recording never changes an answer.
"""

import json
import logging
import math
import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from hookvitals import answers
from hookvitals.addresses import client_address, contains
from hookvitals.capture import capture, kept_headers, wanted
from hookvitals.dispatch import Dispatcher, Handler
from hookvitals.event import Event, found_at, instant_us, rank
from hookvitals.inbox import Inbox, InboxWorker, Work
from hookvitals.limits import TokenBucket
from hookvitals.recorder import Recorder, error_fields
from hookvitals.replay import replay_item
from hookvitals.retry import RetryPolicy
from hookvitals.schemes import VerificationError, header_items
from hookvitals.schemes.signed import HeaderItems, HeadersLike
from hookvitals.settings import DEFAULT_MAX_BODY_BYTES, Settings, settings_for
from hookvitals.shipper import Shipper
from hookvitals.state import Claim, MemoryState, SqliteState, State

log = logging.getLogger("hookvitals")

Response = Tuple[int, List[Tuple[str, str]], bytes]


class Refused(Exception):
    """Ends the pipeline with a refusal; reason is a code of `answers`."""

    def __init__(
        self, reason: str, *, retry_after_s: Optional[int] = None, allow: Optional[str] = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.allow = allow


@dataclass(frozen=True)
class Received:
    """A request with the moment it came in."""

    headers: HeaderItems
    body: bytes
    address: Optional[str]
    at_us: int
    started_ns: int

    def elapsed_ms(self) -> float:
        return (time.perf_counter_ns() - self.started_ns) / 1e6


class Receiver:
    """Receives one source's webhooks at one endpoint.

    receiver = Receiver("standard", endpoint="billing", secrets=["whsec_…"],
                        collector="http://127.0.0.1:8700", key="hv_…")

    @receiver.on("invoice.*")
    def invoice(event): ...

    source: who sends; also the source system unless `system` names another (see `profiles`).
    state_path: a file for claims and the inbox, shared by the processes of this host; without it they are
    kept in memory. inbox: acknowledge first and process from the durable inbox; needs state_path.
    profile: fields of the source's profile to change, e.g. {"ack_deadline_s": 10}.
    allow_from: CIDRs that may send; None takes the source's published ones for the environment.
    shipper: share one between receivers instead of giving collector and key; without either nothing is sent.
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
        state_path: Optional[str] = None,
        inbox: bool = False,
        profile: Optional[Mapping[str, Any]] = None,
        allow_from: Optional[Sequence[str]] = None,
        trusted_proxies: Sequence[str] = (),
        replay_secret: Optional[str] = None,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        capture: str = "dead_letters",
        capture_headers: Sequence[str] = (),
        retry: Optional[RetryPolicy] = None,
        lease_s: float = 300.0,
        labels: Optional[Mapping[str, str]] = None,
        now: Callable[[], float] = time.time,
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
            replay_secret=replay_secret,
            max_body_bytes=max_body_bytes,
            capture_policy=capture,
            capture_headers=capture_headers,
            retry=retry,
            lease_s=lease_s,
            labels=labels,
        )
        if inbox and not state_path:
            raise ValueError("an inbox needs state_path, the file it is kept in")
        if collector and not key:
            raise ValueError("a collector needs key, an ingest key made by `hookvitals key create`")
        self._now = now
        self.shipper = shipper or (Shipper(collector, key or "") if collector else None)
        self._recorder = (
            Recorder(source, endpoint, self.shipper, environment=environment) if self.shipper else None
        )
        self._dispatcher = Dispatcher()
        rate = self.settings.profile.rate_per_minute
        self._bucket = TokenBucket(rate) if rate else None
        self.state: State = SqliteState(state_path) if state_path else MemoryState()
        self.inbox: Optional[Inbox] = None
        if inbox and isinstance(self.state, SqliteState):
            self.inbox = Inbox(self.state, self._now_us)
            self._worker = InboxWorker(self.inbox, f"{state_path}.worker", self._process)
            if self.shipper:
                self.shipper.sample(self._queue_samples)

    def on(self, pattern: str) -> Callable[[Handler], Handler]:
        """Registers the decorated function for an event type; `*` matches any run of characters."""

        def register(handler: Handler) -> Handler:
            self._dispatcher.add(pattern, handler)
            return handler

        return register

    def start(self) -> None:
        """Starts working what an earlier process left in the inbox. Called by the first request otherwise."""
        if self.inbox:
            self._worker.start()

    def close(self) -> None:
        """Ends the inbox's worker after the event in hand, and ships what waits."""
        if self.inbox:
            self._worker.stop()
        if self.shipper:
            self.shipper.close()
        self.state.close()

    def handle(
        self, method: str, headers: HeadersLike, body: bytes, remote_addr: Optional[str] = None
    ) -> Response:
        """(status, headers, body) for a request. body: the bytes as received. Never raises."""
        items = header_items(headers)
        forwarded = next((value for name, value in items if name == "x-forwarded-for"), None)
        received = Received(
            items,
            body,
            client_address(remote_addr, forwarded, self.settings.trusted_proxies),
            self._now_us(),
            time.perf_counter_ns(),
        )
        answer = self._answered(method, received)
        return answer.status, answer.headers, answer.body

    # --- the pipeline ---

    def _answered(self, method: str, received: Received) -> answers.Answer:
        fields: Dict[str, Any] = {}
        try:
            self._admit(method, received)
            replay_id = self._verify(received, fields)
            if replay_id is None:
                self._limit()
            event, order = self._parse(received, replay_id, fields)
            return self._take(received, event, order, fields)
        except Refused as refused:
            return self._refuse(received, refused, fields)
        except Exception:  # our own fault: the sender may try again, the event is not lost
            log.exception("hookvitals: a request could not be handled")
            return answers.refusal("failed", answers.error_id())

    def _admit(self, method: str, received: Received) -> None:
        if method.upper() != "POST":
            raise Refused("method_not_allowed", allow="POST")
        if len(received.body) > self.settings.max_body_bytes:
            raise Refused("too_large")

    def _verify(self, received: Received, fields: Dict[str, Any]) -> Optional[str]:
        """The replay item's id if it is a replay of ours; else the source's address and signature hold."""
        settings, now = self.settings, self._now()
        started_ns = time.perf_counter_ns()
        replay_id = replay_item(received.headers, received.body, settings.replay_secret, now)
        if replay_id is not None:
            fields["replay_id"] = replay_id
            return replay_id
        if settings.allowed and not contains(settings.allowed, received.address):
            raise Refused("ip_not_allowed")
        try:
            verified = settings.scheme.verify(received.headers, received.body, now)
        except VerificationError as exc:
            raise Refused(exc.reason) from exc
        finally:
            fields["verify_ms"] = (time.perf_counter_ns() - started_ns) / 1e6
        fields["secret_id"] = verified.secret_id
        if verified.signed_at is not None:
            fields["skew_ms"] = verified.signed_at * 1000 - received.at_us / 1000
        return None

    def _limit(self) -> None:
        if self._bucket is not None:
            wait_s = self._bucket.wait_s(time.monotonic())
            if wait_s > 0:
                raise Refused("rate_limited", retry_after_s=math.ceil(wait_s))

    def _parse(
        self, received: Received, replay_id: Optional[str], fields: Dict[str, Any]
    ) -> "tuple[Event, Optional[tuple[str, float]]]":
        """The event, and (resource, version) where the source orders its events."""
        profile = self.settings.profile
        try:
            data = json.loads(received.body)
        except (ValueError, RecursionError) as exc:
            raise Refused("malformed_body") from exc
        event_id = found_at(profile.id_path, data, received.headers)
        event_type = found_at(profile.type_path, data, received.headers)
        if not _is_name(event_id) or not _is_name(event_type):
            raise Refused("malformed_body")
        fields["event_id"], fields["event_type"] = str(event_id), str(event_type)
        created_us = instant_us(found_at(profile.created_at_path, data, received.headers))
        if created_us is not None:
            fields["event_created_at"] = created_us
        order = None
        resource = found_at(profile.resource_path, data, received.headers)
        version = found_at(profile.version_path, data, received.headers)
        if _is_name(resource) and version is not None:
            fields["resource"] = str(resource)
            ranked = rank(version)
            if ranked is not None:
                fields["version"] = version
                order = (f"{self.settings.source}/{resource}", ranked)
        headers = sorted(kept_headers(received.headers, self.settings.capture_headers).items())
        event = Event(
            fields["event_id"],
            fields["event_type"],
            data,
            received.body,
            headers,
            received.at_us,
            replay_id=replay_id,
            fields={
                name: fields[name] for name in ("resource", "version", "event_created_at") if name in fields
            },
        )
        return event, order

    def _take(
        self,
        received: Received,
        event: Event,
        order: "Optional[tuple[str, float]]",
        fields: Dict[str, Any],
    ) -> answers.Answer:
        handler = self._dispatcher.handler_of(event.type)
        key = f"{self.settings.environment}/{self.settings.source}/{self.settings.endpoint}/{event.id}"
        if handler is None:
            return self._settled(received, "unhandled", fields)
        if self.inbox:
            return self._enqueue(received, event, key, order, fields)
        lease_us = int(self.settings.lease_s * 1e6)
        claim = self.state.claim(key, self._now_us(), lease_us)
        if claim is Claim.DONE:
            return self._settled(received, "duplicate", fields)
        if claim is Claim.BUSY:
            raise Refused("busy", retry_after_s=5)
        passed = self._out_of_order(event, order)
        if passed is not None:
            self.state.done(key, self._keep_until_us())
            return self._settled(received, passed, fields)
        return self._process_inline(received, event, key, order, handler, fields)

    def _enqueue(
        self,
        received: Received,
        event: Event,
        key: str,
        order: "Optional[tuple[str, float]]",
        fields: Dict[str, Any],
    ) -> answers.Answer:
        assert self.inbox is not None
        passed = self._out_of_order(event, order)
        if passed is not None:
            return self._settled(received, passed, fields)
        resource, version = order if order else (None, None)
        horizon_us = int(self.settings.profile.retry_horizon_s * 1e6)
        claim = self.inbox.put(key, event, lease_us=horizon_us, resource=resource, version=version)
        if claim is not Claim.NEW:
            return self._settled(received, "duplicate", fields)
        answer = self._settled(received, "accepted", fields)
        self._worker.wake()
        return answer

    def _out_of_order(self, event: Event, order: "Optional[tuple[str, float]]") -> Optional[str]:
        """`stale` when a newer version of the resource was handled, `duplicate` when this very one was.

        A replay is let through: an operator decided that it should run.
        """
        if order is None or event.replay_id is not None:
            return None
        known = self.state.version(order[0])
        if known is None or order[1] > known:
            return None
        return "duplicate" if order[1] == known else "stale"

    def _process_inline(
        self,
        received: Received,
        event: Event,
        key: str,
        order: "Optional[tuple[str, float]]",
        handler: Handler,
        fields: Dict[str, Any],
    ) -> answers.Answer:
        fields["attempt"] = self.state.attempts(key)
        fields["queue_ms"] = received.elapsed_ms()
        error = _run(handler, event, fields)
        if error is None:
            if order is not None:
                self.state.advance(order[0], order[1], self._now_us())
            self.state.done(key, self._keep_until_us())
            return self._settled(received, "succeeded", fields)
        self.state.release(key, self._now_us())
        fields.update(error_fields(error))
        answer = answers.refusal("failed", answers.error_id())
        self._record(received, "failed", {**fields, **_delivery(received, answer.status)}, event)
        return answer

    # --- the inbox's worker ---

    def _process(self, work: Work) -> None:
        """One attempt at an event of the inbox; the state moves on before the record is noted."""
        assert self.inbox is not None
        event, attempt = work.event, work.attempts + 1
        fields: Dict[str, Any] = {"event_id": event.id, "event_type": event.type, **event.fields}
        if event.replay_id is not None:
            fields["replay_id"] = event.replay_id
        fields["attempt"] = attempt
        fields["queue_ms"] = max(0.0, self._now() * 1000 - event.received_at_us / 1000)
        handler = self._dispatcher.handler_of(event.type)
        error = _run(handler, event, fields) if handler else LookupError(f"no handler for {event.type}")
        fields["latency_ms"] = max(
            fields.get("process_ms", 0.0), self._now() * 1000 - event.received_at_us / 1000
        )
        outcome = "succeeded"
        if error is None:
            self.inbox.finish(work, self._keep_until_us())
        else:
            fields.update(error_fields(error))
            if self.settings.retry.exhausted(attempt):
                outcome = "dead_lettered"
                self.inbox.give_up(work)
            else:
                outcome = "failed"
                self.inbox.postpone(work, self.settings.retry.wait_s(attempt))
        if self._recorder:
            self._recorder.record(outcome, event.received_at_us, self._with_capture(outcome, fields, event))

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
                "oldest_age_s": self.inbox.oldest_age_s(),
                "sampled_at": self._now_us(),
            }
        ]

    # --- answers and records ---

    def _settled(self, received: Received, outcome: str, fields: Dict[str, Any]) -> answers.Answer:
        answer = answers.taken(self.settings.profile.ack_status)
        self._record(received, outcome, {**fields, **_delivery(received, answer.status)})
        return answer

    def _refuse(self, received: Received, refused: Refused, fields: Dict[str, Any]) -> answers.Answer:
        identifier = answers.error_id()
        answer = answers.refusal(
            refused.reason, identifier, retry_after_s=refused.retry_after_s, allow=refused.allow
        )
        if refused.reason == "busy":
            self._record(received, "duplicate", {**fields, **_delivery(received, answer.status)})
            return answer
        for unverified in ("event_id", "event_type", "event_created_at", "resource", "version"):
            fields.pop(unverified, None)
        fields["reason"] = refused.reason
        fields["error_message"] = f"error {identifier}"
        self._record(received, "rejected", {**fields, **_delivery(received, answer.status)})
        return answer

    def _record(
        self, received: Received, outcome: str, fields: Dict[str, Any], event: Optional[Event] = None
    ) -> None:
        if self._recorder is None:
            return
        fields["latency_ms"] = fields["ack_ms"]
        if received.address:
            fields["remote_ip"] = received.address
        agent = next((value for name, value in received.headers if name == "user-agent"), None)
        if agent:
            fields["user_agent"] = agent[:256]
        self._recorder.record(outcome, received.at_us, self._with_capture(outcome, fields, event))

    def _with_capture(self, outcome: str, fields: Dict[str, Any], event: Optional[Event]) -> Dict[str, Any]:
        policy = self.settings.capture_policy
        if event is not None and wanted(policy, outcome):
            fields["capture"] = capture(policy, dict(event.headers), event.body)
        if self.settings.labels:
            fields["labels"] = dict(self.settings.labels)
        return fields

    def _keep_until_us(self) -> int:
        return self._now_us() + int(self.settings.profile.retry_horizon_s * 1e6)

    def _now_us(self) -> int:
        return int(self._now() * 1e6)


def _run(handler: Handler, event: Event, fields: Dict[str, Any]) -> Optional[Exception]:
    """What the handler raised, if anything; its time goes into process_ms."""
    started_ns = time.perf_counter_ns()
    try:
        handler(event)
    except Exception as exc:
        return exc
    finally:
        fields["process_ms"] = (time.perf_counter_ns() - started_ns) / 1e6
    return None


def _delivery(received: Received, status: int) -> Dict[str, Any]:
    return {"http_status": status, "ack_ms": received.elapsed_ms()}


def _is_name(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return False
    return 0 < len(str(value)) <= 256
