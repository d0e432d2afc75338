"""Whether the addresses a process means to listen on are free, asked before anything is started."""

import errno
import socket

from monitor.errors import ConfigError


def require_free(host: str, port: int, setting: str) -> None:
    """Raises ConfigError naming the setting when nothing could listen there. Port 0 is always free."""
    try:
        _bind(host, port)
    except OSError as exc:
        reason = "is in use" if exc.errno == errno.EADDRINUSE else f"cannot be used ({exc.strerror})"
        raise ConfigError(
            f"{host} port {port} {reason}",
            f"end the other process, or set HOOKVITALS_{setting.upper()} to another port",
        ) from exc


def free_port(host: str, wanted: int) -> int:
    """The wanted port when it is free, else one that the system picks."""
    try:
        return _bind(host, wanted)
    except OSError:
        return _bind(host, 0)


def _bind(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])
