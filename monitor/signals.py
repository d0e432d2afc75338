"""Signals heard in a thread of their own, where whatever they call may take locks.

Python runs a handler in the main thread, between any two steps of what it does there. A handler that sets an
Event stands still for good when that thread was about to wait for it, or was setting it for another signal.
"""

import signal
import threading
from collections.abc import Callable
from queue import SimpleQueue


def on_signals(call: Callable[[], object], *numbers: signal.Signals) -> None:
    """Makes each of these signals one call, one after the other. Only the main thread can ask for it."""
    arrived: SimpleQueue[int] = SimpleQueue()  # the one queue whose put may interrupt a put

    def listen() -> None:
        while True:
            arrived.get()
            call()

    threading.Thread(target=listen, name="signals", daemon=True).start()
    for number in numbers:
        signal.signal(number, lambda number, _: arrived.put(number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)  # whoever started this process may have held them
