"""A signal is heard whatever the main thread is about, and while another is being heard."""

import signal
import threading
from collections.abc import Iterator

import pytest

from monitor.signals import on_signals

PATIENCE_S = 20.0


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    numbers = (signal.SIGUSR1, signal.SIGUSR2)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_what_a_signal_calls_may_take_a_lock_that_the_main_thread_holds() -> None:
    lock, heard = threading.Lock(), threading.Event()

    def call() -> None:
        if lock.acquire(timeout=PATIENCE_S):
            heard.set()

    on_signals(call, signal.SIGUSR1)
    with lock:
        signal.raise_signal(signal.SIGUSR1)
    assert heard.wait(PATIENCE_S)


def test_each_signal_is_a_call_also_while_one_is_being_answered() -> None:
    calls, let_go, done = [0], threading.Event(), threading.Event()

    def call() -> None:
        let_go.wait(PATIENCE_S)
        calls[0] += 1
        if calls[0] == 3:
            done.set()

    on_signals(call, signal.SIGUSR1, signal.SIGUSR2)
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGUSR1):
        signal.raise_signal(number)
    let_go.set()
    assert done.wait(PATIENCE_S)
