"""Putting one event together for its request: where to, what body, which secret. It sends nothing."""

from monitor.dead_letters import Item, LetterState, Refusal
from monitor.replay.secrets import opened_secret
from monitor.replay.sender import Outgoing
from monitor.seal import Sealer, Unsealable, capture_context, opened_capture
from monitor.store.control import Control


def prepared(control: Control, sealer: Sealer, item: Item) -> Outgoing | str:
    """What to send, or why the event cannot or need not be sent any more.

    Looked at again for each event: what the plan saw may have changed since.
    """
    key = item.key
    letter = control.letters.get(item.letter_id)
    if letter is None or letter.state is LetterState.RESOLVED:
        return Refusal.RESOLVED.value
    endpoint = control.catalog.endpoint(key.environment, key.source, key.endpoint)
    if endpoint is None or not endpoint.url:
        return Refusal.NO_URL.value
    if endpoint.replay_secret is None:
        return Refusal.NO_SECRET.value
    capture = control.letters.capture(item.letter_id)
    if capture is None:
        return Refusal.NO_CAPTURE.value
    if capture.redacted:
        return Refusal.REDACTED.value
    try:
        opened = opened_capture(sealer, capture.sealed, capture_context(*endpoint.key, key.event_id))
        secret = opened_secret(sealer, endpoint.replay_secret, *endpoint.key)
    except Unsealable as exc:
        return str(exc)
    return Outgoing(item.id, endpoint.url, opened, secret)
