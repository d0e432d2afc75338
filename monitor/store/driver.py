"""The driver of PostgreSQL, which SQLite alone does not need: whether it is there, and what to run if not."""

from importlib.util import find_spec

from monitor.errors import ConfigError


def require_driver() -> None:
    """Nothing, where PostgreSQL can be talked to. Raises ConfigError with the command to run."""
    if find_spec("psycopg") is None or find_spec("psycopg_pool") is None:
        raise ConfigError(
            "a store is in PostgreSQL, and its driver is not installed",
            "run `pip install 'hookvitals-server[postgres]'`",
        )
