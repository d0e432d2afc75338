"""A child that ends itself when its supervisor is gone, however that went: killed, or out of memory."""

import os
import signal
import threading

POLL_S = 1.0


def end_with_parent(parent_pid: int, poll_s: float = POLL_S) -> threading.Thread:
    """Watches from a thread; sends this process SIGTERM once its parent is no longer `parent_pid`."""

    def watch() -> None:
        pause = threading.Event()
        while os.getppid() == parent_pid:
            pause.wait(poll_s)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=watch, name="end-with-parent", daemon=True)
    thread.start()
    return thread
