"""`python -m hookvitals send`: one signed event, and what the receiver answered. Practice 43."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hookvitals.__main__ import main
from hookvitals.integrations.wsgi import application
from hookvitals.testing import new_secret
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
        (["--url", "http://x", "--secret", SECRET, "--setting", "colour=red"], "settings: colour"),
        (["--url", "http://x", "--secret", SECRET, "--setting", "tolerance_s=x"], "number of seconds"),
        (["--url", "http://x", "--secret", SECRET, "--setting", "header"], "NAME=VALUE"),
        (["--url", "http://x", "--secret", SECRET, "--type", "a\nb", "--scheme", "github"], "header"),
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


@pytest.mark.parametrize(
    "system", ["hopnow", "scalekit", "svix", "stripe", "github", "square", "gitlab", "orum"]
)
def test_every_source_system_can_be_tried(world: World, system: str, tmp_path: Path) -> None:
    secret = new_secret(system)
    file = tmp_path / "secret"
    file.write_text(secret.signing)
    receiver = world.receiver(system=system, secrets=[secret.verifying], allow_from=[], now=time.time)

    with served(application(receiver)) as port:
        url = f"http://127.0.0.1:{port}/hook?account=7"
        status = main(["send", "--url", url, "--scheme", system, "--secret-file", str(file)])

    assert status == 0
    assert len(world.handled) == 1


def test_behind_a_proxy_the_url_is_signed_that_the_receiver_knows(world: World) -> None:
    public = "https://hooks.example.com/webhooks"
    receiver = world.receiver(system="square", public_url=public, now=time.time)

    with served(application(receiver)) as port:
        arguments = [
            "send",
            "--url",
            f"http://127.0.0.1:{port}/webhooks",
            "--scheme",
            "square",
            "--secret",
            SECRET,
        ]
        assert main(arguments) == 1
        assert main([*arguments, "--signed-url", public]) == 0

    assert len(world.handled) == 1


def test_settings_of_a_scheme_are_given_one_by_one(capsys: Capture) -> None:
    seen: list[str] = []

    def receiver(environ: dict[str, str], start: Callable[..., object]) -> list[bytes]:
        seen.append(environ["HTTP_X_SIG"])
        start("204 No Content", [])
        return []

    with served(receiver) as port:
        arguments = ["send", "--url", f"http://127.0.0.1:{port}/", "--scheme", "hmac", "--secret", SECRET]
        status = main([*arguments, "--setting", "header=X-Sig", "--setting", "prefix=v9="])

    assert status == 0
    assert seen[0].startswith("v9=")


def test_a_redirect_is_an_answer_and_not_followed(capsys: Capture) -> None:
    asked: list[str] = []

    def moved(environ: dict[str, str], start: Callable[..., object]) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        start("307 Temporary Redirect", [("Location", "/elsewhere")])
        return []

    with served(moved) as port:
        assert main(["send", "--url", f"http://127.0.0.1:{port}/hook", "--secret", SECRET]) == 1

    assert asked == ["/hook"]
    assert "HTTP 307" in capsys.readouterr().out


def test_an_endless_answer_is_cut_off(capsys: Capture) -> None:
    def endless(environ: dict[str, str], start: Callable[..., object]) -> Iterator[bytes]:
        start("200 OK", [])
        while True:
            yield b"x" * 1000

    with served(endless) as port:
        assert main(["send", "--url", f"http://127.0.0.1:{port}/", "--secret", SECRET, "--id", "evt_9"]) == 0

    assert len(capsys.readouterr().out) < 2100


def test_help_shows_what_to_type(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    assert ended.value.code == 0
    told = capsys.readouterr().out
    for example in re.findall(r"python -m hookvitals (?:send|secret new) [^\\\n]*", told):
        assert "--secret " not in example  # in plain view
    assert told.count("python -m hookvitals ") >= 4
