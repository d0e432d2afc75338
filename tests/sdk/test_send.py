"""`python -m hookvitals send`: one signed event, and what the receiver answered."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from hookvitals.__main__ import main
from hookvitals.integrations.wsgi import application
from tests.sdk.integrations.serving import served
from tests.sdk.world import SECRET, World

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def url(world: World) -> Iterator[str]:
    with served(application(world.receiver(now=time.time))) as port:
        yield f"http://127.0.0.1:{port}/hook"


def test_a_signed_event_is_sent_and_the_answer_printed(world: World, url: str, capsys: Capture) -> None:
    arguments = ["send", "--url", url, "--secret", SECRET, "--type", "invoice.paid", "--id", "evt_9"]

    assert main([*arguments, "--data", '{"amount": 5}']) == 0

    assert capsys.readouterr().out == 'evt_9: HTTP 200 {"ok":true}\n'
    (event,) = world.handled
    assert (event.id, event.type, event.data["amount"]) == ("evt_9", "invoice.paid", 5)


def test_a_secret_may_come_from_a_file_or_the_environment(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")

    assert main(["send", "--url", url, "--secret-file", str(file)]) == 0
    monkeypatch.setenv("HOOKVITALS_SEND_SECRET", SECRET)
    assert main(["send", "--url", url]) == 0


def test_a_refusal_is_an_exit_status_of_1(url: str, capsys: Capture) -> None:
    assert main(["send", "--url", url, "--secret", "whsec_b3RoZXI="]) == 1
    assert "HTTP 401" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--url", "http://127.0.0.1:9", "--secret", SECRET], "does the receiver run there?"),
        (["--url", "ftp://x", "--secret", SECRET], "ftp://x"),
        (["--url", "http://x", "--secret", "not base64!"], "base64"),
        (["--url", "http://x"], "HOOKVITALS_SEND_SECRET"),
        (["--url", "http://x", "--secret", SECRET, "--data", "[1]"], "JSON object"),
        (["--url", "http://x", "--secret", SECRET, "--data", "{"], "not JSON"),
        (["--url", "http://x", "--secret", SECRET, "--scheme", "orum"], "secret new --scheme orum"),
        (["--url", "http://x", "--secret-file", "/nowhere/secret"], "/nowhere/secret"),
    ],
)
def test_what_cannot_be_sent_is_one_line_and_an_exit_status_of_2(
    arguments: list[str], said: str, capsys: Capture
) -> None:
    assert main(["send", *arguments]) == 2

    told = capsys.readouterr().err
    assert told.startswith("nothing was sent: ")
    assert said in told
    assert told.count("\n") == 1
    assert SECRET not in told


@pytest.mark.parametrize("system", ["hopnow", "scalekit", "svix", "timestamped", "hmac", "orum"])
def test_every_source_system_can_be_tried(world: World, system: str, tmp_path: Path) -> None:
    receiving = sending = SECRET
    if system == "orum":
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        sending = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        receiving = private.public_key().public_bytes(serialization.Encoding.PEM, spki).decode()
    file = tmp_path / "secret"
    file.write_text(sending)
    receiver = world.receiver(system=system, secrets=[receiving], allow_from=[], now=time.time)

    with served(application(receiver)) as port:
        status = main(
            ["send", "--url", f"http://127.0.0.1:{port}/", "--scheme", system, "--secret-file", str(file)]
        )

    assert status == 0
    assert len(world.handled) == 1
