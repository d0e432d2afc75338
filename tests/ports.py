"""Ports on loopback for tests that name one: a place where nobody listens, or where a server is told to."""

import socket


def free_port() -> int:
    """A port where nobody listens, the caller's until this process ends.

    Its socket stays bound and is never closed: without that the system may give the number to any other
    process before it is used. A server told to listen there may, for it too sets SO_REUSEADDR.
    """
    held = socket.socket()
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):  # workers of a collector set the second alone
        held.setsockopt(socket.SOL_SOCKET, option, 1)
    held.bind(("127.0.0.1", 0))
    port = int(held.getsockname()[1])
    held.detach()
    return port
