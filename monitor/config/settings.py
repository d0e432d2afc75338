"""What one process needs before it can reach anything: addresses, stores, keys, logs.

Read once at start, from the environment (`HOOKVITALS_…`) before `[process]` of hookvitals.toml before the
defaults. Rules, channels and all that may change while the processes run stand in `document.py`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from monitor.config.values import ControlUrl, NetworkText, PositiveDuration, PostgresqlUrl, duration_text

PREFIX = "HOOKVITALS_"
CONFIG_VARIABLE = "HOOKVITALS_CONFIG"
DEFAULT_FILE = "hookvitals.toml"
SDK_VARIABLES = frozenset({"HOOKVITALS_KEY", "HOOKVITALS_SEND_SECRET", "HOOKVITALS_URL"})
"""Read by receivers, which may share an environment with the monitor."""

Port = Annotated[int, Field(ge=0, le=65535)]


def _split(value: object) -> object:
    """An environment variable holds a list as text with commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _hex_key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if text and not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ValueError("not a key")
    return value


SecretKey = Annotated[SecretStr, AfterValidator(_hex_key)]
Networks = Annotated[tuple[NetworkText, ...], BeforeValidator(_split)]


def _setting(default: object, sentence: str, form: str, unit: str = "") -> Any:
    return Field(default, description=sentence, json_schema_extra={"form": form, "unit": unit})


class Settings(BaseModel):
    """The settings of one process, checked and frozen; secrets are masked in its repr."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    data_dir: Path = _setting(
        "hookvitals-data",
        "Directory of the SQLite stores and the generated secrets.",
        "a path to a directory this user may write",
    )
    store_url: PostgresqlUrl = _setting(
        "",
        "PostgreSQL database that holds both stores; empty means SQLite files in the data directory.",
        "postgresql://user@host/database",
    )
    control_url: ControlUrl = _setting(
        "",
        "Control store, where it is not with the facts; empty means the store_url.",
        "postgresql://user@host/database or sqlite:///path",
    )
    facts_url: PostgresqlUrl = _setting(
        "",
        "Facts store, where it is not with control; empty means the store_url.",
        "postgresql://user@host/database",
    )
    facts_replica_url: PostgresqlUrl = _setting(
        "",
        "Replica of the facts that the dashboard reads; empty means the facts store itself.",
        "postgresql://user@host/database",
    )
    database_connections: Annotated[int, Field(ge=4, le=1000)] = _setting(
        8,
        "Connections to PostgreSQL that one process may have open.",
        "a number from 4 to 1000",
        "connections",
    )
    collector_host: str = _setting(
        "127.0.0.1", "Address the collector listens on.", "an address or host name"
    )
    collector_port: Port = _setting(
        8700, "Port the collector listens on; 0 takes a free one.", "a number from 0 to 65535", "port"
    )
    collector_url: str = _setting(
        "",
        "Where the worker reaches the collector; empty means the collector's address.",
        "a URL such as http://collector:8700",
    )
    collector_workers: Annotated[int, Field(ge=1, le=64)] = _setting(
        2, "Front processes of the collector.", "a number from 1 to 64", "processes"
    )
    dashboard_host: str = _setting(
        "127.0.0.1", "Address the dashboard and the management API listen on.", "an address or host name"
    )
    dashboard_port: Port = _setting(
        8701, "Port of the dashboard; 0 takes a free one.", "a number from 0 to 65535", "port"
    )
    public_url: str = _setting(
        "",
        "Address people reach the dashboard at, for links in messages; empty means the dashboard's own.",
        "a URL such as https://hooks.example.com",
    )
    base_path: Annotated[str, Field(pattern=r"^/([A-Za-z0-9._~/-]*/)?$")] = _setting(
        "/", "Path under which a reverse proxy shows the dashboard.", "a path that starts and ends with /"
    )
    trusted_proxies: Networks = _setting(
        (),
        "Addresses of reverse proxies whose X-Forwarded headers are believed.",
        "address ranges such as 10.0.0.0/8, with commas between them",
    )
    secret_key: SecretKey = _setting(
        "",
        "Key that seals captures and internal traffic; empty means secret.key in the data directory, "
        "made at first start.",
        "64 hexadecimal digits (32 random bytes)",
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "info", "Least severity that is logged.", "debug, info, warning or error"
    )
    log_format: Literal["text", "json"] = _setting("text", "Shape of a log line.", "text or json")
    retention: PositiveDuration = _setting(
        "30d", "How long single records are kept.", "a duration such as 30d"
    )
    facts_budget_bytes: Annotated[int, Field(ge=0)] = _setting(
        0,
        "Room for the facts; the oldest records go first when it is used up; 0 sets no bound.",
        "a number of bytes, 0 or more",
        "bytes",
    )
    body_bytes: Annotated[int, Field(ge=1024)] = _setting(
        8 * 1024 * 1024,
        "Largest body the collector takes, after decompression.",
        "a number of bytes, 1024 or more",
        "bytes",
    )
    key_records_per_s: Annotated[int, Field(ge=0)] = _setting(
        0, "Records a second one key may send; 0 sets no bound.", "a number, 0 or more", "records/s"
    )


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line of the documentation."""

    name: str
    variable: str
    type: str
    default: str
    unit: str
    sentence: str


def variable_of(name: str) -> str:
    return PREFIX + name.upper()


SECRETS = frozenset(
    name
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, SecretStr)
)


def settings_table() -> list[SettingRow]:
    """Every setting once, in the order of the class: what the documentation shows."""
    return [
        SettingRow(
            name,
            variable_of(name) + (f" or {variable_of(name)}_FILE" if name in SECRETS else ""),
            form_and_unit(field)["form"],
            _default_text(field),
            form_and_unit(field)["unit"],
            field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]


def form_and_unit(field: FieldInfo) -> dict[str, str]:
    """`form` and `unit` of a setting, as a person reads them."""
    extra = field.json_schema_extra
    assert isinstance(extra, dict)
    return {key: str(value) for key, value in extra.items()}


def _default_text(field: FieldInfo) -> str:
    default = field.get_default()
    if default is PydanticUndefined or default in ("", ()):
        return ""
    return duration_text(default) if hasattr(default, "total_seconds") else str(default)
