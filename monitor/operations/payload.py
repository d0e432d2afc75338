"""Looking at a captured event: opened, masked, and the look itself audited. Nothing is sent or kept."""

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.dead_letters import LetterKey
from monitor.model import Capture
from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.operations.masking import masked_body, masked_headers
from monitor.seal import capture_context, opened_capture
from monitor.store.control.accounts import Role


@dataclass(frozen=True, slots=True)
class Revealed:
    """masked: how many values were hidden here. redacted: the receiver had hidden some before."""

    headers: Mapping[str, str]
    body: str
    content_type: str | None
    body_bytes: int
    masked: int
    redacted: bool


def reveal(
    desk: Desk, actor: Actor, environment: str, source: str, endpoint: str, event_id: str
) -> Revealed | None:
    """What was captured of the event, masked; None when nothing was. Raises monitor.seal.Unsealable."""
    actor.must_be(Role.OPERATOR, "look at payloads")
    key = LetterKey(environment, source, endpoint, event_id)
    capture = _capture(desk, key)
    if capture is None:
        return None
    with desk.control.write() as tx:
        subject = "/".join((environment, source, endpoint, event_id))
        desk.audit(tx, actor, "payload.reveal", subject, {"bytes": len(capture.body)})
    body, (headers, hidden) = masked_body(capture.body), masked_headers(capture.headers)
    return Revealed(
        headers,
        body.text,
        capture.content_type,
        len(capture.body),
        body.count + hidden,
        capture.redacted,
    )


def _capture(desk: Desk, key: LetterKey) -> Capture | None:
    """From the dead letter, which outlives the facts, else from the facts."""
    place = (key.environment, key.source, key.endpoint, key.event_id)
    kept = desk.control.letters.capture(key.id)
    found = None if kept is not None else desk.facts.capture(*place)
    sealed = kept.sealed if kept is not None else found[0] if found is not None else None
    return None if sealed is None else opened_capture(desk.sealer, sealed, capture_context(*place))
