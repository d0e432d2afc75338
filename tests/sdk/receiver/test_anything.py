"""Whatever a server hands over, the answer is one that it can send, and nothing is raised."""

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookvitals import Event, Receiver, replay_headers
from hookvitals.answers import STATUS_OF, TAKEN, table
from hookvitals.profiles import PROFILES
from hookvitals.secret import PROVIDER_ALONE, new_secret
from tests.sdk.schemes.providers import PROVIDERS
from tests.sdk.world import NOW, REPLAY_SECRET, SECRET, URL

FIELD = re.compile(r"[A-Za-z-]+\Z", re.ASCII)
CODES = {*TAKEN, *STATUS_OF}


class Odd:
    """Nothing about it can be had."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


anything = st.one_of(st.none(), st.integers(), st.text(), st.binary(), st.builds(Odd), st.floats())
names = st.one_of(
    st.sampled_from(
        [
            "webhook-id", "webhook-timestamp", "webhook-signature", "Signature", "X-Hub-Signature-256",
            "Stripe-Signature", "Hookvitals-Replay", "Hookvitals-Canary", "Hookvitals-Timestamp",
            "Hookvitals-Signature", "X-Forwarded-For", "X-Forwarded-Host", "Content-Type", "traceparent",
        ]
    ),
    st.text(max_size=40),
    anything,
)  # fmt: skip
values = st.one_of(
    st.text(max_size=200), st.sampled_from(["v1,AAAA", "1800000000", "t=1,v1=00", ""]), anything
)
headers = st.one_of(
    st.lists(st.tuples(names, values), max_size=8),
    st.dictionaries(st.text(max_size=20), values, max_size=8),
    st.lists(anything, max_size=3),
    anything,
)
methods = st.one_of(st.sampled_from(["POST", "post", "GET"]), anything)
urls = st.one_of(st.just(URL), st.sampled_from(["http://[", "//", "https://a@b:c/?x#y"]), anything)
addresses = st.one_of(st.sampled_from(["192.0.2.1", "::1", "fe80::1%eth0", "unknown"]), anything)
bodies = st.one_of(
    st.binary(max_size=300),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(["id", "type", "data", "event", "created_at"]), inner, max_size=4
            ),
        ),
        max_leaves=12,
    ).map(lambda data: json.dumps(data).encode()),
)


def well_formed(answer: Any) -> bool:
    status, pairs, body = answer
    assert type(status) is int
    assert status in set(table(200, {}).values()) | {201}
    assert type(body) is bytes
    fields = [name for name, _ in pairs]
    assert len(fields) == len(set(fields))
    for name, value in pairs:
        assert FIELD.match(name)
        assert type(value) is str
        assert value.isprintable()
        assert value.isascii()
    said = dict(pairs)["Content-Type"]
    if status >= 400:
        assert said == "application/problem+json"
        assert json.loads(body)["code"] in CODES
        assert json.loads(body)["status"] == status
    else:
        assert said == "application/json"
        json.loads(body)
    return True


def noted(event: Event) -> None:
    """A handler that is content with everything."""


@pytest.fixture(
    scope="module", params=["standard", "hopnow", "slack", "zoom", "stripe", "github", "scalekit"]
)
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    logging.disable(logging.CRITICAL)
    made = Receiver(
        request.param,
        endpoint="e",
        secrets=[SECRET],
        replay_secret=REPLAY_SECRET,
        trusted_proxies=["192.0.2.0/24"],
        profile={"rate_per_minute": None, "replays_per_minute": None},
        failures_per_minute=None,
        now=lambda: NOW,
    )
    made.on("*")(noted)
    yield made
    made.close()
    logging.disable(logging.NOTSET)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(method=methods, url=urls, pairs=headers, body=st.one_of(bodies, anything), address=addresses)
def test_anything_is_answered(
    receiver: Receiver, method: Any, url: Any, pairs: Any, body: Any, address: Any
) -> None:
    assert well_formed(receiver.handle(method, url, pairs, body, address))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    body=bodies,
    more=st.lists(st.tuples(names, values), max_size=4),
    address=addresses,
    replayed=st.booleans(),
)
def test_anything_that_is_signed_is_answered(
    receiver: Receiver, body: bytes, more: Any, address: Any, replayed: bool
) -> None:
    signed = receiver.settings.scheme.sign(body, NOW)
    if replayed:
        signed = [*signed, *replay_headers("item", body, REPLAY_SECRET, NOW)]

    answer = receiver.handle("POST", URL, [*signed, *more], body, address)

    assert well_formed(answer)
    own = {name.lower() for name, _ in signed}
    odd = [pair for pair in more if type(pair[0]) is not str or type(pair[1]) is not str]
    if not odd and not own & {name.lower() for name, _ in more}:
        assert answer[0] != 500


def test_every_profile_answers_an_empty_request() -> None:
    for name in PROFILES:
        secret = PROVIDERS[name].secrets[0] if name in PROVIDER_ALONE else new_secret(name).verifying
        receiver = Receiver(name, endpoint="e", secrets=[secret], allow_from=[])
        assert well_formed(receiver.handle("POST", URL, [], b"")), name
