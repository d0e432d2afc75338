import pytest

from monitor.model import Capture
from monitor.seal import Sealer, Unsealable, capture_context, key_id, opened_capture, sealed_capture

KEY, OTHER = bytes(32), bytes(range(32))
CONTEXT = capture_context("production", "orum", "payouts", "evt_1")
CAPTURE = Capture({"Content-Type": "application/json"}, b'{"secret": "4242"}', "application/json", False)


def test_sealed_capture_opens_to_what_it_was_and_shows_nothing() -> None:
    sealed = sealed_capture(Sealer(KEY), CAPTURE, CONTEXT)

    assert b"4242" not in sealed
    assert b"json" not in sealed
    assert opened_capture(Sealer(KEY), sealed, CONTEXT) == CAPTURE


def test_same_content_is_never_sealed_the_same() -> None:
    assert Sealer(KEY).seal(b"x", b"") != Sealer(KEY).seal(b"x", b"")


def test_older_key_still_opens_after_a_change_of_keys() -> None:
    sealed = Sealer(OTHER).seal(b"x", CONTEXT)

    assert Sealer(KEY, older=[OTHER]).open(sealed, CONTEXT) == b"x"
    with pytest.raises(Unsealable, match=key_id(OTHER).hex()):
        Sealer(KEY).open(sealed, CONTEXT)


@pytest.mark.parametrize("context", [capture_context("production", "orum", "payouts", "evt_2"), b""])
def test_capture_moved_to_another_event_does_not_open(context: bytes) -> None:
    with pytest.raises(Unsealable, match="belongs to something else"):
        opened_capture(Sealer(KEY), sealed_capture(Sealer(KEY), CAPTURE, CONTEXT), context)


@pytest.mark.parametrize("at", [0, 2, 8, 20, -1])
def test_changed_byte_does_not_open(at: int) -> None:
    sealed = bytearray(sealed_capture(Sealer(KEY), CAPTURE, CONTEXT))
    sealed[at] ^= 1
    with pytest.raises(Unsealable):
        opened_capture(Sealer(KEY), bytes(sealed), CONTEXT)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01abcd"])
def test_cut_off_value_does_not_open(sealed: bytes) -> None:
    with pytest.raises(Unsealable):
        Sealer(KEY).open(sealed, CONTEXT)


def test_sealed_thing_that_is_no_capture_is_said_so() -> None:
    with pytest.raises(Unsealable, match="no capture"):
        opened_capture(Sealer(KEY), Sealer(KEY).seal(b"x", CONTEXT), CONTEXT)


def test_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(b"short")
