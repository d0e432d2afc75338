"""`python -m hookvitals secret new`: a secret, shown once, in the form that its scheme takes. Practice 23."""

import base64
import stat
from pathlib import Path

import pytest

from hookvitals import PROFILES, SCHEMES
from hookvitals.__main__ import main
from hookvitals.secret import PROVIDER_ALONE, new_secret
from hookvitals.testing import signed_request

Capture = pytest.CaptureFixture[str]


def test_standard_webhooks_take_32_bytes_in_base64_after_whsec(capsys: Capture) -> None:
    assert main(["secret", "new", "--scheme", "standard"]) == 0

    told = capsys.readouterr()
    (secret,) = told.out.splitlines()
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert secret.startswith("whsec_")


def test_an_hmac_takes_32_bytes_in_hexadecimal(capsys: Capture) -> None:
    assert main(["secret", "new", "--scheme", "hmac"]) == 0

    assert len(bytes.fromhex(capsys.readouterr().out)) == 32


def test_two_lines_say_where_it_belongs_and_do_not_repeat_it(capsys: Capture) -> None:
    main(["secret", "new", "--scheme", "hopnow"])

    told = capsys.readouterr()
    assert [line.split(":")[0] for line in told.err.splitlines()] == ["receiver", "sender"]
    assert told.out.strip() not in told.err


def test_where_the_provider_has_a_private_key_a_pair_is_made(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "key"

    assert main(["secret", "new", "--scheme", "orum", "--to", str(file)]) == 0

    told = capsys.readouterr()
    assert told.out == ""
    assert str(file) in told.err
    assert signed_request("orum", file.read_text(), "evt_1", "transfer.updated")
    assert "BEGIN PUBLIC KEY" in (tmp_path / "key.pub").read_text()


def test_a_file_is_its_owner_s_alone_and_never_overwritten(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "secret"

    assert main(["secret", "new", "--to", str(file)]) == 0
    first = file.read_text()
    assert main(["secret", "new", "--to", str(file)]) == 2

    assert file.read_text() == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert capsys.readouterr().err.splitlines()[-1].startswith("no secret was made: ")


def test_half_a_pair_is_never_written(tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text("another's")

    assert main(["secret", "new", "--scheme", "discord", "--to", str(tmp_path / "key")]) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["key.pub"]


@pytest.mark.parametrize("system", PROVIDER_ALONE)
def test_where_only_the_provider_can_sign_none_is_made(system: str, capsys: Capture) -> None:
    assert main(["secret", "new", "--scheme", system]) == 2

    told = capsys.readouterr().err
    assert f"only the provider can sign like {system}" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("system", sorted({*PROFILES, *SCHEMES} - {*PROVIDER_ALONE, "orum"}))
def test_no_two_are_alike_and_none_shows_itself(system: str) -> None:
    one, other = new_secret(system), new_secret(system)

    assert one.signing != other.signing
    assert one.signing not in repr(one)
    assert one.verifying not in repr(one)
