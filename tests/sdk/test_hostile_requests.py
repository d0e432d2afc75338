"""Requests that no honest sender makes, each under every scheme, through a whole receiver: a 4xx and a reason
on record, never an exception, never a handler's call. Practices 5, 20 and 23.

The guides' verifiers, and the libraries `standardwebhooks` and `svix`, crash on some of these.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from hookvitals import Event, Receiver
from hookvitals.answers import STATUS_OF
from hookvitals.testing import MemoryShipper, received
from tests.sdk.schemes.oracles import HAS_OPENSSL, NOW
from tests.sdk.schemes.providers import PROVIDERS, Provider, Request

pytestmark = HAS_OPENSSL

TIMED = [name for name, each in PROVIDERS.items() if each.unit]
NO_TIMES = ["+1", "1e9", "1_000", "NaN"]
MEBIBYTE = "0" * (1 << 20)
NOT_UTF8 = [b"\xff\xfe", b"v1,\xc3", b"\x00\x80"]
NOT_TEXT = ["\udcff", "\ud800v1,", "\x00", "\u0661"]
ON_THE_SIGNATURE = {"missing_signature", "malformed_signature"}


@pytest.fixture(params=list(PROVIDERS))
def provider(request: pytest.FixtureRequest) -> Provider:
    return PROVIDERS[request.param]


class Post:
    """A receiver of one provider; `handled` holds what its handler saw."""

    def __init__(self, provider: Provider) -> None:
        self.handled: list[Event] = []
        self.shipper = MemoryShipper()
        secrets = provider.secrets[:1]
        self.receiver = Receiver(
            "acme",
            endpoint="orders",
            system="hmac",
            secrets=secrets,
            profile={
                "scheme": provider.name,
                "scheme_settings": provider.settings(secrets),
                "tolerance_s": provider.tolerance_s,
                "rate_per_minute": None,
                "id_path": "body:sha256",
                "type_path": "header:x-type",
            },
            failures_per_minute=None,
            shipper=self.shipper,
            now=lambda: NOW,
        )
        self.receiver.on("*")(self.handled.append)

    def answer(self, request: Request, **changed: Any) -> int:
        given = replace(request, **changed)
        headers: Any = [*given.headers, ("X-Type", "t")]
        return self.receiver.handle(given.method, given.url, headers, given.body, "192.0.2.1")[0]

    def refused(self, request: Request, **changed: Any) -> str:
        """The reason on record; the answer is the one that it calls for."""
        status = self.answer(request, **changed)
        record = received(self.shipper).all()[-1]
        assert record["outcome"] == "rejected"
        reason: str = record["reason"]
        assert status == record["http_status"] == STATUS_OF[reason]
        assert 400 <= status < 500
        assert self.handled == []
        return reason


@pytest.fixture
def post(provider: Provider, caplog: pytest.LogCaptureFixture) -> Iterator[Post]:
    made = Post(provider)
    yield made
    made.receiver.close()
    faults = [line for line in caplog.records if line.exc_info or line.levelno >= logging.ERROR]
    assert not faults, "refused, and not by accident"


def with_value(request: Request, name: str, value: Any) -> list[Any]:
    return [(each, value if each == name else kept) for each, kept in request.headers]


def test_the_same_request_unharmed_is_taken_or_no_event(post: Post, provider: Provider) -> None:
    """Else everything below would be refused for another reason."""
    status = post.answer(provider.request())

    (record,) = received(post.shipper).all()
    assert (status, record["outcome"]) == (200, "succeeded") or record["reason"] == "malformed_body"
    assert record["secret_id"]


def test_no_header_at_all(post: Post, provider: Provider) -> None:
    in_body = {"adyen": b"{}", "sns": b"{}"}

    reason = post.refused(provider.request(), headers=[], body=in_body.get(provider.name, provider.body))

    assert reason in ON_THE_SIGNATURE
    if provider.name not in in_body:
        assert reason == "missing_signature"


def test_each_header_twice_with_the_right_value_first_or_last(post: Post, provider: Provider) -> None:
    request = provider.request()
    for name, value in request.headers:
        for headers in (
            [*request.headers, (name, value)],
            [*request.headers, (name.upper(), "0")],
            [(name.title(), "0"), *request.headers],
        ):
            assert post.refused(request, headers=headers) == "malformed_signature"


def test_bytes_that_are_not_utf8_in_each_header(post: Post, provider: Provider) -> None:
    """As bytes, as the characters a server makes of them, and as half a surrogate pair."""
    request = provider.request()
    for name, good in request.headers:
        for raw in NOT_UTF8:
            for value in (raw, raw.decode("latin-1"), raw.decode("utf-8", "surrogateescape")):
                post.refused(request, headers=with_value(request, name, value))
        for text in NOT_TEXT:
            post.refused(request, headers=with_value(request, name, good + text))


def test_bytes_that_are_not_utf8_in_the_body(post: Post, provider: Provider) -> None:
    for body in (b"\xff\xfe" + provider.body, provider.body + b"\xc3", b"\xed\xa0\x80", b"\x00"):
        if provider.name != "gitlab":  # whose token signs nothing
            post.refused(provider.request(), body=body)


@pytest.mark.parametrize("tail", [",", ", ", ",,", "=,", ",v1"])
def test_a_signature_with_a_trailing_comma(post: Post, provider: Provider, tail: str) -> None:
    request = provider.request()
    lists = provider.joint == "," or ",v1=" in provider.joint

    if lists and tail.startswith(","):  # a part of a list that says nothing
        post.answer(request.with_signature(request.signature + tail))
        assert len(post.handled) <= 1
    else:
        assert post.refused(request.with_signature(request.signature + tail)) in (
            "malformed_signature", "bad_signature",
        )  # fmt: skip


@pytest.mark.parametrize("stamp", NO_TIMES)
@pytest.mark.parametrize("provider", TIMED, indirect=True)
def test_a_time_that_is_no_plain_number_although_it_was_signed(
    post: Post, provider: Provider, stamp: str
) -> None:
    assert post.refused(provider.request(stamp=stamp)) == "malformed_signature"


def test_a_mebibyte_in_each_header(post: Post, provider: Provider) -> None:
    request = provider.request()
    for name, good in request.headers:
        for value in (good + MEBIBYTE, MEBIBYTE, "," * (1 << 20)):
            assert post.refused(request, headers=with_value(request, name, value)) == "malformed_signature"
    if not request.headers:
        post.refused(request.with_signature(MEBIBYTE[: 1 << 19]))


def test_a_mebibyte_in_a_header_of_nobodys(post: Post, provider: Provider) -> None:
    """It decides nothing, and no record carries it."""
    request = provider.request()

    status = post.answer(
        request, headers=[*request.headers, ("X-Padding", MEBIBYTE), ("User-Agent", MEBIBYTE)]
    )

    (record,) = received(post.shipper).all()
    assert status in (200, 400)
    assert len(repr(record)) < 20_000
