"""Whether a failure passes by itself: what a handler raises, told apart by its class.

`Transient` and `Permanent` are for handlers to raise. Everybody else's classes are known by package and name,
so that none of them is imported; of an error's bases the closest one that is known decides.
"""

from enum import Enum
from typing import Mapping, Sequence, Tuple, Type, Union

Named = Union[Type[BaseException], str]
"""An exception's class, or its dotted name, e.g. `billing.errors.UnknownCustomer`."""


class Transient(Exception):
    """Raise it for what may work a little later: the event is tried again."""


class Permanent(Exception):
    """Raise it for what will never work: the event is a dead letter at once, and is not tried again."""


class Kind(Enum):
    """What to expect of another try."""

    TRANSIENT = "transient"  # the world's fault: later it may work
    PERMANENT = "permanent"  # the event's fault: it never will
    UNKNOWN = "unknown"  # nobody said; tried again, as transient ones are


_PERMANENT: Mapping[str, Tuple[str, ...]] = {
    "hookvitals": ("Permanent", "InvalidPayload"),
    "pydantic": ("ValidationError",),
    "pydantic_core": ("ValidationError",),
    "marshmallow": ("ValidationError",),
    "jsonschema": ("ValidationError",),
    "django": ("ValidationError",),
    "rest_framework": ("ValidationError",),
    "msgspec": ("ValidationError",),
}
_TRANSIENT: Mapping[str, Tuple[str, ...]] = {
    "hookvitals": ("Transient", "StateUnavailable"),
    "builtins": ("OSError", "TimeoutError"),
    "asyncio": ("TimeoutError",),
    "concurrent": ("TimeoutError",),
    "sqlite3": ("OperationalError",),
    "sqlalchemy": ("OperationalError", "DBAPIError", "TimeoutError"),
    "psycopg": ("OperationalError",),
    "psycopg2": ("OperationalError",),
    "pymysql": ("OperationalError",),
    "MySQLdb": ("OperationalError",),
    "django": ("OperationalError", "InterfaceError"),
    "redis": ("ConnectionError", "TimeoutError"),
    "requests": ("ConnectionError", "Timeout"),
    "httpx": ("TransportError",),
    "aiohttp": ("ClientConnectionError",),
    "urllib3": ("HTTPError",),
}


def kind_of(error: BaseException, transient: Sequence[Named] = (), permanent: Sequence[Named] = ()) -> Kind:
    """What to expect of another try. transient, permanent: what the application says; it is heard first."""
    for kind in type(error).__mro__:
        if _names(permanent, kind):
            return Kind.PERMANENT
        if _names(transient, kind):
            return Kind.TRANSIENT
        package = str(kind.__module__).partition(".")[0]
        if kind.__name__ in _PERMANENT.get(package, ()):
            return Kind.PERMANENT
        if kind.__name__ in _TRANSIENT.get(package, ()):
            return Kind.TRANSIENT
    return Kind.UNKNOWN


def _names(named: Sequence[Named], kind: type) -> bool:
    return any(one is kind or one == f"{kind.__module__}.{kind.__qualname__}" for one in named)
