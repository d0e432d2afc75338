"""`python -m hookvitals send --drill`: what it says of a good receiver, and of each that is bad. Practice 43.

The bad ones are those of the guides' own samples: they answer 2xx to a forgery, or break on a header.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hookvitals import PROFILES, Receiver
from hookvitals.__main__ import main
from hookvitals.drill import FAIL, PASS, SKIP, Aim, Drill, Finding
from hookvitals.integrations.wsgi import application
from hookvitals.secret import PROVIDER_ALONE
from hookvitals.testing import MemoryShipper, new_secret, received
from tests.ports import free_port
from tests.sdk.integrations.serving import served
from tests.sdk.world import SECRET

Capture = pytest.CaptureFixture[str]
Start = Callable[..., object]
SIGN_NO_TIME = {
    "adyen", "adyen_platform", "generic", "github", "gitlab", "hmac", "hopnow", "hubspot_v1", "hubspot_v2",
    "intercom", "line", "meta", "orum", "outpost", "shopify", "square", "twilio", "typeform", "vercel",
}  # fmt: skip
SIGN_IN_THE_BODY = {"adyen", "mailgun"}
NAME_A_VERSION = {"hopnow", "orum"}


@contextmanager
def receiving(system: str = "standard", **settings: Any) -> Iterator[tuple[str, MemoryShipper, str]]:
    """(address, what is recorded, the secret to sign with)."""
    secret = new_secret(system)
    shipper = MemoryShipper()
    receiver = Receiver(
        system, endpoint="orders", secrets=[secret.verifying], shipper=shipper, allow_from=[],
        max_body_bytes=100_000, **settings,
    )  # fmt: skip
    receiver.on("invoice.*")(lambda event: None)
    with served(application(receiver)) as port:
        yield f"http://127.0.0.1:{port}/hook", shipper, secret.signing
    receiver.close()


def drilled(url: str, secret: str = SECRET, system: str = "standard") -> dict[str, Finding]:
    aim = Aim(url, system, secret, ("invoice.paid", "invoice.due"), max_body_bytes=100_000)
    return {finding.check: finding for finding in Drill(aim, "drill").findings()}


@contextmanager
def answering(answer: Callable[[dict[str, Any]], str]) -> Iterator[str]:
    """A receiver of somebody else's: it answers each request with a status line."""

    def app(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start(answer(environ), [("Content-Type", "text/plain")])
        return [b""]

    with served(app) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.mark.parametrize("system", sorted({*PROFILES} - {*PROVIDER_ALONE}))
def test_a_receiver_of_every_profile_passes_every_check_that_applies(system: str) -> None:
    with receiving(system) as (url, _, secret):
        findings = drilled(url, secret, system)

    assert [finding.line() for finding in findings.values() if finding.verdict == FAIL] == []
    assert {check for check, finding in findings.items() if finding.verdict == SKIP} == {
        *(("301 s old", "301 s ahead") if system in SIGN_NO_TIME else ()),
        *(() if system in NAME_A_VERSION else ("out of order",)),
        *(("changed body",) if system in ("gitlab", "mailgun") else ()),  # what they sign is not the body
        *(("not JSON",) if system == "orum" or system in SIGN_IN_THE_BODY else ()),  # they sign fields of it
        *(("garbled signature",) if system in SIGN_IN_THE_BODY else ()),
    }


def test_a_receiver_that_answers_first_passes_too(tmp_path: Path) -> None:
    with receiving(state_path=str(tmp_path / "state.db"), inbox=True) as (url, shipper, secret):
        findings = drilled(url, secret)

    assert [finding.line() for finding in findings.values() if finding.verdict == FAIL] == []
    assert len(received(shipper).all(outcome="accepted", event_id="drill_8")) == 1


def test_what_the_receiver_records_is_what_the_drill_meant_to_send() -> None:
    with receiving() as (url, shipper, secret):
        drilled(url, secret)

    reasons = [record["reason"] for record in received(shipper).all(outcome="rejected")]
    assert reasons == [
        "bad_signature", "bad_signature", "missing_signature", "malformed_signature", "timestamp_too_old",
        "timestamp_in_future", "malformed_body", "too_large", "method_not_allowed",
    ]  # fmt: skip
    assert len(received(shipper).all(outcome="unhandled")) == 1
    assert len(received(shipper).all(outcome="succeeded", event_type="invoice.due")) == 1
    of_copies = [received(shipper).outcomes(one) for one in ("drill_7", "drill_8")]
    assert [outcomes.count("succeeded") for outcomes in of_copies] == [1, 1]
    assert [outcomes.count("duplicate") for outcomes in of_copies] == [1, 7]


def test_a_newer_version_comes_before_the_older_one() -> None:
    with receiving("hopnow") as (url, shipper, secret):
        assert drilled(url, secret, "hopnow")["out of order"].verdict == PASS

    assert len(received(shipper).all(outcome="stale")) == 1


def test_a_receiver_that_believes_everything_fails_what_protects_it() -> None:
    with answering(lambda environ: "200 OK") as url:
        findings = drilled(url)

    failed = {check for check, finding in findings.items() if finding.verdict == FAIL}
    assert failed == {
        "other secret", "changed body", "no signature", "garbled signature", "301 s old", "301 s ahead",
        "not JSON",
        "oversize", "GET",
    }  # fmt: skip
    line = findings["other secret"].line()
    assert line.startswith("FAIL  other secret")
    assert "HTTP 200; expected 401 or 400: else whoever finds the address sends events" in line


def test_an_exception_is_no_refusal() -> None:
    with answering(lambda environ: "500 Internal Server Error") as url:
        findings = drilled(url)

    assert {finding.verdict for finding in findings.values()} == {FAIL, SKIP}


def test_a_redirect_is_not_followed_and_no_receipt() -> None:
    asked: list[str] = []

    def moved(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        asked.append(environ["PATH_INFO"])
        start("308 Permanent Redirect", [("Location", "/elsewhere")])
        return [b""]

    with served(moved) as port:
        findings = drilled(f"http://127.0.0.1:{port}/hook")

    assert findings["valid"].verdict == FAIL
    assert "HTTP 308" in findings["valid"].told
    assert set(asked) == {"/hook"}


def test_copies_that_meet_must_not_break_it() -> None:
    bodies: list[bytes] = []

    def second_copy_breaks(environ: dict[str, Any]) -> str:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        bodies.append(body)
        return "200 OK" if bodies.count(body) == 1 else "500 Internal Server Error"

    with answering(second_copy_breaks) as url:
        findings = drilled(url)

    assert findings["valid"].verdict == PASS
    assert findings["duplicate"].verdict == FAIL
    assert findings["concurrent copies"].verdict == FAIL
    assert findings["concurrent copies"].told == "1 x HTTP 200, 7 x HTTP 500"


def test_a_rate_limit_is_named_as_what_stood_in_the_way() -> None:
    with answering(lambda environ: "429 Too Many Requests") as url:
        findings = drilled(url)

    assert findings["other secret"].verdict == FAIL
    assert "raise that for the drill" in findings["other secret"].told


def test_after_the_time_nothing_new_is_sent() -> None:
    hours = iter(range(0, 360_000, 3600))
    asked: list[str] = []

    with answering(lambda environ: asked.append("") or "200 OK") as url:  # type: ignore[func-returns-value]
        aim = Aim(url, "standard", SECRET)
        findings = list(Drill(aim, "drill", monotonic=lambda: float(next(hours))).findings())

    assert asked == []
    assert {finding.told for finding in findings} == {"not checked: 120 s are over"}
    assert {finding.verdict for finding in findings} == {FAIL}


def test_the_command_prints_a_line_a_check_and_ends_with_0(tmp_path: Path, capsys: Capture) -> None:
    with receiving() as (url, _, secret):
        file = tmp_path / "secret"
        file.write_text(secret)
        arguments = ["send", "--url", url, "--secret-file", str(file), "--drill", "--max-body", "100000"]
        status = main([*arguments, "--types", "invoice.paid, invoice.due"])

    *lines, total = capsys.readouterr().out.splitlines()
    assert status == 0, lines
    assert [line.split("  ")[1] for line in lines] == [
        "valid", "other secret", "changed body", "no signature", "garbled signature", "301 s old",
        "301 s ahead", "duplicate", "concurrent copies", "out of order", "unknown type", "not JSON",
        "oversize", "GET",
        "type invoice.paid", "type invoice.due",
    ]  # fmt: skip
    assert total == "15 passed, 0 failed, 1 do not apply"
    assert all("; expected " in line for line in lines if line.startswith("pass"))
    assert secret not in "".join(lines)


def test_a_failed_check_is_an_exit_status_of_1(capsys: Capture) -> None:
    with answering(lambda environ: "200 OK") as url:
        assert main(["send", "--url", url, "--secret", SECRET, "--drill"]) == 1

    assert "9 failed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--url", "ftp://x"], "ftp://x"),
        (["--types", "a,,b"], "event types"),
        (["--types", ",".join(["a"] * 201)], "200 event types"),
        (["--max-body", "0"], "largest body"),
        (["--scheme", "paypal"], "only the provider can sign like paypal"),
        (["--setting", "header"], "NAME=VALUE"),
    ],
)
def test_a_senseless_drill_is_one_line_and_an_exit_status_of_2(
    arguments: list[str], said: str, capsys: Capture
) -> None:
    assert main(["send", "--url", "http://127.0.0.1:9", "--secret", SECRET, "--drill", *arguments]) == 2

    told = capsys.readouterr()
    assert told.err.startswith("nothing was sent: ")
    assert said in told.err
    assert (told.out, told.err.count("\n")) == ("", 1)


def test_nobody_at_the_address_fails_every_check(capsys: Capture) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    began = time.monotonic()
    assert main(["send", "--url", url, "--secret", SECRET, "--drill"]) == 1
    assert time.monotonic() - began < 30
    assert "no answer: ConnectionRefusedError" in capsys.readouterr().out
