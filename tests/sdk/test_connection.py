"""One connection to a receiver: what came, whatever the receiver does to it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from hookvitals.connection import ANSWER_BYTES, Answer, Connection, NoAnswer, Told

LARGE = b"x" * (8 << 20)  # more than the system holds between two ends
Talk = Callable[[socket.socket], None]


@contextmanager
def talking(*talks: Talk) -> Iterator[str]:
    """A receiver that treats its first connection as the first of `talks` says, and so on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)

        def accept() -> None:
            for talk in talks:
                accepted, _ = listening.accept()
                with accepted:
                    accepted.settimeout(10)
                    talk(accepted)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        thread.join(10)
        assert not thread.is_alive()


def sent(url: str, body: bytes = b"{}") -> Told:
    connection = Connection(url, timeout_s=5.0)
    try:
        return connection.send({}, body)
    finally:
        connection.close()


def hearing(connection: socket.socket) -> None:
    """Reads a small request to its end."""
    heard = b""
    while not heard.endswith(b"\r\n\r\n{}"):
        heard += connection.recv(65_536)


def test_an_early_refusal_is_heard_although_the_body_was_not_read() -> None:
    def refusing(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(
            b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        while connection.recv(1 << 20):
            pass

    with talking(refusing) as url:
        told = sent(url, LARGE)

    assert isinstance(told, Answer)
    assert told.status == 413


def test_a_connection_that_ends_before_all_was_read_is_told_as_such() -> None:
    def leaving(connection: socket.socket) -> None:
        connection.recv(100)

    with talking(leaving) as url:
        told = sent(url, LARGE)

    assert isinstance(told, NoAnswer)
    assert (told.let_go, told.unread) == (True, True)


def test_a_connection_that_ends_without_a_word_was_read() -> None:
    with talking(hearing) as url:
        told = sent(url)

    assert isinstance(told, NoAnswer)
    assert (told.let_go, told.unread) == (True, False)
    assert told.told == "no answer: RemoteDisconnected"


def test_an_idle_connection_that_was_closed_is_opened_again() -> None:
    def once(connection: socket.socket) -> None:
        hearing(connection)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with talking(once, once) as url:
        connection = Connection(url, timeout_s=5.0)
        statuses = [connection.send({}, b"{}").status for _ in range(2)]
        connection.close()

    assert statuses == [204, 204]


def test_of_a_long_answer_the_beginning_is_kept() -> None:
    def telling(connection: socket.socket) -> None:
        hearing(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\nX-Told: yes\r\n\r\n" + b"y" * 10_000)

    with talking(telling) as url:
        told = sent(url)

    assert isinstance(told, Answer)
    assert (told.body, told.headers["x-told"]) == (b"y" * ANSWER_BYTES, "yes")


def test_what_is_no_http_is_no_answer() -> None:
    def mumbling(connection: socket.socket) -> None:
        hearing(connection)
        connection.sendall(b"good morning\r\n\r\n")

    with talking(mumbling) as url:
        assert sent(url).told == "no answer: BadStatusLine"


def test_who_never_answers_is_waited_for_no_longer_than_the_timeout() -> None:
    done = threading.Event()

    def silent(connection: socket.socket) -> None:
        hearing(connection)
        done.wait(10)

    with talking(silent) as url:
        connection = Connection(url, timeout_s=0.1)
        told = connection.send({}, b"{}")
        done.set()

    assert told.status == 0
    assert not told.taken
    assert isinstance(told, NoAnswer)
    assert not told.let_go


@pytest.mark.parametrize("url", ["ftp://x", "http://", "/hook", "http://x:port/", "http://x:0/"])
def test_an_address_that_is_not_http_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"http|[Pp]ort"):
        Connection(url)
